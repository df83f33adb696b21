"""A function as bytes, on its way to a child of ours; they are never stored.

``pack`` and ``readable`` belong to this process, ``read`` and ``unpack`` to the child. What is unpacked was
packed by the process that started the child, and comes through a pipe that nobody else can write to.
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
    """Return a function, and what it uses of its script or notebook, as bytes.

    Args:
        function: Anything that can be called.
        name: As it is called in messages.

    Raises:
        StudyFileError: If something that it uses cannot be sent to another process.
    """
    import cloudpickle  # noqa: PLC0415  needed here alone; it pickles functions of notebooks too

    try:
        pickled: bytes = cloudpickle.dumps(function)
    except Exception as error:  # whatever the user's objects raise
        said = " ".join(str(error).split())
        raise StudyFileError(
            f"trainer: {name} cannot be sent to another process: {said}; make that inside of the function"
        ) from error
    path = [os.path.abspath(entry) for entry in sys.path]  # '' is the folder that Python works in
    return json.dumps(path).encode() + b"\n" + pickled


@contextlib.contextmanager
def readable(parcel: bytes) -> Iterator[int]:
    """Yield a descriptor from which a child that inherits it reads a parcel."""
    theirs, ours = os.pipe()
    threading.Thread(target=_write, args=(ours, parcel), daemon=True).start()
    try:
        yield theirs
    finally:
        os.close(theirs)


def _write(descriptor: int, parcel: bytes) -> None:
    """Write until the child has all of it, or has ended."""
    with contextlib.suppress(BrokenPipeError), open(descriptor, "wb") as pipe:
        pipe.write(parcel)


# What follows runs in the child.


def read(descriptor: int) -> bytes:
    """Return the parcel that comes through a descriptor, and load what unpacks it."""
    import cloudpickle  # noqa: F401, PLC0415  before the folders of the user's modules are on the path

    with open(descriptor, "rb") as pipe:
        return pipe.read()


def search_path(parcel: bytes) -> list[str]:
    """Return the folders in which the sender's modules are found."""
    path: list[str] = json.loads(parcel.partition(b"\n")[0])
    return path


def unpack(parcel: bytes) -> Callable[..., Any]:
    """Return the function; the folders of its modules are on ``sys.path`` from now on.

    Raises:
        BaseException: What a module raises that the function needs.
    """
    sys.path[:0] = [entry for entry in search_path(parcel) if entry not in sys.path]
    sys.argv[:] = [""]
    function: Callable[..., Any] = pickle.loads(parcel.partition(b"\n")[2])  # noqa: S301  see the module's text
    return function
