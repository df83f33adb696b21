"""How is ``sweep`` started some hundred times without paying for its imports each time?

Forked from a server process that has loaded the libraries and nothing else (``warm_python``), so that what
runs is the command itself, with its own process group, output files and workers. Only such a process can be
given a place where it kills itself; the product has no such place.
"""

import base64
import contextlib
import dataclasses
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import warm_python
from tests.support.sweep_command import DEADLINE_S, children, kill, workers

Preparation = Callable[..., None]
"""Called in the new process before the command: a function of a module, with plain arguments."""


@dataclasses.dataclass(slots=True)
class Running:
    """A command that was started."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    log: Path
    """Without its ending: ``.out`` and ``.err`` hold what the command wrote."""

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self, timeout: float = DEADLINE_S) -> "Ended":
        """Wait for its end; a command that hangs is killed, and its status is None."""
        hung = False
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            hung = True
            for pid in [*self.workers(), *children(self.pid), self.pid]:
                kill(pid)
            self.process.wait()
        status = None if hung else self.process.returncode
        if status is not None and status < 0 and status != -signal.SIGKILL:
            status = 128 - status  # as a shell tells the end by a signal
        return Ended(
            status, self.log.with_suffix(".out").read_text(), self.log.with_suffix(".err").read_text()
        )

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass, or less if it ends."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        kill(self.pid)
        self.process.wait()

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
    asked = base64.b64encode(pickle.dumps((arguments, before))).decode()
    own = {"CUDA_VISIBLE_DEVICES": "", "SWEEP_LEDGER": str(folder / "ledger.jsonl"), **(variables or {})}
    environment = {key: value for key, value in os.environ.items() if key != "SWEEP_STORAGE"} | own
    with log.with_suffix(".out").open("ab") as out, log.with_suffix(".err").open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", warm_python.LAUNCHED, asked],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    return Running(process, folder, log)


def run(folder: Path, *arguments: str, **options: Any) -> Ended:
    """Run ``sweep`` in a folder to its end."""
    return start(folder, *arguments, **options).wait()


def loaded() -> multiprocessing.context.ForkServerContext:
    """Return a context whose processes have loaded the database; each test process has one server of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sweep.storage.database", "sweep.storage.study_store"])
    return context


def main() -> None:
    """Become the command, as ``python -m sweep`` would be it; the argument is what ``start`` was given."""
    arguments, before = pickle.loads(base64.b64decode(sys.argv[1]))  # noqa: S301  ours
    sys.argv = ["sweep", *arguments]
    if before:
        before[0](*before[1:])
    from sweep.cli import main

    sys.exit(main(arguments))


def wait_for(holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> bool:
    """Look every few milliseconds; say whether it came to hold before the deadline."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.003)
    return True
