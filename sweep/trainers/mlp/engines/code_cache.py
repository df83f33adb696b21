"""Keeps compiled code on disk, where damage, a full disk or another user's files cost time only.

Numba pickles compiled code and trusts what it finds. Here each file begins with the hash of the rest, and is
read only if it is a plain file that belongs to this user and that nobody else can write. Whatever goes wrong
while code is loaded or stored, the function is compiled, and the file is replaced if that is possible.

This is the only module that relies on private parts of Numba: a dispatcher's ``_cache``, and of
``FunctionCache`` the attributes ``_cache_path``, ``_cache_file`` (with ``load`` and ``save``) and ``_impl``
(with ``filename_base``). Numba chooses the folder: ``NUMBA_CACHE_DIR`` if it is set, else ``__pycache__``
beside the source, else the user's own cache folder; the first of them that can be written.
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
"""Written to find out whether there is room: more than any of our functions takes."""

_folders: dict[Path, None] = {}
"""Where the functions of this process keep their code; all in one folder."""


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


def keep_on_disk(dispatcher: Any) -> None:
    """Let a function that Numba will compile be loaded from disk, and stored there, if it can be."""
    # Numba raises RuntimeError if it finds no folder that can be written.
    with contextlib.suppress(RuntimeError, OSError):
        dispatcher._cache = _CodeCache(dispatcher.py_func)


def examine_code_cache(*, probe: bool = False) -> CacheState:
    """Look at all compiled code that this user keeps in the folder; change nothing.

    Args:
        probe: Whether to try if something can be stored although there is sound code already.
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
    """Remove damaged files; return what to print about the cache, or nothing if it is sound."""
    state = examine_code_cache()
    if not state.fault:
        return ""
    if state.folder is None:
        return "no folder for the compiled engine can be written; each process compiles it anew"
    if not state.damaged:
        return (
            f"the compiled engine cannot be kept in {state.folder}: {state.fault}; each process compiles it "
            "anew; make room there, or name another folder in NUMBA_CACHE_DIR"
        )
    try:
        for path in state.damaged:
            path.unlink()
    except OSError as error:
        return (
            f"the compiled engine in {state.folder} cannot be used: {state.fault}; it cannot be removed "
            f"({error.strerror}), so each process compiles it anew; remove it"
        )
    return f"the compiled engine in {state.folder} cannot be used: {state.fault}; it is compiled again"


class _CodeCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """Numba's cache of one function, with files that are checked and errors that only cost time."""

    def __init__(self, function: Any) -> None:
        super().__init__(function)
        folder = Path(self._cache_path)
        self._cache_file = _SealedFiles(folder, self._impl.filename_base)
        _folders[folder] = None

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except Exception:  # noqa: BLE001  whatever it is, the function can be compiled
            return None

    def save_overload(self, *arguments: Any) -> None:
        # Whatever it is, the function is compiled already.
        with contextlib.suppress(Exception):
            super().save_overload(*arguments)


class _SealedFiles:
    """A file for each signature and machine that a function was compiled for."""

    def __init__(self, folder: Path, base: str) -> None:
        self._folder, self._base = folder, base

    def load(self, key: Any) -> Any:
        """Return what was stored under a key, or None.

        Raises:
            DamagedCodeError: If the file is not ours, or not as it was written.
            OSError: If it cannot be read.
        """
        try:
            return pickle.loads(read_sealed(self._path(key)))  # noqa: S301  ours, and as we wrote it
        except FileNotFoundError:
            return None

    def save(self, key: Any, data: Any) -> None:
        """Store data under a key, in place of what is there."""
        _replace(self._path(key), _seal(dumps(data)))

    def _path(self, key: Any) -> Path:
        versions = (numba.__version__, llvmlite.__version__)
        name = hashlib.sha256(repr((key, versions)).encode()).hexdigest()[:16]
        return self._folder / f"{self._base}-{name}{_suffix()}"


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


def _seal(content: bytes) -> bytes:
    """Return the content behind its hash."""
    return hashlib.sha256(content).digest() + content


def _suffix() -> str:
    """Return how the names of this user's files end."""
    return f"-u{os.geteuid()}.nbc"


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


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole, under another name first."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with open(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
