"""Examine a function in a child process, so that the caller never imports the user's code.

``main`` runs in the child, and writes its answer as JSON to an inherited file.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.code import Code
from sweep.definition.plain import check_kind
from sweep.errors import MachineError, StudyFileError
from sweep.trainers.function.faults import fault_of, place_of
from sweep.trainers.function.given.parcel import read, readable
from sweep.trainers.function.launch import module_argv
from sweep.trainers.function.preloaded import preload
from sweep.trainers.function.segments import is_task
from sweep.trainers.function.target import Target, load, takes_report
from sweep.trainers.program.code import imported_files, named_imports, read_code
from sweep.values import Json

_MODULE = "sweep.trainers.function.probe"

_LARGEST = 1 << 24
"""Largest answer, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """An importable function, and its sources."""

    takes_report: bool
    """Whether the function takes ``(config, report)`` rather than only ``(config)``."""
    where: str
    """``file:line`` of the definition; empty if unknown."""
    code: Code
    is_task: bool = False
    """Whether it is a task class, which trains in segments, or an object of one."""


class ChildTraceback(Exception):  # noqa: N818  only the cause of another error
    """The traceback of an error in the child, as text; shown with ``--debug``."""


def probe(
    target: str,
    *,
    folder: Path,
    cwd: Path,
    sources: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    hyperparameters: Sequence[str] = (),
    timeout: float = 120.0,
    parcel: bytes = b"",
) -> Probed:
    """Import a function in a child and return its properties.

    Args:
        target: ``module:name`` or ``path/file.py:name``; for a parcel, the function's name.
        folder: The study file's folder, absolute.
        cwd: The working folder, absolute.
        sources: Globs of further source files, relative to ``folder``.
        hyperparameters: Names of the study's hyperparameters, which the function gets in ``config``.
        env: The child's environment; this process's by default.
        timeout: Time limit of the import, in seconds.
        parcel: The packed function, if it is in no file.

    Raises:
        StudyFileError: If the function cannot be imported, takes other arguments, or a glob matches no file.
        MachineError: If the child cannot be started.
    """
    with tempfile.TemporaryFile() as answer, contextlib.ExitStack() as stack:
        given = [stack.enter_context(readable(parcel))] if parcel else []
        more = (*(json.dumps(list(names)) for names in (sources, hyperparameters)), *map(str, given))
        argv = module_argv(_MODULE, str(answer.fileno()), target, str(folder), str(cwd), *more)
        kept = [answer.fileno(), *given]
        ended = _run(argv, cwd=cwd, env=os.environ if env is None else env, kept=kept, timeout=timeout)
        said = os.pread(answer.fileno(), _LARGEST, 0)
    if ended is None:
        raise StudyFileError(
            f"trainer {target!r}: the import of its module took more than {timeout:g} s; "
            "if the module trains on import, move that code below: if __name__ == '__main__'"
        )
    return _understood(target, said, ended)


def _run(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], kept: Sequence[int], timeout: float
) -> int | None:
    """Run the child and end all its processes; return its exit code, or None after the time limit."""
    null = subprocess.DEVNULL
    try:
        child: subprocess.Popen[Any] = subprocess.Popen(  # noqa: S603  sweep's own module
            argv, cwd=cwd, env=dict(env), stdin=null, stdout=null, stderr=null,
            pass_fds=kept, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise MachineError(f"a process cannot start in {cwd}: {error}") from error
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _understood(target: str, said: bytes, code: int) -> Probed:
    """Return the checked answer of the child, which is untrusted because the child ran the user's code."""
    try:
        answer = json.loads(said)
        check_kind(answer, dict[str, Json], "the answer")
        if "fault" in answer:
            fault, trace = str(answer["fault"]), str(answer["trace"])
            raise StudyFileError(" ".join(fault.split())) from ChildTraceback(trace)
        check_kind(answer["files"], dict[str, str], "files")
        check_kind(answer["commit"], str | None, "commit")
        check_kind(answer["is_dirty"], bool | None, "is_dirty")
        found = Code(files=answer["files"], commit=answer["commit"], is_dirty=answer["is_dirty"])
        return Probed(
            takes_report=bool(answer["takes_report"]),
            where=str(answer["where"]),
            code=found,
            is_task=bool(answer["is_task"]),
        )
    except (KeyError, RecursionError, json.JSONDecodeError, UnicodeDecodeError):
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        raise StudyFileError(
            f"trainer {target!r}: the import of its module ended the process ({how})"
        ) from None


# The functions below run in the child.


def main() -> None:
    """Examine a function; the arguments are a descriptor, target, folder and working folder, then two lists.

    The lists are the globs and the names of the hyperparameters, as JSON. An optional further argument is
    the descriptor of the function's parcel.
    """
    number, text, folder, cwd, sources, hyperparameters, *given = sys.argv[1:]
    preload()
    target = Target(text, Path(folder), Path(cwd), read(int(given[0])) if given else b"")
    try:
        answer = _examine(target, json.loads(sources), json.loads(hyperparameters))
    except BaseException as error:  # noqa: BLE001  the user's module may raise anything, SystemExit too
        fault = fault_of(error, target.folder)
        answer = {"fault": f"trainer {text!r}: {fault.line}", "trace": fault.trace}
    with open(int(number), "w", encoding="utf-8") as file:
        json.dump(answer, file)


def _examine(target: Target, sources: Sequence[str], hyperparameters: Sequence[str]) -> dict[str, Json]:
    function = load(target)
    how = takes_report(target, function, hyperparameters)
    module = Path(sys.argv[0])
    named = named_imports(module, target.roots) if module.is_file() else set()
    files = imported_files(target.homes) | named
    code = read_code(files, folder=target.folder, sources=sources)
    return {
        "takes_report": bool(how),
        "is_task": is_task(function),
        "where": place_of(function, target.folder),
        "files": dict(code.files),
        "commit": code.commit,
        "is_dirty": code.is_dirty,
    }
