"""Describe the options of a script."""

from dataclasses import dataclass, replace

from sweep.values import Value

KINDS = ("int", "float", "text", "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a script."""

    name: str
    """The script's name for it; the parameter's name in a study."""
    flag: str | None
    """The flag, such as ``--hidden-dim``; None for a positional argument."""
    off_flag: str | None = None
    """For a boolean: the flag that turns it off; None if there is none."""
    kind: str | None = None
    """One of ``KINDS``; None if unknown."""
    is_flag: bool = False
    """Whether it is a boolean that ``flag`` turns on, without a value."""
    is_list: bool = False
    """Whether it takes several values."""
    is_group: bool = False
    """Whether it chooses a configuration group of Hydra, such as ``model``."""
    default: Value = None
    """The default value; None if there is none or it cannot be read."""
    choices: tuple[Value, ...] = ()
    bounds: tuple[float, float] | None = None
    """The least and the greatest value that the script accepts."""
    is_required: bool = False
    is_usable: bool = True
    """Whether a study can set it; if not, ``warnings`` contains the reason."""
    help: str = ""
    line: int = 0
    """Line number in the source, from 1; 0 if unknown."""
    warnings: tuple[str, ...] = ()
    """Warnings for the user who tunes it, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptOptions:
    """The options of a script, and its other facts that a study file needs."""

    style: str = "argparse"
    """How the script reads its parameters: a name of ``styles.STYLES``."""
    options: tuple[Option, ...] = ()
    unread: tuple[str, ...] = ()
    """Parts that cannot be read, one line each."""
    was_run: bool = False
    """Whether the options come from the ``--help`` output rather than the source."""
    printed: tuple[str, ...] = ()
    """Names that the script seems to print with a figure."""


def reachable(option: Option) -> Option:
    """Return an option; not usable if it is a flag that cannot give the script both true and false."""
    sides = {True: option.flag, False: option.off_flag}
    missing = [side for side, flag in sides.items() if not flag and option.default is not side]
    if not option.is_flag or not missing:
        return option
    words = {True: "on", False: "off"}
    is_unknown = option.default is None
    state = (
        "Its default is unknown, and it" if is_unknown else f"It is {words[not missing[0]]} by default and"
    )
    warning = f"{state} has no flag that turns it {words[missing[0]]}."
    return replace(option, is_usable=False, warnings=(*option.warnings, warning))
