"""Check the versions of libraries whose private names or schema sweep uses.

``private_names`` wraps each such use, so that an unsupported version gives a one-line error. The
requirements are those of ``pyproject.toml``.
"""

import contextlib
import importlib.metadata
import re
from collections.abc import Iterator

from sweep.errors import LibraryError

OPTUNA = "optuna>=5.0,<5.1"
NUMBA_CUDA = "numba-cuda[cu13]>=0.30,<0.31"
RAY = "ray[client]>=2.50,<2.61"


@contextlib.contextmanager
def private_names(requirement: str) -> Iterator[None]:
    """Turn a missing private name into an error about the library's version.

    Args:
        requirement: Requirement of the library, with the lowest version that has the name.

    Raises:
        LibraryError: If an import or attribute lookup fails inside the block.
    """
    try:
        yield
    except (ImportError, AttributeError) as error:
        library, lowest = re.split(r"(?:\[.*?\])?>=", requirement.partition(",")[0])
        raise LibraryError(
            f"this sweep needs {library} {lowest}, found {_installed(library)} ({error}); "
            f"pip install '{requirement}'"
        ) from error


def _installed(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "none"
