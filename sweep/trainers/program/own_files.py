"""Tell the user's source files from those of installed libraries, Python and sweep."""

import sysconfig
from pathlib import Path

_INSTALLED = frozenset({"site-packages", "dist-packages"})
_OTHERS = (str(Path(__file__).parents[2]), *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib")})


def is_own(file: str) -> bool:
    """Return whether a source file is the user's.

    Examples:
        >>> is_own("/home/ada/trainers.py"), is_own("/home/ada/.venv/site-packages/x.py"), is_own("<string>")
        (True, False, False)
    """
    path = Path(file)
    if file.startswith("<") or not _INSTALLED.isdisjoint(path.parts):
        return False
    return not any(path.is_relative_to(home) for home in _OTHERS)
