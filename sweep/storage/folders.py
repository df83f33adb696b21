"""Where do files stand that the database speaks of: in a folder, or in a bucket (``bucket``)?

Both are used alike: files have names, are written whole, and are read, listed and removed by name.
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
"""How the names of the files begin that say who runs a study; they are nobody's to copy or remove."""


class Folder(Protocol):
    """A folder of files, with folders below it."""

    @property
    def where(self) -> str:
        """What it is called in messages."""

    def __truediv__(self, name: str) -> "Folder":
        """Return a folder below; nothing is made yet."""

    def open(self) -> None:
        """Make sure that files can be written.

        Raises:
            OSError: If they cannot.
        """

    def names(self) -> list[str]:
        """Return the names of all files, those in folders below as ``FOLDER/NAME``, in order."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears whole, in the order given."""

    def remove(self, names: Collection[str]) -> None:
        """Remove files, and what a kill in mid-write left."""

    def clear(self) -> None:
        """Remove everything in it."""


class LocalFolder:
    """A folder of this machine, or of a file system that it shares with others.

    The folder at the top may be reached by a link. Below it are plain files and folders only: a link, a pipe
    or a device there is refused, or removed as itself by ``clear``. Each use looks at every folder on the way
    and opens a file without following a link at its name. Whoever can write in the folder can still exchange
    a folder on the way between the look and the use. Files are not pushed to the disk one by one.
    """

    def __init__(self, root: Path, below: tuple[str, ...] = ()) -> None:
        """Take the folder at the top and the names of those on the way down; nothing is made yet."""
        self.path = root.joinpath(*below)
        self._root, self._below = root, below

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.path)

    def __truediv__(self, name: str) -> "LocalFolder":
        """Return a folder below."""
        return LocalFolder(self._root, (*self._below, *PurePath(name).parts))

    def open(self) -> None:
        """Make it where it is missing."""
        self._checked().mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of all files; see ``Folder``.

        Raises:
            StorageError: If there is something else than plain files and folders.
        """
        start = self._checked()
        return sorted(path.relative_to(start).as_posix() for path in _files_below(start))

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        try:
            with open_plain(self._checked() / name) as file:
                return file.read()
        except FileNotFoundError:
            return None

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears whole, in the order given."""
        self.open()
        write_all_atomically(self.path, contents, push=False)

    def remove(self, names: Collection[str]) -> None:
        """Remove files, and what a kill in mid-write left."""
        folder = self._checked()
        for path in [*(folder / name for name in names), *folder.glob(f"{TEMPORARY}*")]:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything in it but who runs the study, since that is being held."""
        folder = self._checked()
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)  # which follows no link
            elif not path.name.startswith(LOCK):
                path.unlink(missing_ok=True)

    def lock(self, name: str, timeout_s: float) -> filelock.BaseFileLock:
        """Return a lock on a file of that name; both are made, and the lock ends with its process.

        Args:
            name: Of the file; it begins with ``LOCK`` or a dot, so that it is nobody's to copy.
            timeout_s: How long taking the lock waits for another process.
        """
        self.open()
        refuse_unless(stat.S_ISREG, self.path / name)
        return filelock.FileLock(self.path / name, timeout=timeout_s)

    def _checked(self) -> Path:
        """Return the path, unless something on the way to it is there and no folder."""
        path = self._root
        for name in self._below:
            path /= name
            refuse_unless(stat.S_ISDIR, path)
        return self.path


def _files_below(start: Path) -> Iterator[Path]:
    """Yield the plain files of a folder and of those below it; refuse what is neither."""
    for folder, folders, files in os.walk(start):
        for path in (Path(folder, name) for name in folders):
            refuse_unless(stat.S_ISDIR, path)
        for path in (Path(folder, name) for name in files if not name.startswith((TEMPORARY, LOCK))):
            refuse_unless(stat.S_ISREG, path)
            yield path


def copy_files(source: Folder, target: Folder) -> None:
    """Copy all files, in place of what stands in the target."""
    target.clear()
    for name in source.names():
        folder, _, file = name.rpartition("/")
        content = source.read(name)
        if content is not None:
            (target / folder).write({file: content})
