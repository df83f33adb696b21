"""The command line as tests call it: its complaint, an export, and a process or terminal of its own."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.small_study import (
    environment,
)
from tests.support.sweep_command import DEADLINE_S

Capture = pytest.CaptureFixture[str]

SWEEP = f"{shlex.quote(sys.executable)} -m sweep"
"""The command as a shell reads it."""


def untitled(told: str) -> list[str]:
    """Return the lines that a command wrote to stderr without the title of the run that it begins."""
    lines = told.splitlines()
    return lines[1:] if lines and lines[0].startswith("study ") else lines


def complaint(capsys: Capture) -> str:
    """Return the one line on stderr that says what is wrong; only a run's title may be written before it."""
    written = capsys.readouterr()
    assert written.out == ""
    lines = untitled(written.err)
    assert len(lines) == 1, written.err
    assert lines[0].startswith("sweep: ")
    return lines[0]


def exported(capsys: Capture, *arguments: str) -> str:
    """Export the best trial of ``small``, or another, and return the file's path."""
    path = "reports/small/best.toml"
    assert main(["export", "small", "--force", "-o", path, *arguments]) == 0
    capsys.readouterr()
    return path


def start(folder: Path, *arguments: str, beginning: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start ``sweep``, perhaps by another program that begins its line, and do not wait for its end."""
    return subprocess.Popen(
        [*beginning, sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read stderr until a line holds ``text``."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"the process ended without {text!r}")


def in_terminal(
    folder: Path,
    arguments: list[str],
    *,
    columns: int = 80,
    answer: tuple[str, str] | None = None,
    status: int = 0,
    **variables: str,
) -> str:
    """Run ``sweep`` on a terminal of its own and return what it shows; ``answer`` is (prompt, keys)."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    fcntl, termios, struct = (pytest.importorskip(name) for name in ("fcntl", "termios", "struct"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(TERM="xterm-256color", **{k: v for k, v in variables.items() if v}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    for part in read_terminal(ours):
        shown += part
        if answer and answer[0] in shown:
            os.write(ours, answer[1].encode())
            answer = None
    os.close(ours)
    assert process.wait(timeout=DEADLINE_S) == status, shown
    return shown.replace("\r\n", "\n")


def read_terminal(descriptor: int) -> Iterator[str]:
    """Yield what appears on a terminal until its programs have ended."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # how Linux tells that the other side is closed
            return
        if not part:
            return
        yield part.decode(errors="replace")
