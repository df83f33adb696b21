"""Cache compiled code on disk, safely: damage, a full disk or another user's files only cost time.

Numba pickles compiled code and trusts any file that it finds. Here, each file begins with the hash of the
rest, and is read only if it is a regular file of this user that no other user can write. After any error of
loading or storing, the function is compiled, and the file is replaced if possible.

This is the only module that uses private parts of Numba: a dispatcher's ``_cache``, and of
``FunctionCache`` the attributes ``_cache_path``, ``_cache_file`` (with ``load`` and ``save``) and ``_impl``
(with ``filename_base``). Numba chooses the folder: ``NUMBA_CACHE_DIR`` if it is set, else ``__pycache__``
beside the source, else the user's own cache folder; the first that can be written.
"""

import contextlib
import dataclasses
import errno
import hashlib
import os
import pickle
import stat
import tempfile
import uuid
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]  # ships no types
import numba
from numba.core.caching import FunctionCache as _FunctionCache
from numba.core.serialize import dumps as _dumps

# Numba's own annotations of these are missing.
FunctionCache: Any = _FunctionCache
dumps: Any = _dumps

_HASH_BYTES = hashlib.sha256().digest_size
_PROBE_BYTES = 1 << 20
"""Bytes that are written to test for room: more than any compiled function needs."""

_folders: dict[Path, None] = {}
"""Caches of the functions of this process, all in one folder."""


class DamagedCodeError(Exception):
    """A file of compiled code must not be used; the message is the reason."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CacheState:
    """The state of the folder of compiled code."""

    folder: Path | None
    """None if no folder can be written."""
    files: int = 0
    """Number of valid files."""
    damaged: tuple[Path, ...] = ()
    fault: str = ""
    """The reason why the cache does not work, in one clause; empty if it works."""


def keep_on_disk(dispatcher: Any) -> None:
    """Cache a function that Numba compiles on disk, if possible."""
    # Numba raises RuntimeError if it finds no folder that can be written.
    with contextlib.suppress(RuntimeError, OSError):
        dispatcher._cache = _CodeCache(dispatcher.py_func)


def examine_code_cache(*, probe: bool = False) -> CacheState:
    """Check all compiled code of this user in the folder, without changes.

    Args:
        probe: Whether to test storing even if there is valid code already.
    """
    if not _folders:
        return CacheState(folder=None, fault="no folder can be written")
    folder = next(iter(_folders))
    faults = {path: _fault_of(path) for path in sorted(folder.glob(f"*{_suffix()}"))}
    damaged = {path: fault for path, fault in faults.items() if fault}
    sound = len(faults) - len(damaged)
    why = next((f"{path.name} {fault}" for path, fault in damaged.items()), "")
    if not why and (probe or not sound):
        why = _write_fault(folder)
    return CacheState(folder=folder, files=sound, damaged=tuple(damaged), fault=why)


def mend_code_cache() -> str:
    """Remove damaged files; return a message about the cache, or nothing if it works."""
    state = examine_code_cache()
    if not state.fault:
        return ""
    if state.folder is None:
        return "no folder for the compiled engine can be written; each process compiles it again"
    if not state.damaged:
        return (
            f"the compiled engine cannot be stored in {state.folder}: {state.fault}; each process compiles "
            "it again; free some space, or set NUMBA_CACHE_DIR to another folder"
        )
    try:
        for path in state.damaged:
            path.unlink()
    except OSError as error:
        return (
            f"the compiled engine in {state.folder} cannot be used: {state.fault}; it cannot be removed "
            f"({error.strerror}), so each process compiles it again; remove it"
        )
    return f"the compiled engine in {state.folder} cannot be used: {state.fault}; it will be compiled again"


class _CodeCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """Numba's cache of one function, with checked files and without errors."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        folder = Path(self._cache_path)
        self._cache_file = _SealedFiles(folder, self._impl.filename_base)
        _folders[folder] = None

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except Exception:  # noqa: BLE001  after any error, the function can be compiled
            return None

    def save_overload(self, *arguments: Any) -> None:
        # Any error is ignored, because the function is compiled already.
        with contextlib.suppress(Exception):
            super().save_overload(*arguments)


class _SealedFiles:
    """Files of one function, one for each signature and machine."""

    def __init__(self, folder: Path, base: str) -> None:
        self._folder, self._base = folder, base

    def load(self, key: Any) -> Any:
        """Return the data stored under a key, or None.

        Raises:
            DamagedCodeError: If the file is not this user's, or was changed.
            OSError: If the file cannot be read.
        """
        try:
            return pickle.loads(read_sealed(self._path(key)))  # noqa: S301  this user's file, unchanged
        except FileNotFoundError:
            return None

    def save(self, key: Any, data: Any) -> None:
        """Store data under a key, replacing earlier data."""
        _replace(self._path(key), _seal(dumps(data)))

    def _path(self, key: Any) -> Path:
        versions = (numba.__version__, llvmlite.__version__)
        name = hashlib.sha256(repr((key, versions)).encode()).hexdigest()[:16]
        return self._folder / f"{self._base}-{name}{_suffix()}"


def read_sealed(path: Path) -> bytes:
    """Return the content of a sealed file.

    Raises:
        DamagedCodeError: If it is not a regular file, belongs to another user, can be written by others, or
            its hash does not match its content.
        OSError: If it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedCodeError("is not a regular file")
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise DamagedCodeError("belongs to another user, or others can write it")
        content = file.read()
    if not content or _seal(content[_HASH_BYTES:]) != content:
        raise DamagedCodeError("is damaged")
    return content[_HASH_BYTES:]


def _seal(content: bytes) -> bytes:
    """Return the content, preceded by its hash."""
    return hashlib.sha256(content).digest() + content


def _suffix() -> str:
    """Return the suffix of this user's files."""
    return f"-u{os.geteuid()}.nbc"


def _fault_of(path: Path) -> str:
    """Return the reason why a file cannot be used, as a clause; empty if it can."""
    try:
        read_sealed(path)
    except DamagedCodeError as error:
        return str(error)
    except OSError as error:
        return "is a link" if error.errno == errno.ELOOP else f"cannot be read ({error.strerror})"
    return ""


def _write_fault(folder: Path) -> str:
    """Return the reason why files cannot be stored in a folder, as a clause; empty if they can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE_BYTES))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _replace(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
