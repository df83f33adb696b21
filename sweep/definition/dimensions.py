"""On which axis does a searched hyperparameter stand?

Read from a study's stored space. Ranges keep their scale, linear or logarithmic; choices stand side
by side in their order, numbers sorted. What was stored in another form is taken from the values.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweep.definition.records import StudyRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One searched hyperparameter."""

    name: str
    low: float
    high: float
    """Ends of the axis; for choices the places of the first and the last."""
    log: bool
    choices: tuple[Any, ...]
    """Empty for a range."""

    def coordinate(self, value: Any) -> float:
        """Return where a value stands: itself, or the place of a choice."""
        return float(self.choices.index(value) if self.choices else value)

    def share(self, value: Any) -> float:
        """Return how far along the axis a value stands, from 0 to 1."""
        scale = math.log if self.log else float
        low, high, place = (scale(end) for end in (self.low, self.high, self.coordinate(value)))
        return (place - low) / (high - low) if high > low else 0.5


def dimensions_of(study: StudyRecord) -> list[Dimension]:
    """Return the dimensions of which some trial holds a value, in the study's order."""
    found = []
    for name, stored in study.identity["search"].items():
        values = [trial.params[name] for trial in study.trials if name in trial.params]
        if values:
            found.append(_dimension(name, stored, values))
    return found


def _dimension(name: str, stored: Mapping[str, Any], values: Sequence[Any]) -> Dimension:
    attributes = stored.get("attributes", {})
    if "choices" in attributes or not all(_is_number(value) for value in values):
        return _of_choices(name, [*attributes.get("choices", ()), *values])
    low = min([*values, attributes.get("low", math.inf)])
    high = max([*values, attributes.get("high", -math.inf)])
    log = attributes.get("log") is True and low > 0
    return Dimension(name=name, low=float(low), high=float(high), log=log, choices=())


def _of_choices(name: str, values: Sequence[Any]) -> Dimension:
    distinct = list(dict.fromkeys(values))
    if all(_is_number(value) for value in distinct):
        distinct.sort()
    return Dimension(name=name, low=0.0, high=float(len(distinct) - 1), log=False, choices=tuple(distinct))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
