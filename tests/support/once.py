"""Work that several test processes share: whoever needs it first does it, the others wait for it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` fills once a run of the tests, however many processes ask for it.

    What is made must lie in the folder whole, since another process may be the one that reads it.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # each process has a folder of its own within that of the run
        base = base.parent
    folder, whole = base / name, base / f"{name}.whole"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go with the file, also by a process that was killed
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one that failed halfway
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder
