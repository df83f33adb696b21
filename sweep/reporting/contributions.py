"""Load what a trainer adds to what is shown of its studies.

``Contributions`` is cheap to load: a table needs it. Plots, sections and everything else that needs figures,
data or weights are in ``reporting.exhibits``.
"""

import dataclasses
import importlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, TypeVar

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.task import Contributes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How to make one piece of advice."""

    find: Callable[[StudyRecord, list[Configuration]], Any]
    """Study and ranked configurations -> plain numbers, or None if there is nothing to advise."""
    say: Callable[[Any], str]
    """Plain numbers -> sentence."""
    in_headline: bool = False
    """Whether the headline of the report states the finding."""
    before: str = ""
    """The generic check that this one precedes; empty for the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Additions of a trainer to tables and advice; by default none."""

    headings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Column -> a shorter heading; it may break at an underscore."""
    checks: Mapping[str, Check] = dataclasses.field(default_factory=dict)
    """Name -> a further check."""
    meaning: Callable[[float], str] | None = None
    """A value of the metric -> a sentence without its full stop that explains it."""
    seed_noise: float | None = None
    """Difference, in the metric's unit, that seeds of one configuration commonly make; None if unknown."""
    negligible: float | None = None
    """Gain, in the metric's unit, that is within the noise of seeds; None for the difference that matters."""
    filter_example: str = ""
    """Example for the filter of the report's table; empty for a bound of the metric."""
    commands: tuple[str, ...] = ()
    """Further commands that take the exported configuration ``best.toml``."""
    exhibits: str = ""
    """``module:object`` of an ``Exhibits``; empty if there are none."""


_NOTHING = Contributions()


def contributions_of(study: StudyRecord) -> Contributions:
    """Return what the trainer of a study adds."""
    task = study.task
    if not isinstance(task, Contributes):
        return _NOTHING
    found = load_object(task.contributions)
    assert isinstance(found, Contributions), "the trainer names its contributions"
    return found


def load_object(target: str) -> Any:
    """Return the object that ``module:object`` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


class Placed(Protocol):
    """An entry of a registry that may precede a generic one."""

    @property
    def before(self) -> str:
        """Name of the generic entry; empty for the end."""


PlacedT = TypeVar("PlacedT", bound=Placed)


def merged(
    generic: Mapping[str, PlacedT],
    contributed: Mapping[str, PlacedT],
    without: Collection[str] = (),
) -> dict[str, PlacedT]:
    """Return all entries in order: each contributed one before the generic one that it names, else last.

    One that has the name of a generic entry takes its place. Those ``without`` which it goes are left out.
    """
    names = list(generic)
    for name, entry in contributed.items():
        if name in generic:
            continue
        names.insert(names.index(entry.before) if entry.before else len(names), name)
    entries = {**generic, **contributed}
    return {name: entries[name] for name in names if name not in without}
