"""Which files below some folders were written since the last look."""

import os
from collections.abc import Collection
from pathlib import Path

_MOST_FILES = 50_000
"""That are looked at; a folder with more is looked at in part."""

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class WrittenFiles:
    """Compares files with what they were at the last look; hidden folders are left out."""

    def __init__(self, folders: Collection[Path], *, besides: str) -> None:
        """Look for the first time.

        Args:
            folders: What is looked at, with all folders below.
            besides: A folder that is left out.
        """
        self._folders, self._besides = list(dict.fromkeys(folders)), os.path.realpath(besides)
        self._last = self._look()

    def new(self) -> set[str]:
        """Return the paths of files that are new or changed since the last look."""
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
                    found[path] = (status.st_mtime_ns, status.st_size)
        return found

    def _is_looked_at(self, folder: str, name: str) -> bool:
        is_hidden = name.startswith(".") or name in _SKIPPED
        return not is_hidden and os.path.realpath(os.path.join(folder, name)) != self._besides
