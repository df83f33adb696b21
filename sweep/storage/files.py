"""How is a file written so that it is either the old one or the new one, never half of it?"""

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from sweep.errors import StorageError

_UMASK = os.umask(0)
os.umask(_UMASK)  # it cannot be asked without being set; here no other thread makes files yet

TEMPORARY = ".tmp-"
"""How the names of files begin that a kill may leave behind."""


def open_plain(path: Path) -> BinaryIO:
    """Open a plain file for reading; no link is followed, no pipe waited for, no device touched.

    Raises:
        FileNotFoundError: If there is none.
        StorageError: If it is no plain file.
        OSError: If it cannot be read, or became a link meanwhile.
    """
    refuse_unless(stat.S_ISREG, path)
    return open(path, "rb", opener=_open_itself)


def refuse_unless(is_right: Callable[[int], bool], path: Path) -> None:
    """Refuse what is at a path, unless it is of the right kind; a link is not followed, nothing is fine.

    Args:
        is_right: ``stat.S_ISREG`` for a plain file, ``stat.S_ISDIR`` for a folder.
        path: Where to look.

    Raises:
        StorageError: If it is of another kind.
    """
    with contextlib.suppress(FileNotFoundError):
        mode = path.lstat().st_mode
        if not is_right(mode):
            what = "a link" if stat.S_ISLNK(mode) else "of another kind than sweep makes"
            raise StorageError(f"{path} is {what} and is not used; move it away")


def _open_itself(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, push to disk, rename over it, push the folder to disk.

    A link at ``path`` is replaced, not followed. What earlier writers left that were killed is removed.
    """
    for left_over in path.parent.glob(f"{TEMPORARY}*"):
        if not _is_being_written(left_over):
            left_over.unlink(missing_ok=True)
    write_all_atomically(path.parent, {path.name: content})


def write_all_atomically(folder: Path, contents: Mapping[str, bytes], *, push: bool = True) -> None:
    """Write several files of one folder; each appears whole, in the order given.

    Args:
        folder: Where they stand.
        contents: Name -> content.
        push: Wait until they are on the disk. Without it a power cut (a kill does not) may lose
            them, for files whose loss is noticed and can be made good.
    """
    temporary = {name: _write_temporary(folder, content, push) for name, content in contents.items()}
    for name, path in temporary.items():
        os.replace(path, folder / name)
    if push:
        _push_folder(folder)


def _write_temporary(folder: Path, content: bytes, push: bool) -> Path:
    """Write a file that only its owner may read until it is whole, and then has the mode of any other."""
    path = folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(8)}"
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
    """Say whether the process that is in a temporary file's name still runs."""
    process = temporary.name.removeprefix(TEMPORARY).partition("-")[0]
    if os.name != "posix" or not process.isdecimal():
        return True  # elsewhere a process cannot be asked for without ending it
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # another user's
    return True


def _push_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open a folder
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
