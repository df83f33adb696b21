"""Cache compiled code on disk, safely: damage, a full disk or another user's files only cost time.

Numba pickles compiled code and trusts what it finds. Here a file is read only if ``code_files`` finds it
sound. Whatever goes wrong while code is loaded or stored, the function is compiled, and the file is replaced
if that is possible.

This is the only module that uses private parts of Numba: a dispatcher's ``_cache``, and of
``FunctionCache`` the attributes ``_cache_path``, ``_cache_file`` (with ``load`` and ``save``) and ``_impl``
(with ``filename_base``). Numba chooses the folder: ``NUMBA_CACHE_DIR`` if it is set, else ``__pycache__``
beside the source, else the user's own cache folder; the first that can be written.
"""

import contextlib
import hashlib
import pickle
from pathlib import Path
from typing import Any

import llvmlite  # type: ignore[import-untyped]  # ships no types
import numba
from numba.core.caching import FunctionCache as _FunctionCache
from numba.core.serialize import dumps as _dumps

from sweep.trainers.mlp.compiled.code_files import (
    CacheState,
    examine_folder,
    read_sealed,
    suffix,
    write_sealed,
)

# Numba's own annotations of these are missing.
FunctionCache: Any = _FunctionCache
dumps: Any = _dumps

_folders: dict[Path, None] = {}
"""Caches of the functions of this process, all in one folder."""


def keep_on_disk(dispatcher: Any) -> None:
    """Cache a function that Numba compiles on disk, if possible."""
    # Numba raises RuntimeError if it finds no folder that can be written.
    with contextlib.suppress(RuntimeError, OSError):
        dispatcher._cache = _CodeCache(dispatcher.py_func)


def examine_code_cache(*, probe: bool = False) -> CacheState:
    """Look at all compiled code that this user keeps in the folder; see ``examine_folder``."""
    if not _folders:
        return CacheState(folder=None, fault="no folder can be written")
    return examine_folder(next(iter(_folders)), probe=probe)


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
        write_sealed(self._path(key), dumps(data))

    def _path(self, key: Any) -> Path:
        versions = (numba.__version__, llvmlite.__version__)
        name = hashlib.sha256(repr((key, versions)).encode()).hexdigest()[:16]
        return self._folder / f"{self._base}-{name}{suffix()}"
