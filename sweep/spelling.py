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
    return f"unknown {what}; {did_you_mean(name, known, '{} ')}known: {', '.join(known)}"


def did_you_mean(name: str, known: Collection[str], form: str = "{}") -> str:
    """Return the question whether the nearest known name was meant, in ``form``; nothing if none is near.

    Examples:
        >>> did_you_mean("trails", ["trials"]), did_you_mean("trails", ["trials"], "; {}")
        ('did you mean trials?', '; did you mean trials?')
        >>> did_you_mean("x", ["trials"], "; {}")
        ''
    """
    near = nearest(name, known)
    return form.format(f"did you mean {near}?") if near else ""


def with_hint(message: str, hint: str) -> str:
    """Return a message and its hint as one line; a question ends itself, other messages in a semicolon.

    Examples:
        >>> with_hint("no command 'rnu'. Did you mean 'run'?", "`sweep --help` lists them")
        "no command 'rnu'. Did you mean 'run'? `sweep --help` lists them"
        >>> with_hint("no command 'x'.", "`sweep --help` lists them")
        "no command 'x'; `sweep --help` lists them"
    """
    end = "" if message.endswith("?") else ";"
    return f"{message.removesuffix('.')}{end} {hint}"


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that ``name`` misspells, is a part of, or abbreviates by initials.

    Examples:
        >>> nearest("lr", ["learning_rate"]), nearest("steps", ["num_steps"]), nearest("x", ["num_steps"])
        ('learning_rate', 'num_steps', None)
        >>> nearest("ACC", ["loss", "acc"])
        'acc'
    """
    folded = {other.casefold(): other for other in known}
    similar = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=1)]
    return next(iter([*similar, *(other for other in known if _abbreviates(name, other))]), None)


def _abbreviates(name: str, other: str) -> bool:
    parts = other.split("_")
    return name in parts or (len(parts) > 1 and name == "".join(part[:1] for part in parts))
