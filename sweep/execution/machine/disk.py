"""Check that the disk has room for the files of another trial's program."""

import contextlib
import os
import re
import shutil
import stat
from pathlib import Path

from sweep.errors import MachineError, SweepError
from sweep.execution.gate import Check


def enough_disk(folder: Path) -> Check:
    """Return a check that the disk has room for two more trials of the largest size so far.

    Args:
        folder: The study's folder of programs, which contains a folder for each trial.
    """
    sizes: dict[str, int] = {}

    def check() -> SweepError | None:
        found = trial_folders(folder)
        newest = {path.name for path in found[-_MAY_GROW:]}
        for path in found:
            if path.name not in sizes or path.name in newest:
                sizes[path.name] = folder_bytes(path)
        largest = max(sizes.values(), default=0)
        free = shutil.disk_usage(folder).free if found else 0
        return _disk_error(folder, largest, free) if found and free < 2 * largest else None

    return check


_MAY_GROW = 64
"""Number of the newest folders that are measured again, because their trials may be in training."""


_TRIAL = re.compile(r"[0-9]+")
"""Name of a trial's folder. The study's folder also contains those of its confirmation and of its tests."""


def trial_folders(folder: Path) -> list[Path]:
    """Return the folders of a study's trials, in the order of their numbers.

    Args:
        folder: The study's folder of programs; it need not exist.
    """
    found = folder.iterdir() if folder.is_dir() else ()
    trials = [path for path in found if _TRIAL.fullmatch(path.name) and path.is_dir()]
    return sorted(trials, key=lambda path: int(path.name))


def _disk_error(folder: Path, largest: int, free: int) -> MachineError:
    return MachineError(
        f"{folder}: {free:,} bytes are free, less than twice the {largest:,} bytes of the largest trial; "
        "no further trial was started; free some space and run the same command to resume",
        key="disk-full",
    )


def folder_bytes(folder: Path) -> int:
    """Return the size of all regular files below a folder, in bytes; no link is followed."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(FileNotFoundError):  # the program removed the file meanwhile
                status = os.lstat(os.path.join(path, name))
                total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total
