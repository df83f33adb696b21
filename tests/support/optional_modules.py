"""Modules of sweep that need a library which only an extra installs."""

from importlib.util import find_spec

SUFFIX = "_tracker"


def missing_library(module: str) -> str | None:
    """Return the library that a module of an extra needs and that is not installed; None if there is none."""
    library = module.rpartition(".")[2].removesuffix(SUFFIX)
    return library if module.endswith(SUFFIX) and find_spec(library) is None else None
