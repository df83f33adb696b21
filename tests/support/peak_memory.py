"""How much memory does a piece of work need at its peak?"""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_bytes(work: Callable[[], object]) -> int:
    """Return by how much the resident memory of this process grows at most while ``work`` runs."""
    gc.collect()
    try:
        _RESET.write_text("5")  # Linux: the peak becomes what is resident now
    except OSError:
        pytest.skip("the peak of this process's memory cannot be reset here")
    before = status_bytes("VmRSS")
    work()
    return status_bytes("VmHWM") - before


def status_bytes(key: str, status: Path = _STATUS) -> int:
    """Return one of the sizes that Linux reports of a process, in bytes."""
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024
