"""What is known of a script's options."""

from dataclasses import dataclass
from typing import Any

KINDS = ("int", "float", "text", "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a script."""

    name: str
    """What the script calls it; the parameter's name in a study."""
    flag: str | None
    """How it is written on the command line, ``--hidden-dim``; None for a positional argument."""
    off_flag: str | None = None
    """Of a boolean: what turns it off; None if nothing does."""
    kind: str | None = None
    """One of ``KINDS``; None if it is not known."""
    is_flag: bool = False
    """Whether it is a boolean that takes no value: it is on if ``flag`` is given."""
    is_list: bool = False
    """Whether it takes several values."""
    default: Any = None
    """None if there is none, or it cannot be read."""
    choices: tuple[Any, ...] = ()
    bounds: tuple[float, float] | None = None
    """The least and the greatest value that the script takes."""
    is_required: bool = False
    is_usable: bool = True
    """Whether a study can give it; if not, ``warnings`` says why."""
    help: str = ""
    line: int = 0
    """Of the source, from 1; 0 if it is not known."""
    warnings: tuple[str, ...] = ()
    """What whoever tunes it must know, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptOptions:
    """What was read of a script."""

    style: str = "argparse"
    """How it takes its parameters: a name of ``styles.STYLES``."""
    options: tuple[Option, ...] = ()
    unread: tuple[str, ...] = ()
    """What cannot be read, a line each."""
    was_run: bool = False
    """Whether the script was run with ``--help``; else its source was read."""
    printed: tuple[str, ...] = ()
    """Names that it seems to print with a figure."""
