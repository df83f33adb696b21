"""What is noted of a study of the MLP beside its trials; loaded whenever one is read, so kept light."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sweep.definition.notes import Note
from sweep.definition.plain import check_kind
from sweep.definition.records import TrialRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Dev losses of models that need no training, nats per character."""

    key: ClassVar[str] = "baselines"
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

    key: ClassVar[str] = "new_words"
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


def best_trial_text(trial: int) -> str:
    """Return how a range test names the configuration of the best trial."""
    return f"the best trial, number {trial}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeTested:
    """What the last learning-rate range test of the study suggested."""

    key: ClassVar[str] = "range_test"
    what: str
    """Which configuration was tested, in words."""
    suggestions: dict[str, float]
    """Rule -> learning rate; a rule without an answer is left out."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""
        suggestions = {str(rule): _finite(rate) for rule, rate in dict(values["suggestions"]).items()}
        return cls(what=str(values["what"]), suggestions=suggestions)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingMap:
    """The embedding of each symbol in two dimensions."""

    labels: list[str]
    """The symbols; the first one ends a word."""
    x: list[float]
    y: list[float]
    count: list[int]
    """How often each symbol is the next character on dev."""
    dimensions: int
    """Of the embedding itself."""
    explained: float
    """Share of the variance that the two dimensions show."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WeakSpots:
    """Mean dev loss of groups of characters."""

    labels: list[str]
    mean: list[float]
    """Nats per character."""
    count: list[int]
    share: list[float]
    """Part of the whole dev loss."""
    left_out: int
    """Groups that are not shown."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LearnedModel:
    """What was read off the weights of the best trial when a run had ended, for the report."""

    key: ClassVar[str] = "learned"
    trial: int
    state_sha256: str
    """Hash of the weights."""
    embedding: EmbeddingMap
    """Its labels are the symbols as they are in words."""
    by_position: WeakSpots
    by_character: WeakSpots
    """Its labels are symbols likewise."""
    words: list[str]
    """Words that it makes up."""
    known: list[bool]
    """Of each word, whether it occurs in train."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``dataclasses.asdict`` gave; raises ValueError, TypeError or KeyError."""
        spots = {name: WeakSpots(**values[name]) for name in ("by_position", "by_character")}
        note = cls(**{**values, "embedding": EmbeddingMap(**values["embedding"]), **spots})
        check_kind(note, cls, cls.key)
        return note

    def is_of(self, trial: TrialRecord) -> bool:
        """Return whether it is about the weights that a trial ended with."""
        last = trial.segments[-1].state_sha256 if trial.segments else ""
        return (self.trial, self.state_sha256) == (trial.number, last)


KINDS: dict[str, type[Note]] = {kind.key: kind for kind in (Baselines, NewWords, RangeTested, LearnedModel)}
"""Key in the database -> what is stored there."""


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
