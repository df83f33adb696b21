"""Define notes: findings about a study that are stored beside its trials.

A run or a command computes each note once and stores it with the study, so that tables can show it without
the data or the weights. Each trainer names its own kinds of notes (``task.KeepsNotes``).
"""

import dataclasses
import importlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

from sweep.definition.plain import check_kind
from sweep.errors import NotFoundError
from sweep.task import AnyTask, KeepsNotes, load_task
from sweep.values import Json


class Note(Protocol):
    """One finding; a dataclass of plain values."""

    key: ClassVar[str]
    """The key that it is stored under."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build a note from ``dataclasses.asdict``; raises ValueError, TypeError or KeyError."""


NoteT = TypeVar("NoteT", bound=Note)


def plain_note(note: Note) -> dict[str, Json]:
    """Return a note as plain values for storage."""
    values: dict[str, Json] = json.loads(json.dumps(dataclasses.asdict(cast("Any", note))))
    return values


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotReproducible:
    """The same program gave a different value when it trained a trial again."""

    key: ClassVar[str] = "not_reproducible"
    trial: int
    stored: float
    again: float
    """Both in the metric's unit."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build a note from the result of ``dataclasses.asdict``."""
        note = cls(**values)
        check_kind(note, cls, cls.key)
        return note

    @property
    def sentence(self) -> str:
        """The finding, in one line."""
        return (
            f"not reproducible: trial {self.trial} had {self.stored!r}, then {self.again!r} on one seed; "
            "a value is that of one training, and training again may give another"
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """Importances of the hyperparameters, computed by ``samplers.importances`` at the end of a run."""

    key: ClassVar[str] = "importances"
    trials: int
    """Number of finished trials at that time."""
    shares: dict[str, float]
    """Hyperparameter -> importance, highest first; never empty."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build a note from the result of ``dataclasses.asdict``."""
        note = cls(**values)
        check_kind(note, cls, cls.key)
        return note

    def is_of(self, trials: Sequence[Any]) -> bool:
        """Return whether no trial has ended since then."""
        finished: int = sum(trial.is_finished for trial in trials)
        return self.trials == finished


EVERY_TRAINER: Mapping[str, type[Note]] = {
    NotReproducible.key: NotReproducible,
    Importances.key: Importances,
}
"""Kinds of notes for studies of every trainer."""


def note_kinds(task: AnyTask) -> Mapping[str, type[Note]]:
    """Return a trainer's kinds of notes by key; by default ``EVERY_TRAINER``."""
    if not isinstance(task, KeepsNotes):
        return EVERY_TRAINER
    module, _, name = task.note_kinds.partition(":")
    kinds: Mapping[str, type[Note]] = getattr(importlib.import_module(module), name)
    return {**EVERY_TRAINER, **kinds}


def read_notes(stored: Mapping[str, Json], trainer: str) -> dict[str, dict[str, Json]]:
    """Return the notes among a study's stored attributes; none if its trainer is not installed.

    Raises:
        ValueError: If a note does not match its kind; likewise TypeError, KeyError.
    """
    try:
        kinds = note_kinds(load_task(trainer))
    except NotFoundError:
        return {}
    notes = {key: stored[key] for key in kinds if key in stored}
    for key, values in notes.items():
        kinds[key].from_dict(values)
    return notes
