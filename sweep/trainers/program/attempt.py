"""The folder of a trial whose program is about to start, perhaps not for the first time.

A program whose worker died may still have its grace while the trial starts again elsewhere. So whoever starts
a program holds the folder's lock, and hands it on to what ends the program; the next attempt waits for it.
"""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sweep.errors import MachineError
from sweep.storage.files import open_plain
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.reports import Report, parse_report
from sweep.trainers.program.snapshots import Snapshots

PATIENCE_S = 20.0
"""Beyond the grace; what still holds the lock then hangs."""

_LARGEST_LOG = 1 << 26
"""Bytes of an earlier attempt's reports that are read at most."""

LOCK = "lock"
"""Name of the file in a trial's folder that is locked as long as its program lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What a program finds in its folder."""

    lock: int
    """Descriptor that holds the folder's lock until it and all its copies are closed."""
    is_resumed: bool = False
    """Whether the checkpoint folder is a whole copy of an earlier attempt's."""
    earlier: list[Report] = field(default_factory=list)
    """What that attempt reported, by rising step."""


def begin_attempt(folder: TrialFolder, *, is_first: bool, keeps_checkpoint: bool, grace_s: float) -> Attempt:
    """Make a trial's folder ready: as new, or with the newest whole copy of its checkpoint.

    Args:
        folder: The trial's.
        is_first: Whether no attempt has been before, so that whatever lies there is of no use.
        keeps_checkpoint: Whether the program can go on from its checkpoint.
        grace_s: Seconds that the program of an earlier attempt has to end.

    Raises:
        MachineError: If an earlier attempt does not end.
        StorageError: If the folder is a link, or another user's.
        OSError: If it cannot be written.
    """
    folder.make()
    lock = lock_folder(folder, grace_s + PATIENCE_S)
    try:
        snapshots = Snapshots(folder.checkpoint)
        if is_first or not keeps_checkpoint:
            snapshots.remove()
        earlier = list(_earlier_reports(folder))
        is_resumed = snapshots.restore()
        _empty(folder, kept={LOCK, *(path.name for path in (folder.checkpoint, *snapshots.paths()))})
    except BaseException:
        os.close(lock)
        raise
    return Attempt(lock=lock, is_resumed=is_resumed, earlier=earlier if is_resumed else [])


def lock_folder(folder: TrialFolder, patience_s: float = PATIENCE_S) -> int:
    """Return a descriptor that holds a folder's lock.

    Raises:
        MachineError: If another program does not let go of it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(folder.path / LOCK, flags, 0o600)
    end = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > end:
                os.close(lock)
                raise MachineError(
                    f"an earlier attempt of the trial still runs in {folder.path}; end its processes"
                ) from None
        time.sleep(0.02)


def _earlier_reports(folder: TrialFolder) -> Iterator[Report]:
    """Yield what an earlier attempt has reported, as far as it can be read; a program may change it."""
    with contextlib.suppress(FileNotFoundError), open_plain(folder.reports) as file:
        last = -1
        for line in file.read(_LARGEST_LOG).split(b"\n"):
            try:
                report = parse_report(line)
            except ValueError:
                continue
            seconds = report.values.get("seconds", 0.0)
            values = {name: value for name, value in report.values.items() if name != "seconds"}
            if report.step is not None and report.step > last and values:
                last = report.step
                yield Report(step=last, values=values, seconds=seconds)


def _empty(folder: TrialFolder, kept: set[str]) -> None:
    """Remove all but some entries of a trial's folder; no link is followed."""
    for path in folder.path.iterdir():
        if path.name in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
