"""Write the message about an unknown name: the nearest known name, and all known names."""

import difflib
from collections.abc import Collection


def unknown(what: str, name: str, known: Collection[str]) -> str:
    """Return the error message about an unknown name.

    Examples:
        >>> unknown("key 'trails'", "trails", ["name", "trials"])
        "unknown key 'trails'; did you mean trials? known: name, trials"
        >>> unknown("key 'x'", "x", ["name", "trials"])
        "unknown key 'x'; known: name, trials"
    """
    near = nearest(name, known)
    hint = f"did you mean {near}? " if near else ""
    return f"unknown {what}; {hint}known: {', '.join(known)}"


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that ``name`` misspells, is a part of, or abbreviates by initials.

    Examples:
        >>> nearest("lr", ["learning_rate"]), nearest("steps", ["num_steps"]), nearest("x", ["num_steps"])
        ('learning_rate', 'num_steps', None)
    """
    similar = difflib.get_close_matches(name, known, n=1)
    return next(iter([*similar, *(other for other in known if _abbreviates(name, other))]), None)


def _abbreviates(name: str, other: str) -> bool:
    parts = other.split("_")
    return name in parts or (len(parts) > 1 and name == "".join(part[:1] for part in parts))
