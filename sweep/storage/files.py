"""Write files atomically, and open only regular files."""

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from sweep.errors import StorageError

_UMASK = os.umask(0)
os.umask(_UMASK)  # the mask cannot be read without being set; no other thread creates files yet

TEMPORARY = ".tmp-"
"""Prefix of the names of temporary files, which a kill may leave behind."""


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading, without following a link, waiting for a pipe or opening a device.

    Raises:
        FileNotFoundError: If there is no file.
        StorageError: If it is not a regular file.
        OSError: If it cannot be read, or became a link meanwhile.
    """
    refuse_unless(stat.S_ISREG, path)
    return open(path, "rb", opener=_open_itself)


def refuse_unless(is_right: Callable[[int], bool], path: Path) -> None:
    """Refuse a path of the wrong kind, without following a link; a missing path is accepted.

    Args:
        is_right: ``stat.S_ISREG`` for a regular file, ``stat.S_ISDIR`` for a folder.
        path: The path to check.

    Raises:
        StorageError: If the path is of another kind.
    """
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not is_right(mode):
            what = "a link" if stat.S_ISLNK(mode) else "not of the kind that sweep creates"
            raise StorageError(f"{path} is {what}; move it away")


def _open_itself(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def write_atomically(path: Path, content: bytes) -> None:
    """Write a temporary file beside the target, sync it, rename it over the target, sync the folder.

    A link at ``path`` is replaced, not followed. Temporary files of killed writers are removed.
    """
    for left_over in path.parent.glob(f"{TEMPORARY}*"):
        if not _is_being_written(left_over):
            left_over.unlink(missing_ok=True)
    write_all_atomically(path.parent, {path.name: content})


def write_all_atomically(folder: Path, contents: Mapping[str, bytes], *, push: bool = True) -> None:
    """Write several files of one folder; each appears complete, in the given order.

    Args:
        folder: The folder of the files.
        contents: Name -> content.
        push: Whether to sync the files to the disk. Otherwise a power cut, but not a kill, may lose them;
            for files whose loss is detected and can be repaired.
    """
    temporary = {name: _write_temporary(folder, content, push) for name, content in contents.items()}
    for name, path in temporary.items():
        os.replace(path, folder / name)
    if push:
        _push_folder(folder)


def _write_temporary(folder: Path, content: bytes, push: bool) -> Path:
    """Write a file that only its owner may read until it is complete, then set the usual mode."""
    path = folder / f"{TEMPORARY}{os.getpid()}-{started('self')}-{secrets.token_hex(8)}"
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            path.chmod(0o666 & ~_UMASK)
            if push:
                file.flush()
                os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _is_being_written(temporary: Path) -> bool:
    """Return whether the process in a temporary file's name runs; another one may have its number now."""
    process, _, rest = temporary.name.removeprefix(TEMPORARY).partition("-")
    if os.name != "posix" or not process.isdecimal():
        return True  # on other systems, a check would end the process
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # belongs to another user
    start = rest.rpartition("-")[0]
    return not start or started(process) in ("", start)


def started(process: str) -> str:
    """Return when a process started, in ticks since the machine's start; empty where ``/proc`` is not."""
    try:
        return Path(f"/proc/{process}/stat").read_text("latin-1").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _push_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open a folder
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
