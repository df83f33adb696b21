"""Signals while a sweep runs: the first is remembered, a later one ends the process at once."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys, time
from sweep.cli.interrupt import StopSignal

with StopSignal(before_exit=lambda: os.write(1, b"left at once")) as stop:
    for number, seconds in zip(sys.argv[1::2], sys.argv[2::2]):
        time.sleep(float(seconds))
        os.kill(os.getpid(), int(number))
    print(f"left with {stop.exit_status}", end="")
"""

AFTERWARDS = """
import os, sys, time
from sweep.cli.interrupt import StopSignal

with StopSignal() as stop:
    os.kill(os.getpid(), int(sys.argv[1]))
time.sleep(float(sys.argv[3]))
os.kill(os.getpid(), int(sys.argv[2]))
print("said how to go on", end="")
"""


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("apart_s", [0, 0.8])
def test_a_second_signal_counts_if_it_is_another_wish(
    first: signal.Signals, second: signal.Signals, apart_s: float
) -> None:
    """``timeout`` sends its signal twice within a moment: to the process, and to its group."""
    signals = [str(int(first)), "0", str(int(second)), str(apart_s)]
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *signals], capture_output=True, text=True, check=False
    )
    expected = ("left at once", 128 + second) if apart_s else (f"left with {128 + first}", 0)
    assert (ended.stdout, ended.returncode) == expected


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("apart_s", [0, 0.8])
def test_a_second_signal_may_come_when_the_run_has_left(
    first: signal.Signals, second: signal.Signals, apart_s: float
) -> None:
    """A run that leaves at once has its last lines to print when the same wish comes again."""
    signals = [str(int(first)), str(int(second)), str(apart_s)]
    ended = subprocess.run(
        [sys.executable, "-c", AFTERWARDS, *signals], capture_output=True, text=True, check=False
    )
    expected = ("", 128 + second) if apart_s else ("said how to go on", 0)
    assert (ended.stdout, ended.returncode) == expected


IGNORING = {
    "nohup": (["nohup"], {signal.SIGHUP}),
    "in the background": (["sh", "-c", '"$@" & wait $!', "sh"], {signal.SIGINT}),
    "trap": (["sh", "-c", "trap '' TERM; exec \"$@\"", "sh"], {signal.SIGTERM}),
    "plain": ([], set()),
}
"""How a program is started -> the beginning of its line, and the signals that it ignores from then on."""


@pytest.mark.parametrize("way", IGNORING)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_was_ignored_at_the_start_stays_ignored(way: str, number: signal.Signals) -> None:
    """``nohup`` and a script's ``&`` ask for that; the other signals stop the run as ever."""
    beginning, ignored = IGNORING[way]
    command = [*beginning, sys.executable, "-c", PROGRAM, str(int(number)), "0"]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    status = 0 if number in ignored else 128 + number
    assert (ended.stdout, ended.returncode) == (f"left with {status}", 0), ended.stderr
