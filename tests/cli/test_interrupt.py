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
