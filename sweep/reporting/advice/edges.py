"""The ends of a searched hyperparameter's range, and how much of it lies at each."""

import dataclasses
import math

from sweep.definition.dimension import Choices, Dimension

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
        """Return whether a value is at this end."""
        return value >= self.limit if self.is_upper else value <= self.limit


def edges(dimension: Dimension) -> list[Edge]:
    """Return the lower and the upper end; none for texts and for one value.

    Choices count as ordered if all are numbers.

    Examples:
        >>> lower, upper = edges(Choices((32, 16, 64)))
        >>> lower.bound, upper.bound, upper.share == 1 / 3
        (16, 64, True)
    """
    if isinstance(dimension, Choices):
        return _edges_of_choices(dimension)
    if dimension.low == dimension.high:
        return []
    return _edges_of_range(dimension.low, dimension.high, dimension.log, dimension.grain)


def _edges_of_choices(dimension: Choices) -> list[Edge]:
    if dimension.cells < 2 or not dimension.are_numbers:
        return []
    share = 1 / dimension.cells
    low, *_, high = dimension.in_order().choices
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
