"""Load the plots, sections, files and notes that a trainer adds to those of every study.

Contributions that a table needs are in ``reporting.contributions``.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sweep.dashboard.shown import Artifact
from sweep.definition.notes import Note
from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.contributions import contributions_of, load_object
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.storage.checkpoints import Checkpoints
from sweep.task import Data


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """How to make one plot, and how to read it."""

    title: str
    reading: str
    """How to read it, in one sentence."""
    numbers: Callable[[Evidence], Any]
    """Evidence -> plain numbers; raises ``NothingToShowError``."""
    figure: Callable[[Any], Figure]
    """Plain numbers -> Figure."""
    before: str = ""
    """The generic plot that this one precedes; empty for the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of the report's page."""

    markup: str
    figures: Mapping[str, Figure] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of the report."""

    title: str
    build: Callable[[Evidence], Part]
    """Raises ``NothingToShowError`` if there is nothing to show."""
    before: str = ""
    """The generic section that this one precedes; empty for the end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exhibits:
    """Additions of a trainer to report and dashboard; by default none."""

    plots: Mapping[str, Plot] = dataclasses.field(default_factory=dict)
    """Name -> a further plot."""
    sections: Mapping[str, Section] = dataclasses.field(default_factory=dict)
    """Anchor -> a further section of the report."""
    without: frozenset[str] = frozenset()
    """Names of the generic plots and sections that the trainer leaves out."""
    baselines: Callable[[Evidence], Mapping[str, float]] = lambda _: {}
    """Evidence -> values that need no training, by name, worst first; raises ``NothingToShowError``."""
    figures: tuple[str, ...] = ()
    """Names of plots that the dashboard shows too."""
    artifacts: tuple[Callable[[Evidence], Artifact], ...] = ()
    """Further files of the winner; each raises ``NothingToShowError`` if it cannot be made."""
    take_notes: Callable[[StudyRecord, Any, Checkpoints], Iterable[Note]] | None = None
    """A study after a run, its data and its files -> the notes to store with it."""
    note_winner: Callable[[Evidence], Iterable[Note]] = lambda _: ()
    """Evidence -> notes of the winner that are not stored yet; raises ``NothingToShowError``."""


_NOTHING = Exhibits()


def notes_of_trainer(
    take: Callable[[StudyRecord, Any, Checkpoints], Iterable[Note]],
    study: StudyRecord,
    data: Data,
    files: Checkpoints,
) -> list[Note]:
    """Return the notes of ``Exhibits.take_notes``, all of them computed."""
    return list(take(study, data, files))


def notes_of_winner(evidence: Evidence) -> list[Note]:
    """Return the notes of ``Exhibits.note_winner``; none if they cannot be made."""
    try:
        return list(exhibits_of(evidence.study).note_winner(evidence))
    except NothingToShowError:
        return []


def exhibits_of(study: StudyRecord) -> Exhibits:
    """Return what the trainer of a study adds."""
    target = contributions_of(study).exhibits
    found = load_object(target) if target else _NOTHING
    assert isinstance(found, Exhibits), "the trainer names its exhibits"
    return found
