"""A process that obeys file modes even if it is root's: ``python file_modes.py -m sweep run small``.

It gives up the rights to pass them and stays root, so it can still read a Python in root's home.
An ordinary user's process obeys them anyway and is not changed.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PAST_FILE_MODES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, as ``linux/capability.h`` numbers them."""
_VERSION_3 = 0x20080522
_DROP_FROM_BOUNDING_SET = 24


def obey_file_modes() -> None:
    """Give up reading and writing past file modes, for good, here and in every process that is started.

    Raises:
        OSError: If the system does not take the rights away.
    """
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, rights = (ctypes.c_uint32 * 2)(_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    _check(libc.capget(header, rights))
    mask = sum(1 << capability for capability in _PAST_FILE_MODES)
    for capability in _PAST_FILE_MODES:
        _check(libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0))
    for place in range(3):  # effective, permitted, inheritable
        rights[place] &= ~mask
    _check(libc.capset(header, rights))


def _check(result: Any) -> None:
    if result == -1:
        raise OSError(
            ctypes.get_errno(), f"root cannot give up its rights: {os.strerror(ctypes.get_errno())}"
        )


@contextlib.contextmanager
def read_only(folder: Path, *, but: str = "") -> Iterator[None]:
    """Take away the right to write a folder and everything in it ``but`` what has that name."""
    modes = {path: path.stat().st_mode for path in (folder, *folder.rglob("*")) if path.name != but}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


if __name__ == "__main__":
    obey_file_modes()
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606  no shell is wanted
