"""How is ``sweep`` started some hundred times without paying for its imports each time?

Forked from a server process that has loaded the libraries and nothing else, so that what runs is
the command itself, with its own process group, output files and workers (which start as always).
Only such a process can be given a place where it kills itself; the product has no such place.
"""

import dataclasses
import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import warm_python
from sweep_command import DEADLINE_S, children, kill, workers

REPOSITORY = Path(__file__).resolve().parents[2]

_PRELOADED = ["torch", "numba", "launcher", "sweep.cli", "sweep.certify.confirm", "sweep.tasks.mlp.training"]
_PRELOADED += [
    "sweep.reporting.table.formats",
    "sweep.certify.final_test",
    "sweep.reporting.confirm_text",
    "windows",
]
_PRELOADED += [
    "sweep.reporting.publish",
    "sweep.reporting.page.report",
    "sweep.dashboard.server",
    "faulty",
    "machine",
]

Preparation = Callable[..., None]
"""Called in the new process before the command: a function of a module, with plain arguments."""


@dataclasses.dataclass(slots=True)
class Running:
    """A command that was started."""

    process: BaseProcess
    folder: Path
    log: Path
    """Without its ending: ``.out`` and ``.err`` hold what the command wrote."""

    @property
    def pid(self) -> int:
        assert self.process.pid is not None, "it was started"
        return self.process.pid

    def wait(self, timeout: float = DEADLINE_S) -> "Ended":
        """Wait for its end; a command that hangs is killed, and its status is None."""
        self.process.join(timeout)
        hung = self.process.exitcode is None
        if hung:
            for pid in [*children(self.pid), self.pid]:
                kill(pid)
            self.process.join()
        status = None if hung else self.process.exitcode
        if status is not None and status < 0 and status != -signal.SIGKILL:
            status = 128 - status  # as a shell tells the end by a signal
        return Ended(
            status, self.log.with_suffix(".out").read_text(), self.log.with_suffix(".err").read_text()
        )

    def is_alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        kill(self.pid)
        self.process.join()

    def workers(self) -> list[int]:
        return workers(self.pid)


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    status: int | None
    """-9 where it was killed, else as a shell tells it; None where it had to be ended."""
    out: str
    err: str

    @property
    def acknowledged(self) -> list[dict[str, Any]]:
        """The trials that ``--json`` wrote, without a last line that is cut and without an error's line."""
        lines = self.out.split("\n")[:-1]
        written = [json.loads(line) for line in lines if line.startswith("{")]
        return [line for line in written if "trial" in line]


def start(
    folder: Path, *arguments: str, before: tuple[Any, ...] = (), variables: dict[str, str] | None = None
) -> Running:
    """Start ``sweep`` in a folder; ``before`` is a ``Preparation`` with its arguments."""
    logs = folder / ".logs"
    logs.mkdir(exist_ok=True)
    log = logs / f"{len(list(logs.glob('*.out'))):04d}"
    log.with_suffix(".out").touch()
    log.with_suffix(".err").touch()
    process = loaded().Process(target=_run, args=(folder, arguments, log, before, variables or {}))
    process.start()
    return Running(process, folder, log)


def run(folder: Path, *arguments: str, **options: Any) -> Ended:
    """Run ``sweep`` in a folder to its end."""
    return start(folder, *arguments, **options).wait()


def loaded() -> multiprocessing.context.ForkServerContext:
    """Return the context whose processes have the libraries; each test process has one server of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _run(
    folder: Path, arguments: tuple[str, ...], log: Path, before: tuple[Any, ...], variables: dict[str, str]
) -> None:
    """Become the command, as ``python -m sweep`` would be it."""
    os.setsid()
    os.chdir(folder)
    sys.modules["__main__"] = importlib.import_module("sweep.__main__")
    for descriptor, path in (
        (0, Path(os.devnull)),
        (1, log.with_suffix(".out")),
        (2, log.with_suffix(".err")),
    ):
        opened = os.open(path, os.O_RDWR | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.pop("SWEEP_STORAGE", None)
    os.environ |= {"CUDA_VISIBLE_DEVICES": "", "SWEEP_LEDGER": str(folder / "ledger.jsonl"), **variables}
    sys.argv = ["sweep", *arguments]
    warm_python.install()
    if before:
        before[0](*before[1:])
    from sweep.cli import main

    try:
        sys.exit(main(arguments))
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001  what the interpreter would print is looked for
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def wait_for(holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> bool:
    """Look every few milliseconds; say whether it came to hold before the deadline."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.003)
    return True
