"""Modules of the standard library that Python imports late in what a host calls.

A user's file of such a name, once its folder is on ``sys.path``, would be imported in their place.
"""

import importlib

_LATE = (
    "array",
    "ast",
    "errno",
    "inspect",
    "linecache",
    "locale",
    "selectors",
    "struct",
    "tokenize",
    "traceback",
)


def preload() -> None:
    """Import them all."""
    for name in _LATE:
        importlib.import_module(name)
