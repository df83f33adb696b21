"""The command dashboard."""

import re
import signal
from pathlib import Path

from tests.support.command_line import (
    start,
)
from tests.support.small_study import (
    sweep,
)
from tests.support.sweep_command import DEADLINE_S


def test_the_dashboard_ends_on_ctrl_c(small: Path) -> None:
    """The dashboard prints its address, serves, and ends with 130."""
    server = start(small, "dashboard", "--port", "0")
    assert server.stdout is not None
    address = server.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", address)
    taken = sweep(small, "dashboard", "--port", address.rstrip("/\n").rpartition(":")[2])
    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=DEADLINE_S)
    assert taken.returncode == 3
    assert re.fullmatch(
        r"sweep: port \d+: Address already in use; choose another with --port\n", taken.stderr
    )
    assert server.returncode == 130
    assert "Traceback" not in complaints
