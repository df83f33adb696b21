"""Scripts of every bad habit, started under a supervisor and watched from outside."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from sweep.trainers.program.process.supervised import Supervised
from tests.support.sweep_command import is_alive, wait_until

SOON_S = 30
"""What takes a moment, on a busy machine too."""

TELL = """
import os, signal, subprocess, sys, time
def tell():
    with open("pids", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""
"""Begins each script: ``tell`` notes a process, so that the test can look whether it lives."""


def script(folder: Path, text: str) -> list[str]:
    """Write a script and return the command that runs it."""
    path = folder / "script.py"
    path.write_text(TELL + text)
    return [sys.executable, str(path)]


def supervise(
    folder: Path,
    argv: list[str],
    grace: float = 5,
    output: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Supervised:
    """Start a command in a folder; its output goes to /dev/null unless a descriptor is given."""
    with open(os.devnull, "w") as null:
        fd = null.fileno() if output is None else output
        return Supervised(argv, cwd=folder, env=env or dict(os.environ), grace=grace, stdout=fd, stderr=fd)


def pids(folder: Path, n: int) -> list[int]:
    """Return the processes of a script, as soon as so many have told that they run."""
    path = folder / "pids"

    def told() -> list[int]:
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    assert wait_until(lambda: len(told()) >= n, SOON_S)
    return told()


def all_ended(processes: list[int], deadline_s: float = SOON_S) -> bool:
    """Say whether none of the processes lives, at the latest at the deadline."""
    return wait_until(lambda: not any(map(is_alive, processes)), deadline_s)
