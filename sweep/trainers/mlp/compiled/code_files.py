"""The files that hold compiled code: each begins with the hash of the rest.

A file is sound if it is a plain file that belongs to this user, nobody else can write it, and its hash is
right. Nothing here loads Numba; ``code_cache`` knows which folder it chose.
"""

import dataclasses
import errno
import hashlib
import os
import stat
import tempfile
import uuid
from pathlib import Path

_HASH_BYTES = hashlib.sha256().digest_size
_PROBE_BYTES = 1 << 20
"""Written to find out whether there is room: more than any of our functions takes."""


class DamagedCodeError(Exception):
    """A file of compiled code must not be used; the text says why."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CacheState:
    """What is known of the folder that holds compiled code."""

    folder: Path | None
    """None if no folder can be written."""
    files: int = 0
    """Sound files in it."""
    damaged: tuple[Path, ...] = ()
    fault: str = ""
    """Why the cache does not work as it should, in one clause; empty if it does."""


def examine_folder(folder: Path, *, probe: bool = False) -> CacheState:
    """Look at all compiled code that this user keeps in a folder; change nothing.

    Args:
        folder: Where the code is kept.
        probe: Whether to try if something can be stored although there is sound code already.
    """
    faults = {path: _fault_of(path) for path in sorted(folder.glob(f"*{suffix()}"))}
    damaged = {path: fault for path, fault in faults.items() if fault}
    sound = len(faults) - len(damaged)
    why = next((f"{path.name} {fault}" for path, fault in damaged.items()), "")
    if not why and (probe or not sound):
        why = _write_fault(folder)
    return CacheState(folder=folder, files=sound, damaged=tuple(damaged), fault=why)


def is_kept_beside(source: Path) -> bool:
    """Return whether sound code of a module, and nothing else, is kept where Numba looks first.

    This is ``__pycache__`` beside the module, unless ``NUMBA_CACHE_DIR`` is set or nobody can write there.
    """
    folder = source.parent / "__pycache__"
    if os.environ.get("NUMBA_CACHE_DIR") or not os.access(folder, os.W_OK):
        return False
    state = examine_folder(folder)
    return bool(state.files) and not state.damaged


def read_sealed(path: Path) -> bytes:
    """Return the content of a file of ours.

    Raises:
        DamagedCodeError: If it is no plain file, belongs to another user, can be written by others, or
            its hash is not that of its content.
        OSError: If it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedCodeError("is no plain file")
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DamagedCodeError("belongs to another user, or others can write it")
        content = file.read()
    if not content or _seal(content[_HASH_BYTES:]) != content:
        raise DamagedCodeError("is damaged")
    return content[_HASH_BYTES:]


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file whole behind its hash, under another name first."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(descriptor, "wb") as file:
            file.write(_seal(content))
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def suffix() -> str:
    """Return how the names of this user's files end."""
    return f"-u{os.geteuid()}.nbc"


def _seal(content: bytes) -> bytes:
    """Return the content behind its hash."""
    return hashlib.sha256(content).digest() + content


def _fault_of(path: Path) -> str:
    """Say in a clause why a file cannot be used; nothing if it can."""
    try:
        read_sealed(path)
    except DamagedCodeError as error:
        return str(error)
    except OSError as error:
        return "is a link" if error.errno == errno.ELOOP else f"cannot be read ({error.strerror})"
    return ""


def _write_fault(folder: Path) -> str:
    """Say in a clause why nothing can be stored in a folder; nothing if something can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return error.strerror or str(error)
    return ""
