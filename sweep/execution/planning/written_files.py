"""Find the files below some folders that were written since the last check."""

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

_MOST_FILES = 50_000
"""Most files that are checked."""

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class WrittenFiles:
    """Compares files with their state at the last check; hidden folders are skipped."""

    def __init__(self, folders: Collection[Path], *, besides: str) -> None:
        """Record the initial state.

        Args:
            folders: The folders to check, with all subfolders.
            besides: A folder to skip.
        """
        self._folders, self._besides = list(dict.fromkeys(folders)), os.path.realpath(besides)
        self._own = set(_printed_into())
        self._last = self._look()
        self.first = frozenset(self._last)
        """The paths of the files that were there at the beginning."""

    def new(self) -> set[str]:
        """Return the paths of files that are new or changed since the last check."""
        before, self._last = self._last, self._look()
        return {path for path, status in self._last.items() if before.get(path) != status}

    def _look(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for top in self._folders:
            for folder, folders, files in os.walk(top):
                folders[:] = [name for name in folders if self._is_looked_at(folder, name)]
                for path in (os.path.join(folder, name) for name in files):
                    if len(found) >= _MOST_FILES:
                        return found
                    try:
                        status = os.lstat(path)
                    except FileNotFoundError:
                        continue
                    if (status.st_dev, status.st_ino) not in self._own:
                        found[path] = (status.st_mtime_ns, status.st_size)
        return found

    def _is_looked_at(self, folder: str, name: str) -> bool:
        is_hidden = name.startswith(".") or name in _SKIPPED
        return not is_hidden and os.path.realpath(os.path.join(folder, name)) != self._besides


def _printed_into() -> Iterator[tuple[int, int]]:
    """Yield device and inode of the files into which a shell redirects what this process prints."""
    for descriptor in (1, 2):
        with contextlib.suppress(OSError):  # it is closed
            status = os.fstat(descriptor)
            yield status.st_dev, status.st_ino
