"""Make the first study file of a script: from its source, else from what it prints for ``--help``."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sweep.errors import DataError
from sweep.trainers.command.from_script.help_text import parse_help
from sweep.trainers.command.from_script.option import ScriptOptions
from sweep.trainers.command.from_script.printed_help import TIMEOUT_S, printed_help
from sweep.trainers.command.from_script.read_script import read_script
from sweep.trainers.command.from_script.study_text import (
    likely_direction,
    likely_metric,
    study_name,
    to_fill_in,
    write_study,
)

Note = Callable[[str], None]
"""Is called with a remark for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStudy:
    """A study file that is to be written."""

    name: str
    text: str
    to_do: tuple[str, ...]
    """What the user has to do before the study can run, a phrase each."""


def study_of_script(
    script: Path, *, metric: str | None = None, direction: str | None = None, note: Note
) -> FirstStudy:
    """Return the first study file of a script.

    Args:
        script: Its path, as the command is to have it.
        metric: The name of its figure; None: one that the script seems to print.
        direction: ``minimize`` or ``maximize``; None: as the metric's name suggests.
        note: Is told before the script is run.

    Raises:
        DataError: If the script cannot be read, or has no options that can be searched.
    """
    found = read_script(script)
    if not found.options:
        found = _from_help(script, found, note)
    text = write_study(found, script.as_posix(), metric=metric, direction=direction)
    if not tomllib.loads(text).get("search"):
        raise DataError(
            f"none of the options of {script} can be searched: {', '.join(o.name for o in found.options)}",
            key="no-options",
        )
    to_do = [*_about_metric(found, metric, direction), *(f"fill in {name}" for name in to_fill_in(found))]
    return FirstStudy(name=study_name(script.as_posix()), text=text, to_do=tuple(to_do))


def _about_metric(found: ScriptOptions, metric: str | None, direction: str | None) -> Iterator[str]:
    """Yield what is left to do about metric and direction."""
    chosen = metric or likely_metric(found.printed)
    if chosen is None:
        yield "name the metric" if direction else "name the metric and its direction"
    elif metric is None:
        yield f"check that {chosen} is the metric"
    if chosen and not (direction or likely_direction(chosen)):
        yield f"say whether more {chosen} is better (direction)"


def _from_help(script: Path, found: ScriptOptions, note: Note) -> ScriptOptions:
    """Return the options that a script prints, with the figures that its source names."""
    note(
        f"no options are listed in the source of {script}; running `python {script} --help` for at most "
        f"{TIMEOUT_S:g} s"
    )
    text = printed_help(script)
    printed = parse_help(text)
    if not printed.options:
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")
        raise DataError(
            f"{script} has no options that can be read, neither in its source nor in its --help, which ends "
            f"with {last[:200]!r}; write the study file by hand, `sweep init DIR` lays out examples",
            key="no-options",
        )
    return replace(printed, printed=found.printed, was_run=True)
