"""Represent one searched hyperparameter: a range of numbers, or choices.

Study files, samplers, plans, figures and advice use the same two classes. This module also reads and writes
the JSON form of a distribution, which identities and stored trials contain. ``optuna_objects`` makes Optuna's
distributions from them.
"""

import dataclasses
import math
from collections.abc import Mapping

from sweep.definition.plain import as_read
from sweep.values import Json, Value

MOST_EXACT = 2**53
"""Largest whole number of a range: a database stores the values as floats, which skip some beyond it."""


def is_number(value: Value) -> bool:
    """Return whether a value is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def spoken_value(value: object) -> str:
    """Format a value for a reader: 10,000 rather than 10000, true as in a study file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str(list(value))
    return f"{value:,}" if is_number(value) else str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``: whole if both ends are ``int``, real if both are ``float``.

    Raises:
        ValueError: If the range is empty, mixes int and float, or its scale or step does not fit.
    """

    low: float
    high: float
    _: dataclasses.KW_ONLY
    log: bool = False
    """Whether sampling is uniform in the logarithm."""
    step: float | None = None
    """Difference of neighbouring values; None to allow every value of the kind."""

    def __post_init__(self) -> None:
        if type(self.low) not in (int, float) or type(self.low) is not type(self.high):
            raise ValueError(f"low and high must both be int or float, got {self.low!r} and {self.high!r}")
        if not self.low <= self.high:
            raise ValueError(f"low must be at most high, got {self.low!r} and {self.high!r}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"a logarithmic range must start above 0 and have no step, got {self!r}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step must be above 0, got {self.step!r}")

    @property
    def is_int(self) -> bool:
        """Whether the values are whole numbers."""
        return isinstance(self.low, int)

    @property
    def grain(self) -> float | None:
        """Difference of neighbouring values; None for a continuous range."""
        return self.step or (1 if self.is_int else None)

    @property
    def is_continuous(self) -> bool:
        """Whether the range has no smallest step."""
        return self.grain is None

    @property
    def cells(self) -> int:
        """Number of values of a discrete range; 1 for any range with equal ends."""
        if self.low == self.high:
            return 1
        assert self.grain, "the range is discrete"
        return round((self.high - self.low) / self.grain) + 1

    def cell(self, place: int) -> Value:
        """Return a value by its index, counted from 0, of a discrete range or one with equal ends."""
        if self.low == self.high:
            return self.low
        assert self.grain, "the range is discrete"
        return min(self.low + self.grain * place, self.high)  # 0.1 + 0.1 * 2 is above 0.3

    def contains(self, value: Value) -> bool:
        """Return whether a value lies in the range and on its steps."""
        if not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / (self.grain or math.inf)
        return bool(abs(steps - round(steps)) < _ROUNDING)

    def value_at(self, unit: float) -> Value:
        """Map a point of [0, 1) to a value; a uniform point gives a value of the sampling distribution.

        A logarithmic range is uniform in the logarithm. Whole numbers, ends included, get equal shares.
        """
        if not self.log and not self.is_continuous:
            return self.cell(int(unit * self.cells))
        low, high = self.ends
        point = math.exp(low + unit * (high - low)) if self.log else low + unit * (high - low)
        point = round(point) if self.is_int else point
        return min(max(point, self.low), self.high)  # exp(log(x)) may be off by one rounding

    def unit_at(self, value: Value) -> float:
        """Return the inverse of ``value_at``; for a discrete range, the middle of the value's share."""
        if not self.log and self.grain:
            return (round((float(value) - self.low) / self.grain) + 0.5) / self.cells
        low, high = self.ends
        return (self._scaled(float(value)) - low) / (high - low) if high > low else 0.5

    def coordinate(self, value: Value) -> float:
        """Return the position of a value on a figure's axis."""
        return float(value)

    def share(self, value: Value) -> float:
        """Return the position of a value along a figure's axis, from 0 to 1."""
        low, high, place = (self._scaled(float(each)) for each in (self.low, self.high, value))
        return (place - low) / (high - low) if high > low else 0.5

    def in_order(self) -> "Range":
        """Return the range itself; its values are ordered already."""
        return self

    def spoken(self) -> str:
        """Return the range in words: ``10 to 500, logarithmic``."""
        ends = dict.fromkeys(map(spoken_value, (self.low, self.high)))
        return " to ".join(ends) + (", logarithmic" if self.log else "")

    def internal(self, value: Value) -> float:
        """Return a value as Optuna's database stores it."""
        return float(value)

    def external(self, stored: float) -> Value:
        """Return the value that ``internal`` stored."""
        return int(stored) if self.is_int else float(stored)

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form of Optuna's distribution, its keys in Optuna's order."""
        ends = {"low": self.low, "high": self.high}
        if self.is_int:
            return {"name": _WHOLE, "attributes": {"log": self.log, "step": self.grain, **ends}}
        return {"name": _FRACTIONS, "attributes": {"step": self.step, **ends, "log": self.log}}

    @property
    def ends(self) -> tuple[float, float]:
        """Return both ends on the range's scale; whole numbers extend by half a unit."""
        margin = 0.5 if self.is_int else 0.0
        return self._scaled(self.low - margin), self._scaled(self.high + margin)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


@dataclasses.dataclass(frozen=True, slots=True)
class Choices:
    """A list of values, each equally likely.

    Raises:
        ValueError: If the list is empty.
    """

    choices: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("choices must have at least one value")

    @property
    def low(self) -> float:
        """Position of the first choice on a figure's axis."""
        return 0.0

    @property
    def high(self) -> float:
        """Position of the last choice on a figure's axis."""
        return float(len(self.choices) - 1)

    @property
    def log(self) -> bool:
        """Always False: choices are evenly spaced."""
        return False

    @property
    def is_continuous(self) -> bool:
        """Always False: choices are discrete."""
        return False

    @property
    def cells(self) -> int:
        """Number of choices."""
        return len(self.choices)

    def cell(self, place: int) -> Value:
        """Return a choice by its index, counted from 0."""
        return self.choices[place]

    def contains(self, value: Value) -> bool:
        """Return whether a value is one of the choices."""
        return value in self.choices

    def value_at(self, unit: float) -> Value:
        """Map a point of [0, 1) to a choice, with equal shares."""
        return self.choices[int(unit * len(self.choices))]

    def unit_at(self, value: Value) -> float:
        """Return the middle of the share of [0, 1] that ``value_at`` maps to a choice."""
        return (self.choices.index(value) + 0.5) / len(self.choices)

    def coordinate(self, value: Value) -> float:
        """Return the position of a choice on a figure's axis."""
        return float(self.choices.index(value))

    def share(self, value: Value) -> float:
        """Return the position of a choice along a figure's axis, from 0 to 1."""
        return self.coordinate(value) / self.high if self.high else 0.5

    @property
    def are_numbers(self) -> bool:
        """Whether all choices are numbers."""
        return all(map(is_number, self.choices))

    def in_order(self) -> "Choices":
        """Return the choices sorted if all are numbers, else unchanged."""
        return Choices(tuple(sorted(self.choices))) if self.are_numbers else self

    def spoken(self) -> str:
        """Return the choices in words: ``16, 32, 64``."""
        return ", ".join(map(spoken_value, self.choices))

    def internal(self, value: Value) -> float:
        """Return a choice as Optuna's database stores it: its index."""
        return self.choices.index(value)

    def external(self, stored: float) -> Value:
        """Return the choice that ``internal`` stored; raises ``IndexError`` if there is none."""
        return self.choices[int(stored)]

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form of Optuna's distribution."""
        return {"name": _CHOICES, "attributes": {"choices": list(self.choices)}}


Dimension = Range | Choices
"""The allowed values of a searched hyperparameter."""

_WHOLE, _FRACTIONS, _CHOICES = "IntDistribution", "FloatDistribution", "CategoricalDistribution"

_ROUNDING = 1e-8
"""Tolerance for values off a step, as a fraction of the step; the same as Optuna's."""


def stored_dimension(stored: Mapping[str, Json]) -> Dimension:
    """Return the dimension that a distribution's JSON form describes.

    Raises:
        ValueError: If its kind is unknown or its values do not fit; likewise KeyError, TypeError.

    Examples:
        >>> stored_dimension({"name": "CategoricalDistribution", "attributes": {"choices": [16, 32]}})
        Choices(choices=(16, 32))
    """
    kind, attributes = stored["name"], stored["attributes"]
    if kind == _CHOICES:
        return Choices(tuple(map(as_read, attributes["choices"])))
    if kind not in (_WHOLE, _FRACTIONS):
        raise ValueError(f"unknown kind of dimension {kind!r}")
    low, high, log, step = (attributes[key] for key in ("low", "high", "log", "step"))
    if kind == _WHOLE:
        return Range(low, high, log=log, step=None if step == 1 else step)
    return Range(float(low), float(high), log=log, step=step)
