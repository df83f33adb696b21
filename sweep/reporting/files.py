"""Write a result to disk completely or not at all."""

import errno
import os
from pathlib import Path

from sweep.errors import MachineError
from sweep.storage.files import write_atomically

REPORTS = Path("reports")
"""Folder of all reports."""


def write_text(path: Path | str, text: str, *, within: Path | str | None = None) -> Path:
    """Write a file as UTF-8; see ``write_bytes``."""
    return write_bytes(path, text.encode(), within=within)


def write_bytes(path: Path | str, content: bytes, *, within: Path | str | None = None) -> Path:
    """Write a file in one stroke: a reader sees the old one or the new one.

    Folders on the way are made. A link at ``path`` itself is replaced, not followed.

    Args:
        path: Where to.
        content: What.
        within: A folder that the file must end up in, links on the way followed.

    Returns:
        ``path``.

    Raises:
        MachineError: If the file cannot be written, or would end up outside ``within``.
    """
    path = Path(path)
    if within is not None and not _real(path.parent).is_relative_to(_real(within)):
        raise MachineError(f"{path} lies outside {within}, through '..' or a link; it was not written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        write_atomically(path, content)
    except OSError as error:
        raise MachineError(f"{path} cannot be written: {error.strerror}") from error
    return path


def _real(path: Path | str) -> Path:
    """Return a path with its links followed; a loop of links ends nowhere and raises nothing."""
    return Path(os.path.realpath(path))
