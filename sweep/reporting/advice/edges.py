"""Where does a searched hyperparameter's range end, and how much of it lies at each end?

Reads a dimension as the study stores it, which is Optuna's JSON of a distribution.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

EDGE = 0.05
"""Share of a range, on its own scale, that counts as lying at a bound."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One end of a dimension."""

    bound: float
    limit: float
    """Values from here to the bound lie at it; equal to ``bound`` where only the bound does."""
    is_upper: bool
    share: float
    """Part of the space that lies there, so the chance that a blind draw does."""
    log: bool = False
    is_choice: bool = False

    def holds(self, value: float) -> bool:
        """Say whether a value lies at this end."""
        return value >= self.limit if self.is_upper else value <= self.limit


def edges(dimension: Mapping[str, Any]) -> list[Edge]:
    """Return the lower and the upper end; none for texts, for one value, or an unknown kind.

    Choices count as ordered where all are numbers.

    Examples:
        >>> lower, upper = edges({"name": "CategoricalDistribution", "attributes": {"choices": [32, 16, 64]}})
        >>> lower.bound, upper.bound, upper.share == 1 / 3
        (16, 64, True)
    """
    attributes = dimension.get("attributes", {})
    if "choices" in attributes:
        return _edges_of_choices(attributes["choices"])
    if not {"low", "high"} <= attributes.keys() or attributes["low"] >= attributes["high"]:
        return []
    step = attributes.get("step")
    is_whole = dimension.get("name") == "IntDistribution"
    return _edges_of_range(
        attributes["low"], attributes["high"], attributes.get("log", False), step or (1 if is_whole else None)
    )


def is_number(value: Any) -> bool:
    """Say whether a hyperparameter's value has an order; true and false have none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _edges_of_choices(choices: list[Any]) -> list[Edge]:
    if len(choices) < 2 or not all(map(is_number, choices)):
        return []
    share = 1 / len(choices)
    low, high = min(choices), max(choices)
    return [
        Edge(bound=low, limit=low, is_upper=False, share=share, is_choice=True),
        Edge(bound=high, limit=high, is_upper=True, share=share, is_choice=True),
    ]


def _edges_of_range(low: float, high: float, log: bool, step: float | None) -> list[Edge]:
    """Take ``EDGE`` at each end; in a range of steps, the values that lie in it, at least the bound."""
    lower, upper = _between(low, high, EDGE, log), _between(low, high, 1 - EDGE, log)
    if step:
        lower = low + step * math.floor((lower - low) / step + _ROUNDING)
        upper = high - step * math.floor((high - upper) / step + _ROUNDING)
    half = step / 2 if step else 0  # each step stands for the values around it
    shares = [
        _part(low - half, lower + half, low - half, high + half, log),
        _part(upper - half, high + half, low - half, high + half, log),
    ]
    return [
        Edge(bound=low, limit=lower, is_upper=False, share=shares[0], log=log),
        Edge(bound=high, limit=upper, is_upper=True, share=shares[1], log=log),
    ]


_ROUNDING = 1e-9


def _between(low: float, high: float, place: float, log: bool) -> float:
    return low * (high / low) ** place if log else low + place * (high - low)


def _part(start: float, end: float, low: float, high: float, log: bool) -> float:
    return math.log(end / start) / math.log(high / low) if log else (end - start) / (high - low)
