"""Store the database's files in a folder; ``bucket`` stores them in a bucket.

Both have the interface ``Folder``: files are written complete, and are read, listed and removed by name.
"""

import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Protocol

import filelock

from sweep.storage.files import TEMPORARY, open_plain, refuse_unless, write_all_atomically

LOCK = "driver."
"""Prefix of the names of files about a study's folder, its driver's lock and its owner's mark.

They are never listed, copied or cleared.
"""


class Folder(Protocol):
    """A folder of files and subfolders."""

    @property
    def where(self) -> str:
        """The folder's name in messages."""

    def __truediv__(self, name: str) -> "Folder":
        """Return a subfolder, which is not created yet."""

    def open(self) -> None:
        """Prepare the folder for writing.

        Raises:
            OSError: If files cannot be written.
        """

    def names(self) -> list[str]:
        """Return the sorted names of all files; those in subfolders are ``FOLDER/NAME``."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is no such file."""

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears complete, in the given order."""

    def remove(self, names: Collection[str]) -> None:
        """Remove files, and temporary files of killed writers."""

    def clear(self) -> None:
        """Remove all files."""

    def overlaps(self, other: "Folder") -> bool:
        """Return whether a file can be in both folders: they are the same, or one lies inside the other."""


class LocalFolder:
    """A folder on this machine or a shared file system.

    The top folder may be a link. Below it, only regular files and folders are allowed: a link, a pipe or a
    device is refused, or removed itself by ``clear``. Each use checks every folder of the path and opens a
    file without following a link. Anyone who can write in the folder can still replace a folder of the path
    between check and use. Files are not synced to the disk one by one.
    """

    def __init__(self, root: Path, below: tuple[str, ...] = ()) -> None:
        """Set the top folder and the names of the subfolders below it; nothing is created yet."""
        self.path = root.joinpath(*below)
        self._root, self._below = root, below

    @property
    def where(self) -> str:
        """The folder's path."""
        return str(self.path)

    def __truediv__(self, name: str) -> "LocalFolder":
        """Return a subfolder."""
        return LocalFolder(self._root, (*self._below, *PurePath(name).parts))

    def open(self) -> None:
        """Create the folder if it is missing."""
        self._checked().mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of all files; see ``Folder``.

        Raises:
            StorageError: If the folder contains anything but regular files and folders.
        """
        start = self._checked()
        return sorted(path.relative_to(start).as_posix() for path in _files_below(start))

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is no such file."""
        try:
            with open_plain(self._checked() / name) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears complete, in the given order."""
        self.open()
        write_all_atomically(self.path, contents, push=False)

    def remove(self, names: Collection[str]) -> None:
        """Remove files, and temporary files of killed writers."""
        folder = self._checked()
        for path in [*(folder / name for name in names), *folder.glob(f"{TEMPORARY}*")]:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all files except the driver's lock, which is being held, and the owner's mark."""
        folder = self._checked()
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)  # follows no link
            elif not path.name.startswith(LOCK):
                path.unlink(missing_ok=True)

    def overlaps(self, other: Folder) -> bool:
        """Return whether a file can be in both folders, also if links or mounts give them other paths."""
        if not isinstance(other, LocalFolder):
            return False
        mine, theirs = (Path(os.path.realpath(folder.path)) for folder in (self, other))
        return _is_inside(mine, theirs) or _is_inside(theirs, mine)

    def lock(self, name: str, timeout_s: float) -> filelock.BaseFileLock:
        """Return a lock on a file, creating folder and file; the lock ends with its process.

        Args:
            name: Name of the file; it begins with ``LOCK`` or a dot, so that it is not copied.
            timeout_s: Seconds to wait for another process when acquiring the lock.
        """
        self.open()
        refuse_unless(stat.S_ISREG, self.path / name)
        return filelock.FileLock(self.path / name, timeout=timeout_s)

    def _checked(self) -> Path:
        """Return the path; refuse it if a part of it exists and is not a folder."""
        path = self._root
        for name in self._below:
            path /= name
            refuse_unless(stat.S_ISDIR, path)
        return self.path


def _is_inside(path: Path, folder: Path) -> bool:
    """Return whether a path is that of a folder, or of anything below it; neither need exist."""
    return any(_is_same(each, folder) for each in (path, *path.parents))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist yet
        return one == other


def _files_below(start: Path) -> Iterator[Path]:
    """Yield the regular files of a folder and its subfolders; refuse anything else."""
    for folder, folders, files in os.walk(start):
        for path in (Path(folder, name) for name in folders):
            refuse_unless(stat.S_ISDIR, path)
        for path in (Path(folder, name) for name in files if not name.startswith((TEMPORARY, LOCK))):
            refuse_unless(stat.S_ISREG, path)
            yield path


def copy_files(source: Folder, target: Folder) -> None:
    """Replace the content of the target by copies of all files."""
    target.clear()
    for name in source.names():
        folder, _, file = name.rpartition("/")
        content = source.read(name)
        if content is not None:
            (target / folder).write({file: content})
