"""Send a function as bytes to a child process; the bytes are never stored.

The parent calls ``pack`` and ``readable``; the child calls ``read`` and ``unpack``. The child unpickles only
bytes from its parent, through a pipe that no other process can write to.
"""

import contextlib
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sweep.errors import StudyFileError


def pack(function: Callable[..., Any], name: str) -> bytes:
    """Return a function, with the objects of its script or notebook that it uses, as bytes.

    Args:
        function: Any callable.
        name: Name of the function for messages.

    Raises:
        StudyFileError: If an object that the function uses cannot be sent to another process.
    """
    import cloudpickle  # noqa: PLC0415  needed only here; pickles functions of notebooks too

    try:
        pickled: bytes = cloudpickle.dumps(function)
    except Exception as error:  # the user's objects may raise anything
        said = " ".join(str(error).split())
        raise StudyFileError(
            f"trainer: {name} cannot be sent to another process: {said}; create it inside the function"
        ) from error
    path = [os.path.abspath(entry) for entry in sys.path]  # '' is the working folder
    return json.dumps(path).encode() + b"\n" + pickled


@contextlib.contextmanager
def readable(parcel: bytes) -> Iterator[int]:
    """Yield a descriptor from which a child process can read a parcel."""
    theirs, ours = os.pipe()
    threading.Thread(target=_write, args=(ours, parcel), daemon=True).start()
    try:
        yield theirs
    finally:
        os.close(theirs)


def _write(descriptor: int, parcel: bytes) -> None:
    """Write until the child has read everything, or has ended."""
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
        pipe.write(parcel)


# The functions below run in the child.


def read(descriptor: int) -> bytes:
    """Return the parcel read from a descriptor, and load the library that unpacks it."""
    import cloudpickle  # noqa: F401, PLC0415  before the folders of the user's modules are on the path

    with open(descriptor, "rb") as pipe:
        return pipe.read()


def search_path(parcel: bytes) -> list[str]:
    """Return the sender's ``sys.path``."""
    path: list[str] = json.loads(parcel.partition(b"\n")[0])
    return path


def unpack(parcel: bytes) -> Callable[..., Any]:
    """Return the function, and add the folders of its modules to ``sys.path``.

    Raises:
        BaseException: Any error raised by a module that the function needs.
    """
    sys.path[:0] = [entry for entry in search_path(parcel) if entry not in sys.path]
    sys.argv[:] = [""]
    function: Callable[..., Any] = pickle.loads(parcel.partition(b"\n")[2])  # noqa: S301  see the module's text
    return function
