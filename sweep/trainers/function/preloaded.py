"""Import modules of the standard library that a host would otherwise import late.

A late import would find a user's file of the same name, once the user's folder is on ``sys.path``.
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
    """Import all these modules."""
    for name in _LATE:
        importlib.import_module(name)
