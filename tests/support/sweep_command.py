"""The product as a user runs it: ``python -m sweep`` in a folder, watched from outside."""

import contextlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sweep.cli import main
from tests.support.warm_python import started_by

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE_S = 600
"""After this long a process that a test waits for counts as hanging, on a busy machine too."""


def write_words(path: Path, n: int = 300, seed: int = 1) -> list[str]:
    """Write ``n`` words over a to j and return them."""
    draw = random.Random(seed)  # noqa: S311  no secret
    words = ["".join(draw.choices("abcdefghij", k=draw.randint(3, 7))) for _ in range(n)]
    path.write_text("\n".join(words) + "\n")
    return words


def start_sweep(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``sweep`` in ``folder``, in a process group of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "SWEEP_STORAGE"}
    environment["PYTHONPATH"] = str(REPOSITORY)
    environment["CUDA_VISIBLE_DEVICES"] = ""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def sweep(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``sweep`` in ``folder`` to its end."""
    process = start_sweep(folder, *arguments)
    try:
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def table(folder: Path, study: str) -> list[dict[str, Any]]:
    """Return the rows of ``sweep table`` without the seconds, which are never the same."""
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        status = main(["table", study, "--format", "json", "--storage", f"sqlite:///{database(folder)}"])
    assert status == 0
    return [
        {key: value for key, value in row.items() if key != "train_seconds"}
        for row in json.loads(stdout.getvalue())
    ]


def wait_until(holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> bool:
    """Look every few milliseconds; say whether it came to hold before the deadline."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def children(pid: int) -> list[int]:
    """Return the living child processes."""
    found = [int(child) for text in _of_threads(pid, "children") for child in text.split()]
    return [child for child in found if is_alive(child)]


def workers(pid: int) -> list[int]:
    """Return the children that train, not the one that tracks shared memory."""
    found = []
    for child in children(pid):
        with contextlib.suppress(OSError):
            if b"sweep.execution.pools.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found + [child for child in started_by(pid) if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that ended and was not waited for does not.

    A process that was killed can still have threads that are about to end after its first one has ended;
    until then its parent is not told.
    """
    return any(text.rpartition(")")[2].split()[0] not in "ZX" for text in _of_threads(pid, "stat"))


def _of_threads(pid: int, name: str) -> Iterator[str]:
    """Yield a file of each thread of a process; the process or a thread may end at any time."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                yield Path(f"/proc/{pid}/task/{thread}/{name}").read_text()


def kill(pid: int) -> None:
    """Kill -9."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def database(folder: Path) -> Path:
    return folder / "studies" / "sweep.db"


@contextlib.contextmanager
def rows(folder: Path) -> Iterator[sqlite3.Connection]:
    """Read the database past the product."""
    with contextlib.closing(
        sqlite3.connect(f"file:{database(folder)}?mode=ro", uri=True, timeout=60)
    ) as connection:
        yield connection


def stored_segments(folder: Path) -> int:
    """Return how many segments the database of a running sweep knows; 0 where it cannot be asked yet."""
    query = "SELECT value_json FROM trial_system_attributes WHERE key = 'sweep:segments'"
    try:
        with rows(folder) as connection:
            return sum(len(json.loads(value)) for (value,) in connection.execute(query))
    except sqlite3.Error:
        return 0


def count_trials(folder: Path) -> int:
    """Return how many trials the database of a running sweep has; 0 where it cannot be asked yet."""
    try:
        return len(states(folder))
    except sqlite3.Error:
        return 0


def states(folder: Path) -> list[str]:
    """Return the states of all trials as Optuna stores them, by number."""
    with rows(folder) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM trials ORDER BY number")]


def wait_for_segments(is_at_work: Callable[[], bool], folder: Path, more: int = 1) -> bool:
    """Wait for so many newly stored segments; return whether the process is still at work.

    Raises:
        AssertionError: If neither they nor the end of the process came: it hangs.
    """
    wanted = stored_segments(folder) + more
    assert wait_until(lambda: not is_at_work() or stored_segments(folder) >= wanted)
    return is_at_work()
