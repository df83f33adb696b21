"""What was found out about a study beside its trials?

Each note is computed once, at the end of a run or by `sweep lr-find`, and stored with the study,
so that a table can speak of it without the words file, the weights or torch.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Dev losses of models that need no training, nats per character."""

    uniform: float
    """ln V."""
    count_tables: tuple[float, ...]
    """Of add-one count tables over the 1, 2, … characters before."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""
        tables = tuple(_finite(loss) for loss in values["count_tables"])
        return cls(uniform=_finite(values["uniform"]), count_tables=tables)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewWords:
    """Dev loss of one trial, apart for words that stand in train and words that do not."""

    trial: int
    dev_words: int
    new_words: int
    """Dev words that do not stand in train."""
    new_loss: float
    """Over these, nats per character."""
    seen_loss: float
    """Over the others, nats per character."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""
        counts = {name: int(values[name]) for name in ("trial", "dev_words", "new_words")}
        return cls(**counts, new_loss=_finite(values["new_loss"]), seen_loss=_finite(values["seen_loss"]))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeTested:
    """What the last learning-rate range test of the study suggested."""

    what: str
    """Which configuration was tested, in words."""
    suggestions: dict[str, float]
    """Rule -> learning rate; a rule without an answer is left out."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""
        suggestions = {str(rule): _finite(rate) for rule, rate in dict(values["suggestions"]).items()}
        return cls(what=str(values["what"]), suggestions=suggestions)


Note = Baselines | NewWords | RangeTested


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """All notes of a study; None where nothing was noted."""

    baselines: Baselines | None = None
    new_words: NewWords | None = None
    range_test: RangeTested | None = None


_KINDS: dict[str, type[Note]] = {
    "baselines": Baselines,
    "new_words": NewWords,
    "range_test": RangeTested,
}
"""Field of ``Notes``, which is also the key in the database -> what stands there."""


def read_notes(stored: Mapping[str, Any]) -> Notes:
    """Return the notes among a study's stored attributes.

    Raises:
        ValueError: If one is not what was stored; likewise TypeError, KeyError.
    """
    found: dict[str, Any] = {
        key: kind.from_dict(stored[key]) for key, kind in _KINDS.items() if key in stored
    }
    return Notes(**found)


def key_of(note: Note) -> str:
    """Return the key under which a note is stored."""
    return next(key for key, kind in _KINDS.items() if isinstance(note, kind))


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
