"""What is noted of a study of the MLP beside its trials; loaded whenever one is read, so kept light."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sweep.definition.notes import Note


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


KINDS: dict[str, type[Note]] = {kind.key: kind for kind in (Baselines, NewWords, RangeTested)}
"""Key in the database -> what is stored there."""


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not finite")
    return number
