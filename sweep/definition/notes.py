"""What was found out about a study beside its trials?

Each note is computed once, at the end of a run or by a command, and stored with the study, so that a table
can speak of it without the data or the weights. What is noted is the trainer's: it names its kinds of notes
(``task.KeepsNotes``).
"""

import dataclasses
import importlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

from sweep.errors import NotFoundError
from sweep.task import AnyTask, KeepsNotes, load_task


class Note(Protocol):
    """One finding; a dataclass of plain values."""

    key: ClassVar[str]
    """Under which it is stored."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""


NoteT = TypeVar("NoteT", bound=Note)


def plain_note(note: Note) -> dict[str, Any]:
    """Return a note as it is stored."""
    values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(cast("Any", note))))
    return values


def note_kinds(task: AnyTask) -> Mapping[str, type[Note]]:
    """Return the kinds of notes of a trainer by their keys; by default none."""
    if not isinstance(task, KeepsNotes):
        return {}
    module, _, name = task.note_kinds.partition(":")
    kinds: Mapping[str, type[Note]] = getattr(importlib.import_module(module), name)
    return kinds


def read_notes(stored: Mapping[str, Any], trainer: str) -> dict[str, dict[str, Any]]:
    """Return the notes among a study's stored attributes; none if its trainer is not installed.

    Raises:
        ValueError: If one is not what was stored; likewise TypeError, KeyError.
    """
    try:
        kinds = note_kinds(load_task(trainer))
    except NotFoundError:
        return {}
    notes = {key: stored[key] for key in kinds if key in stored}
    for key, values in notes.items():
        kinds[key].from_dict(values)
    return notes
