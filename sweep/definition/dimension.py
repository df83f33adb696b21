"""One searched hyperparameter: a range of numbers, or choices.

Study files, samplers, plans, figures and advice use the same two classes. Optuna's distributions are made
from them in ``optuna_objects``; the JSON form of a distribution, which an identity and a trial's parameters
hold, is written and read here.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from sweep.definition.plain import as_read


def is_number(value: Any) -> bool:
    """Return whether a value has an order; true and false have none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def spoken_value(value: object) -> str:
    """Return a value as a reader sees it: 10,000 rather than 10000, true as a study file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str(list(value))
    return f"{value:,}" if is_number(value) else str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``: whole ones if both ends are ``int``, fractions if both are ``float``.

    Raises:
        ValueError: If the range is empty, mixes both kinds, or has a scale or a step that does not fit.
    """

    low: float
    high: float
    _: dataclasses.KW_ONLY
    log: bool = False
    """Whether equal ratios, instead of equal differences, are equally likely."""
    step: float | None = None
    """Distance of the values; None for every fraction, or every whole number."""

    def __post_init__(self) -> None:
        if type(self.low) not in (int, float) or type(self.low) is not type(self.high):
            raise ValueError(f"low and high must both be int or float, got {self.low!r} and {self.high!r}")
        if not self.low <= self.high:
            raise ValueError(f"low must be at most high, got {self.low!r} and {self.high!r}")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError(f"a logarithmic range must begin above 0 and have no step, got {self!r}")
        if self.step is not None and not self.step > 0:
            raise ValueError(f"step must be above 0, got {self.step!r}")

    @property
    def is_int(self) -> bool:
        """Whether the values are whole numbers."""
        return isinstance(self.low, int)

    @property
    def grain(self) -> float | None:
        """Distance of neighbouring values; None if every fraction is a value."""
        return self.step or (1 if self.is_int else None)

    @property
    def is_continuous(self) -> bool:
        """Whether the values cannot be counted."""
        return self.grain is None

    @property
    def cells(self) -> int:
        """Number of values of a range that is not continuous."""
        assert self.grain, "only steps can be counted"
        return round((self.high - self.low) / self.grain) + 1

    def cell(self, place: int) -> Any:
        """Return a value of a range that is not continuous, counted from 0."""
        assert self.grain, "only steps can be counted"
        return min(self.low + self.grain * place, self.high)  # 0.1 + 0.1 * 2 is above 0.3

    def contains(self, value: Any) -> bool:
        """Return whether the range has a value, its step included."""
        if not self.low <= value <= self.high:
            return False
        steps = (value - self.low) / (self.grain or math.inf)
        return bool(abs(steps - round(steps)) < _ROUNDING)

    def value_at(self, unit: float) -> Any:
        """Return the value at a point of [0, 1), so that equal parts of it are equally likely.

        A logarithmic range is uniform in the logarithm; whole numbers get equal shares, the ends included.
        """
        if not self.log and not self.is_continuous:
            return self.cell(int(unit * self.cells))
        low, high = self._ends()
        point = math.exp(low + unit * (high - low)) if self.log else low + unit * (high - low)
        point = round(point) if self.is_int else point
        return min(max(point, self.low), self.high)  # exp(log(x)) may be off by one rounding

    def unit_at(self, value: Any) -> float:
        """Return the point of [0, 1] at which ``value_at`` has a value: the middle of its share."""
        if not self.log and self.grain:
            return (round((float(value) - self.low) / self.grain) + 0.5) / self.cells
        low, high = self._ends()
        return (self._scaled(float(value)) - low) / (high - low) if high > low else 0.5

    def coordinate(self, value: Any) -> float:
        """Return the place of a value on a figure's axis."""
        return float(value)

    def share(self, value: Any) -> float:
        """Return how far a value lies along a figure's axis, from 0 to 1."""
        low, high, place = (self._scaled(float(each)) for each in (self.low, self.high, value))
        return (place - low) / (high - low) if high > low else 0.5

    def in_order(self) -> "Range":
        """Return the range itself, whose values have an order."""
        return self

    def spoken(self) -> str:
        """Return the range in words: ``10 to 500, logarithmic``."""
        ends = dict.fromkeys(map(spoken_value, (self.low, self.high)))
        return " to ".join(ends) + (", logarithmic" if self.log else "")

    def internal(self, value: Any) -> float:
        """Return a value as Optuna's database stores it."""
        return float(value)

    def external(self, stored: float) -> Any:
        """Return the value that ``internal`` stored."""
        return int(stored) if self.is_int else float(stored)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form of Optuna's distribution, its keys in Optuna's order."""
        ends = {"low": self.low, "high": self.high}
        if self.is_int:
            return {"name": _WHOLE, "attributes": {"log": self.log, "step": self.grain, **ends}}
        return {"name": _FRACTIONS, "attributes": {"step": self.step, **ends, "log": self.log}}

    def _ends(self) -> tuple[float, float]:
        """Return both ends on the range's scale; whole numbers reach half a number further."""
        margin = 0.5 if self.is_int else 0.0
        return self._scaled(self.low - margin), self._scaled(self.high + margin)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log else value


@dataclasses.dataclass(frozen=True, slots=True)
class Choices:
    """Values of which one is taken, each equally likely.

    Raises:
        ValueError: If there are none.
    """

    choices: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("choices must have at least one value")

    @property
    def low(self) -> float:
        """Place of the first choice on a figure's axis."""
        return 0.0

    @property
    def high(self) -> float:
        """Place of the last choice on a figure's axis."""
        return float(len(self.choices) - 1)

    @property
    def log(self) -> bool:
        """Choices lie side by side."""
        return False

    @property
    def is_continuous(self) -> bool:
        """Choices can be counted."""
        return False

    @property
    def cells(self) -> int:
        """Number of choices."""
        return len(self.choices)

    def cell(self, place: int) -> Any:
        """Return a choice, counted from 0."""
        return self.choices[place]

    def contains(self, value: Any) -> bool:
        """Return whether a value is one of the choices."""
        return value in self.choices

    def value_at(self, unit: float) -> Any:
        """Return the choice at a point of [0, 1), so that all are equally likely."""
        return self.choices[int(unit * len(self.choices))]

    def unit_at(self, value: Any) -> float:
        """Return the point of [0, 1] at which ``value_at`` has a choice: the middle of its share."""
        return (self.choices.index(value) + 0.5) / len(self.choices)

    def coordinate(self, value: Any) -> float:
        """Return the place of a choice on a figure's axis."""
        return float(self.choices.index(value))

    def share(self, value: Any) -> float:
        """Return how far a choice lies along a figure's axis, from 0 to 1."""
        return self.coordinate(value) / self.high if self.high else 0.5

    @property
    def are_numbers(self) -> bool:
        """Whether the choices have an order."""
        return all(map(is_number, self.choices))

    def in_order(self) -> "Choices":
        """Return the choices by size if all are numbers, else as they are."""
        return Choices(tuple(sorted(self.choices))) if self.are_numbers else self

    def spoken(self) -> str:
        """Return the choices in words: ``16, 32, 64``."""
        return ", ".join(map(spoken_value, self.choices))

    def internal(self, value: Any) -> float:
        """Return a choice as Optuna's database stores it: by its place."""
        return self.choices.index(value)

    def external(self, stored: float) -> Any:
        """Return the choice that ``internal`` stored; raises ``IndexError`` if there is none."""
        return self.choices[int(stored)]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form of Optuna's distribution."""
        return {"name": _CHOICES, "attributes": {"choices": list(self.choices)}}


Dimension = Range | Choices
"""The values that a searched hyperparameter may have."""

_WHOLE, _FRACTIONS, _CHOICES = "IntDistribution", "FloatDistribution", "CategoricalDistribution"

_ROUNDING = 1e-8
"""Part of a step by which a value may miss it, as Optuna has it."""


def stored_dimension(stored: Mapping[str, Any]) -> Dimension:
    """Return the dimension of a distribution's JSON form.

    Raises:
        ValueError: If it is of no known kind, or its values do not fit; likewise KeyError, TypeError.

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
