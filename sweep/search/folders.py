"""Where do files stand that the database speaks of: in a folder, or in a bucket (``bucket``)?

Both are used alike: files have names, are written whole, and are read, listed and removed by name.
"""

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from sweep.search.files import TEMPORARY, write_all_atomically

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

    Files are not pushed to the disk one by one; links are not followed.
    """

    def __init__(self, path: Path) -> None:
        """Take a path; nothing is made yet."""
        self.path = path

    @property
    def where(self) -> str:
        """Its path."""
        return str(self.path)

    def __truediv__(self, name: str) -> "LocalFolder":
        """Return a folder below."""
        return LocalFolder(self.path / name)

    def open(self) -> None:
        """Make it where it is missing."""
        self.path.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """Return the names of all files; see ``Folder``."""
        files = [Path(folder, name) for folder, _, names in os.walk(self.path) for name in names]
        whole = [path for path in files if not path.name.startswith((TEMPORARY, LOCK))]
        return sorted(path.relative_to(self.path).as_posix() for path in whole if not path.is_symlink())

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears whole, in the order given."""
        self.open()
        write_all_atomically(self.path, contents, push=False)

    def remove(self, names: Collection[str]) -> None:
        """Remove files, and what a kill in mid-write left."""
        for path in [*(self.path / name for name in names), *self.path.glob(f"{TEMPORARY}*")]:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything in it but who runs the study, since that is being held."""
        for path in list(self.path.iterdir()) if self.path.is_dir() else []:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif not path.name.startswith(LOCK):
                path.unlink(missing_ok=True)


def copy_files(source: Folder, target: Folder) -> None:
    """Copy all files, in place of what stands in the target."""
    target.clear()
    for name in source.names():
        folder, _, file = name.rpartition("/")
        content = source.read(name)
        if content is not None:
            (target / folder).write({file: content})
