"""The versions of other libraries whose private names or schema sweep uses.

Each such use is fenced with ``private_names``, so that a version without the name ends in one line.
The requirements are those of ``pyproject.toml``.
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
    """Report a private name that is missing as a library of the wrong version.

    Args:
        requirement: Of the library, with the lowest version that has the name.

    Raises:
        LibraryError: If a name cannot be imported or looked up inside.
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
