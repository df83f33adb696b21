"""How is a file written so that it is either the old one or the new one, never half of it?"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

TEMPORARY = ".tmp-"
"""How the names of files begin that a kill may leave behind."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, push to disk, rename over it, push the folder to disk.

    A link at ``path`` is replaced, not followed.
    """
    write_all_atomically(path.parent, {path.name: content})


def write_all_atomically(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write several files of one folder; each appears whole, in the order given."""
    temporary = {name: _write_temporary(folder, content) for name, content in contents.items()}
    for name, path in temporary.items():
        os.replace(path, folder / name)
    _push_folder(folder)


def _write_temporary(folder: Path, content: bytes) -> Path:
    path = folder / f"{TEMPORARY}{secrets.token_hex(8)}"
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _push_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open a folder
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
