"""Hash the data files that globs in ``[data]`` name, so that changes are detected.

The program opens the files itself; their contents are not sent to workers.
"""

import dataclasses
import functools
import glob
import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from sweep.code import Code
from sweep.errors import DataError
from sweep.spelling import unknown
from sweep.trainers.program.code import CodeWatch, status_of
from sweep.values import Toml

KEYS = ("files", "test_files", "sources")
"""Keys of ``[data]``: lists of globs, relative to the folder in which sweep was started."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProgramData:
    """Hashes and sizes of a program's data files."""

    sha256: str
    """Hash of the names and contents of ``files``."""
    n_files: int
    n_bytes: int
    start: str = "."
    """Folder that the names are relative to."""
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name -> SHA-256 of the content."""
    statuses: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    """Name -> status of the file when it was read."""

    def watch(self) -> Callable[[], list[str]]:
        """Return a function that returns the names of files that have changed since they were read."""
        code = Code(files=dict(self.files))
        return CodeWatch(code, Path(self.start), sound=self.statuses).changes

    def __reduce__(self) -> tuple[Callable[[], "ProgramData"], tuple[()]]:
        """Send a worker no list of files, which may be long and which only the driver needs."""
        facts: dict[str, Any] = {"sha256": self.sha256, "n_files": self.n_files, "n_bytes": self.n_bytes}
        return functools.partial(ProgramData, **facts), ()

    def describe(self) -> str:
        """Return one line that describes the files."""
        if not self.n_files:
            return "data.files names no files, so a change of the program's data is not noticed"
        files = "file" if self.n_files == 1 else "files"
        return f"{self.n_files:,} data {files}, {self.n_bytes / 1e6:,.1f} MB"


def check_section(section: Mapping[str, Toml]) -> dict[str, Toml]:
    """Return the checked section ``[data]``.

    Raises:
        DataError: With a line for each mistake.
    """
    mistakes = [unknown(f"key {key!r} in [data]", key, KEYS) for key in section if key not in KEYS]
    for key in KEYS:
        globs = section.get(key, [])
        if not isinstance(globs, list) or not all(isinstance(each, str) and each for each in globs):
            mistakes.append(
                f'data.{key} must be a list of file names or globs, as ["data/*.csv"], got {globs!r}'
            )
    if mistakes:
        raise DataError(*mistakes)
    return {key: list(section[key]) for key in KEYS if key in section}


def read_data(section: Mapping[str, Toml], start: str) -> ProgramData:
    """Hash the data files of a program.

    Args:
        section: A checked ``[data]``.
        start: Folder that the globs are relative to.

    Raises:
        DataError: If a glob matches no file, a file cannot be read, or is a test file too.
    """
    paths = matching(section.get("files", []), start, "data.files")
    _refuse_test_files(paths, section, start)
    read = {path: _hashed(path, start) for path in paths}
    hashes = [f"{path}\0{content}" for path, (content, _) in read.items()]
    return ProgramData(
        sha256=hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        n_files=len(paths),
        n_bytes=sum(status.st_size for _, status in read.values()),
        start=start,
        files={path: content for path, (content, _) in read.items()},
        statuses={path: status_of(status) for path, (_, status) in read.items()},
    )


def _refuse_test_files(paths: Collection[str], section: Mapping[str, Toml], start: str) -> None:
    """Refuse data files that are also test files; test files are not opened and need not exist yet."""
    test = {
        path
        for pattern in section.get("test_files", [])
        for path in glob.glob(pattern, root_dir=start, recursive=True)
    }
    if both := sorted(test.intersection(paths)):
        raise DataError(
            f"{', '.join(both[:3])} in both data.files and data.test_files: trials must not read test files"
        )


def hash_test_files(section: Mapping[str, Toml], start: str) -> list[str]:
    """Return the hash of the content of each file that ``test_files`` names, 64 hex digits.

    Only the final test calls this function; trials never read test files.

    Raises:
        DataError: If a glob matches no file, or a file cannot be read.
    """
    return [
        _hashed(path, start)[0] for path in matching(section.get("test_files", []), start, "data.test_files")
    ]


def _hashed(path: str, start: str) -> tuple[str, os.stat_result]:
    """Return a file's hash, and its status before it was read."""
    try:
        with open(os.path.join(start, path), "rb") as file:
            status = os.fstat(file.fileno())
            return hashlib.file_digest(file, "sha256").hexdigest(), status
    except OSError as error:
        raise DataError(f"data file {path} cannot be read: {error.strerror}") from error


def matching(globs: list[str], start: str, key: str) -> list[str]:
    """Return the files that globs match, relative to ``start``, in order.

    Raises:
        DataError: If a glob matches no file.
    """
    found: dict[str, None] = {}
    for pattern in globs:
        paths = [
            path
            for path in glob.glob(pattern, root_dir=start, recursive=True)
            if os.path.isfile(os.path.join(start, path))
        ]
        if not paths:
            raise DataError(f"{key}: {pattern!r} matches no file in {start}", key="no-data-file")
        found |= dict.fromkeys(sorted(paths))
    return list(found)
