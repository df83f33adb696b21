"""Make the first study file of a script from its source, or else from its ``--help`` output."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
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
    ranges_to_fill_in,
    study_name,
    to_fill_in,
    write_study,
)

Note = Callable[[str], None]
"""Function that is called with a message for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStudy:
    """The text of a first study file, and what remains to be done."""

    name: str
    text: str
    to_do: tuple[str, ...]
    """Tasks for the user before the study can run, one phrase each."""


def study_of_script(
    script: Path, *, metric: str | None = None, direction: str | None = None, note: Note
) -> FirstStudy:
    """Return the first study file of a script.

    Args:
        script: The script's path, as written into the command.
        metric: The metric's name; if None, a name that the script seems to print.
        direction: ``minimize`` or ``maximize``; if None, guessed from the metric's name.
        note: Called with a message before the script is run.

    Raises:
        DataError: If the script is unreadable, or has no options that can be searched.
    """
    found = read_script(script)
    if not found.options:
        found = _from_help(script, found, note)
    text = write_study(found, script.as_posix(), metric=metric, direction=direction)
    ranges = ranges_to_fill_in(found)
    if not ranges and not tomllib.loads(text).get("search"):
        raise DataError(
            f"none of the options of {script} can be searched: {', '.join(o.name for o in found.options)}",
            key="no-options",
        )
    to_do = [
        *_about_metric(found, metric, direction),
        *(f"fill in {name}" for name in to_fill_in(found)),
        *_about_ranges(ranges),
    ]
    return FirstStudy(name=study_name(script.as_posix()), text=text, to_do=tuple(to_do))


def _about_ranges(names: Sequence[str]) -> Iterator[str]:
    """Yield the user's task about numbers without a default."""
    if names:
        count = "1 range" if len(names) == 1 else f"{len(names)} ranges"
        yield f"fill in {count} ({', '.join(names)}: no default known)"


def _about_metric(found: ScriptOptions, metric: str | None, direction: str | None) -> Iterator[str]:
    """Yield the user's tasks about metric and direction."""
    chosen = metric or likely_metric(found.printed)
    if chosen is None:
        yield "name the metric" if direction else "name the metric and its direction"
    elif metric is None:
        yield f"check that {chosen} is the metric"
    if chosen and not (direction or likely_direction(chosen)):
        yield f"choose the direction of {chosen}"


def _from_help(script: Path, found: ScriptOptions, note: Note) -> ScriptOptions:
    """Return the options that a script prints, with the metric names found in its source."""
    note(
        f"no options are listed in the source of {script}; running `python {script} --help` for at most "
        f"{TIMEOUT_S:g} s"
    )
    text = printed_help(script)
    printed = parse_help(text)
    if not printed.options:
        last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")
        raise DataError(
            f"no options of {script} can be read from its source or its --help output, which ends "
            f"with {last[:200]!r}; write the study file by hand, `sweep init DIR` creates examples",
            key="no-options",
        )
    return replace(printed, printed=found.printed, was_run=True)
