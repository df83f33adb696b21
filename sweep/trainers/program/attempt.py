"""Prepare and lock the folder of a trial before its program starts, perhaps for another attempt.

A program whose worker died may still be in its grace period while the trial restarts elsewhere. So the
starter of a program locks the folder and passes the lock to the supervisor; the next attempt waits for it.
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
"""Seconds after the grace period at which a process that still holds the lock counts as hanging."""

_LARGEST_LOG = 1 << 26
"""Most bytes of an earlier attempt's reports that are read."""

LOCK = "lock"
"""Name of the file in a trial's folder that is locked while its program lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The state of a trial's folder when its program starts."""

    lock: int
    """Descriptor of the folder's lock, which is released when this and all its copies are closed."""
    is_resumed: bool = False
    """Whether the checkpoint folder is a complete copy of an earlier attempt's."""
    earlier: list[Report] = field(default_factory=list)
    """The earlier attempt's reports, by increasing step."""


def begin_attempt(
    folder: TrialFolder, *, is_first: bool, keeps_checkpoint: bool, grace_s: float, since: int = 0
) -> Attempt:
    """Prepare a trial's folder: empty, or with the newest complete copy of its checkpoint.

    Args:
        folder: The trial's folder.
        is_first: Whether there was no earlier attempt, so that any content is removed.
        keeps_checkpoint: Whether the program can resume from its checkpoint.
        grace_s: Seconds that the program of an earlier attempt has to exit.
        since: The step from which a task class resumes; the reports up to it still hold.

    Raises:
        MachineError: If an earlier attempt does not exit.
        StorageError: If the folder is a link, or belongs to another user.
        OSError: If the folder cannot be written.
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
    kept = [report for report in earlier if is_resumed or 0 < (report.step or 0) <= since]
    return Attempt(lock=lock, is_resumed=is_resumed, earlier=kept)


def lock_folder(folder: TrialFolder, patience_s: float = PATIENCE_S) -> int:
    """Lock a folder and return the descriptor of the lock.

    Raises:
        MachineError: If another program does not release the lock.
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
    """Yield the readable reports of an earlier attempt; the file is untrusted, since a program wrote it."""
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
    """Remove all entries of a trial's folder except ``kept``; no link is followed."""
    for path in folder.path.iterdir():
        if path.name in kept:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
