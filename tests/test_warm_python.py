"""A command that is forked from a loaded process does what one with an interpreter of its own does."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import warm_python
from tests.support.small_study import environment

pytestmark = pytest.mark.skipif(
    not warm_python.is_there(), reason="only several test processes share a server"
)


def ended(folder: Path, arguments: Sequence[str], **variables: str) -> tuple[int, str, str]:
    """Return the status of a command, and what it wrote to stdout and stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_command_of_the_tests_is_forked() -> None:
    """No module that is collected changes what an interpreter reads at its start; else all are cold."""
    assert warm_python._is_ours([sys.executable, "-m", "sweep"], environment())


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--version"], 0),
        (["tabel"], 2),
        (["table", "small"], 0),
        (["table", "gone"], 1),
        (["export", "small", "-o", "best.toml", "--force"], 0),
    ],
    ids=["an option", "an unknown command", "a table", "an unknown study", "an export"],
)
def test_it_prints_and_ends_as_a_cold_one(arguments: list[str], status: int, small: Path) -> None:
    """The same status, and the same text on both streams."""
    warm = ended(small, arguments)
    with warm_python.cold():
        assert warm == ended(small, arguments)
    assert warm[0] == status


def test_it_has_the_folder_the_umask_and_the_variables_of_its_start(small: Path) -> None:
    """A file that it writes shows the folder and the mask; the database is that of the variable."""
    before = os.umask(0o027)
    try:
        assert ended(small, ["export", "small", "-o", "best.toml"])[0] == 0
    finally:
        os.umask(before)
    assert (small / "best.toml").stat().st_mode & 0o777 == 0o640
    assert ended(small, ["list"], SWEEP_STORAGE="sqlite:///gone.db")[0] == 1


def test_it_ignores_what_was_ignored_at_its_start() -> None:
    """As in a job that a shell runs in the background, to which Ctrl-C does not apply."""
    own = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert _handlers("SIGINT", "SIGTERM", "SIGPIPE") == ["ignored", "default", "ignored"]
    finally:
        signal.signal(signal.SIGINT, own)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert "default_int_handler" in _handlers("SIGINT")[0]
    finally:
        signal.signal(signal.SIGINT, own)


def _handlers(*names: str) -> list[str]:
    """Return what a forked process and a cold one do with some signals."""
    code = f"""if True:
        import signal
        named = {{signal.SIG_IGN: "ignored", signal.SIG_DFL: "default"}}
        for name in {names}:
            handler = signal.getsignal(getattr(signal, name))
            print(named.get(handler, handler))
    """
    warm = _printed(code)
    with warm_python.cold():
        assert warm == _printed(code)
    return warm.splitlines()


def _printed(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-"], input=code, env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_signal_ends_it_with_the_signals_status(small: Path) -> None:
    """As ``waitpid`` tells of a child."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", "dashboard", "--port", "0"],
        cwd=small,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stderr.readline()  # it is at work
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
