"""Keep complete copies of a program's checkpoint folder.

A program writes its checkpoints at any time, and may be killed while it does so. A copy counts as complete if
nothing in the folder changed for a while before copying began, nor until it ended. Copies are beside the
folder as ``checkpoint.N``; the newest two are kept.
"""

import os
import re
import shutil
import stat
import time
from pathlib import Path

from sweep.errors import MachineError
from sweep.storage.files import refuse_unless

QUIET_S = 1.0
"""Seconds without changes in the folder before it is copied."""

_KEPT = 2
_PART = ".part"


class Snapshots:
    """The complete copies of one checkpoint folder."""

    def __init__(self, checkpoint: Path, quiet_s: float = QUIET_S) -> None:
        """Initialize with the program's folder, and the seconds without changes before a copy."""
        self._checkpoint, self._quiet_s = checkpoint, quiet_s
        self._copied: object = None

    def take(self, *, has_ended: bool = False) -> bool:
        """Copy the folder, unless it is empty, is being written, or equals the last copy.

        Do not call it after the program was killed, when half-written files would soon look finished. A
        folder that is written without a pause, such as one with a log, is not copied before the end.

        Args:
            has_ended: Whether the program has exited without being killed, so that nothing is being written.

        Returns:
            Whether a copy was made. A link is copied as a link.

        Raises:
            StorageError: If the folder was replaced by something that is not a folder.
            MachineError: If the disk has no room for a copy.
        """
        before = self._looked_at()
        if not before or before == self._copied or (not has_ended and self._is_fresh(before)):
            return False
        self._refuse_if_full(before)
        part = self._checkpoint.with_name(f"{self._checkpoint.name}{_PART}")
        shutil.rmtree(part, ignore_errors=True)
        try:
            shutil.copytree(self._checkpoint, part, symlinks=True)
        except shutil.Error:  # a file went away, or is a pipe
            shutil.rmtree(part, ignore_errors=True)
            return False
        if self._looked_at() != before:
            shutil.rmtree(part, ignore_errors=True)
            return False
        os.replace(part, self._numbered(max(self._numbers(), default=0) + 1))
        self._copied = before
        self._remove_old()
        return True

    def restore(self) -> bool:
        """Reset the checkpoint folder to the newest copy, or empty it; return whether there is a copy."""
        refuse_unless(stat.S_ISDIR, self._checkpoint)
        shutil.rmtree(self._checkpoint, ignore_errors=True)
        newest = max(self._numbers(), default=None)
        if newest is None:
            self._checkpoint.mkdir(mode=0o700)
            return False
        shutil.copytree(self._numbered(newest), self._checkpoint, symlinks=True)
        return True

    def remove(self) -> None:
        """Remove all copies."""
        for path in self.paths():
            shutil.rmtree(path)

    def paths(self) -> list[Path]:
        """Return the copies, oldest first."""
        return [self._numbered(number) for number in self._numbers()]

    def _numbered(self, number: int) -> Path:
        return self._checkpoint.with_name(f"{self._checkpoint.name}.{number}")

    def _numbers(self) -> list[int]:
        """Return the numbers of the copies, increasing."""
        name = re.compile(re.escape(self._checkpoint.name) + r"\.([0-9]{1,9})")
        found = (name.fullmatch(path.name) for path in self._checkpoint.parent.iterdir() if _is_folder(path))
        return sorted(int(match[1]) for match in found if match)

    def _remove_old(self) -> None:
        for number in self._numbers()[:-_KEPT]:
            shutil.rmtree(self._numbered(number))

    def _looked_at(self) -> dict[str, tuple[int, ...]]:
        """Return name -> kind, inode, size and change time of all entries of the folder."""
        refuse_unless(stat.S_ISDIR, self._checkpoint)
        found: dict[str, tuple[int, ...]] = {}
        for folder, folders, files in os.walk(self._checkpoint):
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                try:
                    status = os.lstat(path)
                except FileNotFoundError:
                    found[path] = (time.time_ns(),)  # differs from any later state
                    continue
                found[path] = (status.st_mode, status.st_ino, status.st_size, status.st_ctime_ns)
        return found

    def _refuse_if_full(self, seen: dict[str, tuple[int, ...]]) -> None:
        """Refuse if the disk lacks room: ``copytree`` reports a full disk like a missing file."""
        size = sum(entry[2] for entry in seen.values() if len(entry) > 2)
        free = shutil.disk_usage(self._checkpoint).free
        if free < size:
            where, need = self._checkpoint, f"{size:,} bytes and {free:,} are free"
            raise MachineError(f"no room for a copy of {where}, which needs {need}; free some space")

    def _is_fresh(self, seen: dict[str, tuple[int, ...]]) -> bool:
        newest_ns = max(entry[-1] for entry in seen.values())
        return time.time_ns() - newest_ns < self._quiet_s * 1e9


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)
