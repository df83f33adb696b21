"""Define the notes of a study of the MLP; loaded with every study, so it imports little."""

import dataclasses
import math
from collections.abc import Mapping
from typing import ClassVar, Self

from sweep.definition.notes import Note
from sweep.definition.plain import check_kind
from sweep.definition.records import TrialRecord
from sweep.values import Json


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Dev losses of models without training, nats per character."""

    key: ClassVar[str] = "baselines"
    uniform: float
    """ln V."""
    count_tables: tuple[float, ...]
    """Losses of add-one count tables with contexts of 1, 2, … characters."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build from the result of ``dataclasses.asdict``; raises ValueError, TypeError or KeyError."""
        tables = tuple(_finite(loss) for loss in values["count_tables"])
        return cls(uniform=_finite(values["uniform"]), count_tables=tables)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewWords:
    """Dev losses of one trial on words that occur in train and on words that do not."""

    key: ClassVar[str] = "new_words"
    trial: int
    dev_words: int
    new_words: int
    """Number of dev words that do not occur in train."""
    new_loss: float
    """Loss on these, nats per character."""
    seen_loss: float
    """Loss on the others, nats per character."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build from the result of ``dataclasses.asdict``; raises ValueError, TypeError or KeyError."""
        counts = {name: int(values[name]) for name in ("trial", "dev_words", "new_words")}
        return cls(**counts, new_loss=_finite(values["new_loss"]), seen_loss=_finite(values["seen_loss"]))


def best_trial_text(trial: int) -> str:
    """Return how a range test names the configuration of the best trial."""
    return f"the best trial, number {trial}"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeTested:
    """The suggestions of the study's last range test."""

    key: ClassVar[str] = "range_test"
    what: str
    """Description of the tested configuration."""
    suggestions: dict[str, float]
    """Rule -> learning rate; rules without a suggestion are omitted."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build from the result of ``dataclasses.asdict``; raises ValueError, TypeError or KeyError."""
        suggestions = {str(rule): _finite(rate) for rule, rate in dict(values["suggestions"]).items()}
        return cls(what=str(values["what"]), suggestions=suggestions)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingMap:
    """The embedding of each symbol in two dimensions."""

    labels: list[str]
    """The symbols; the first is the end mark."""
    x: list[float]
    y: list[float]
    count: list[int]
    """Number of occurrences of each symbol as the next character on dev."""
    dimensions: int
    """Number of dimensions of the embedding itself."""
    explained: float
    """Fraction of the variance in the two dimensions."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WeakSpots:
    """Mean dev loss of groups of characters."""

    labels: list[str]
    mean: list[float]
    """Nats per character."""
    count: list[int]
    share: list[float]
    """Fraction of the total dev loss."""
    left_out: int
    """Number of groups that are not shown."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LearnedModel:
    """Facts about the weights of the best trial, computed at the end of a run, for the report."""

    key: ClassVar[str] = "learned"
    trial: int
    state_sha256: str
    """Hash of the weights."""
    embedding: EmbeddingMap
    """Map of the embedding, labelled by the symbols as in words."""
    by_position: WeakSpots
    by_character: WeakSpots
    """Losses by character, labelled likewise."""
    words: list[str]
    """Sampled words."""
    known: list[bool]
    """Whether each word occurs in train."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> Self:
        """Build from the result of ``dataclasses.asdict``; raises ValueError, TypeError or KeyError."""
        spots = {name: WeakSpots(**values[name]) for name in ("by_position", "by_character")}
        note = cls(**{**values, "embedding": EmbeddingMap(**values["embedding"]), **spots})
        check_kind(note, cls, cls.key)
        return note

    def is_of(self, trial: TrialRecord) -> bool:
        """Return whether the note is about the final weights of a trial."""
        last = trial.segments[-1].state_sha256 if trial.segments else ""
        return (self.trial, self.state_sha256) == (trial.number, last)


KINDS: dict[str, type[Note]] = {kind.key: kind for kind in (Baselines, NewWords, RangeTested, LearnedModel)}
"""Key in the database -> class of the note."""


def _finite(value: Json) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
