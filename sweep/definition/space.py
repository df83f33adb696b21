"""Which values may a searched hyperparameter take?

A dimension is one of Optuna's distributions. This module makes it from a study file's entry
and reads it back in two ways of our own: value by value, and at a point of the unit interval.
The dimensions stand in the order of the hyperparameters, not of the file, so that moving a
line changes no proposal. ``conditions`` reads when a dimension is active, ``grid`` counts cells.
"""

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    json_to_distribution,
)

from sweep.definition import optuna_objects
from sweep.definition.mistakes import Mistakes
from sweep.errors import ConfigError, StudyFileError
from sweep.spelling import unknown
from sweep.task import AUTO, AnyTask, auto_fields

Conditions = Mapping[str, Mapping[str, tuple[Any, ...]]]
"""Hyperparameter -> others that it needs -> the values that they may have for it."""

_RANGE_KEYS = {"low", "high", "log", "step", "when"}
_CHOICES_KEYS = {"choices", "when"}

_MAX_STEPS = 1_000_000_000


class Space(dict[str, BaseDistribution]):
    """The searched hyperparameters, each with its dimension; some may be active under a condition only.

    A hyperparameter with a condition is active in a trial where every other one that the condition
    names is active and has one of the values given for it. Where it is not, it is no parameter of
    the trial.
    """

    def __init__(self, dimensions: Mapping[str, BaseDistribution], conditions: Conditions | None = None):
        super().__init__(dimensions)
        self.conditions: Conditions = conditions or {}

    def asking_order(self) -> list[str]:
        """Return the names, each after those that its condition needs, otherwise as they stand."""
        order: dict[str, None] = {}

        def add(name: str) -> None:
            for other in self.conditions.get(name, ()):
                add(other)
            order[name] = None

        for name in self:
            add(name)
        return list(order)

    def is_active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Say whether a hyperparameter is active beside the active ones that its condition needs."""
        needed = self.conditions.get(name, {})
        return all(other in params and params[other] in values for other, values in needed.items())

    def active_part(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """Return a point, which has a value for every dimension, without the inactive ones."""
        active: dict[str, Any] = {}
        for name in self.asking_order():
            if self.is_active(name, active):
                active[name] = point[name]
        return {name: active[name] for name in self if name in active}


def parse_space(entries: Mapping[str, Any], task: AnyTask) -> Space:
    """Turn ``[search]`` into distributions, without its conditions.

    Raises:
        StudyFileError: If an entry is unknown, empty, or its range or choices break a rule.
    """
    types = task.field_types()
    mistakes = Mistakes()
    dimensions: dict[str, BaseDistribution] = {}
    for name in [*types, *(name for name in entries if name not in types)]:
        if name in entries:
            with mistakes.noted():
                dimensions[name] = _parse_dimension(name, entries[name], task)
    mistakes.refuse()
    return Space(dimensions)


def space_of_list(listed: Sequence[Mapping[str, Any]], task: AnyTask) -> Space:
    """Return the smallest space that holds all listed configurations.

    Raises:
        StudyFileError: If the configurations do not set the same, known hyperparameters.
    """
    types = task.field_types()
    for name in (name for trial in listed for name in trial):
        if name not in types:
            raise StudyFileError(f"unknown key {name!r} in [[trial]]; known: {', '.join(types)}")
        if any(name not in trial for trial in listed):
            raise StudyFileError(f"every [[trial]] must set the same hyperparameters; one lacks {name}")
    configs = [task.make_config(trial) for trial in listed]
    searched = [name for name in types if listed and name in listed[0]]
    return Space({name: _hull([getattr(config, name) for config in configs]) for name in searched})


def space_of_identity(identity: Mapping[str, Any]) -> Space:
    """Return the space that a study's identity describes."""
    dimensions = {name: json_to_distribution(json.dumps(d)) for name, d in identity["search"].items()}
    conditions = {
        name: {other: tuple(values) for other, values in needed.items()}
        for name, needed in identity.get("when", {}).items()
    }
    return Space(dimensions, conditions)


def contains(dimension: BaseDistribution, value: Any) -> bool:
    """Say whether a dimension can take a value, its step included."""
    if isinstance(dimension, CategoricalDistribution):
        return value in dimension.choices
    return optuna_objects.contains(dimension, dimension.to_internal_repr(value))


def checked_value(name: str, value: Any, task: AnyTask, where: str = "search.") -> Any:
    """Return a value as the hyperparameter's field has it.

    Raises:
        StudyFileError: If it breaks the field's rule; ``where`` begins the message.
    """
    try:
        return getattr(task.make_config({name: value}), name)
    except ConfigError as error:
        raise StudyFileError(f"{where}{error}") from error


def value_at(dimension: BaseDistribution, unit: float) -> Any:
    """Return the value at a point of [0, 1), so that equal parts of it are equally likely.

    Ranges with ``log`` are uniform in the logarithm; whole numbers get equal shares, the ends
    included.
    """
    if isinstance(dimension, FloatDistribution) and not dimension.step:
        point = _between(dimension.low, dimension.high, unit, dimension.log)
        return min(max(point, dimension.low), dimension.high)  # exp(log(x)) may be off by one rounding
    if isinstance(dimension, IntDistribution) and dimension.log:
        point = _between(dimension.low - 0.5, dimension.high + 0.5, unit, log=True)
        return min(max(round(point), dimension.low), dimension.high)
    return value_number(dimension, int(unit * n_values(dimension)))


def n_values(dimension: BaseDistribution) -> int:
    """Return how many values a dimension has that can be counted: choices, or a range with a step."""
    if isinstance(dimension, CategoricalDistribution):
        return len(dimension.choices)
    assert isinstance(dimension, (IntDistribution, FloatDistribution)), "Optuna has three kinds"
    assert dimension.step, "only steps can be counted"
    return round((dimension.high - dimension.low) / dimension.step) + 1


def value_number(dimension: BaseDistribution, place: int) -> Any:
    """Return one of these values, counted from 0."""
    if isinstance(dimension, CategoricalDistribution):
        return dimension.choices[place]
    assert isinstance(dimension, (IntDistribution, FloatDistribution)), "Optuna has three kinds"
    assert dimension.step, "only steps can be counted"
    return min(dimension.low + dimension.step * place, dimension.high)  # 0.1 + 0.1 * 2 is above 0.3


def _between(low: float, high: float, unit: float, log: bool) -> float:
    if log:
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low)


def _hull(values: Sequence[Any]) -> BaseDistribution:
    kind = {int: IntDistribution, float: FloatDistribution}.get(type(values[0]))
    return kind(min(values), max(values)) if kind else CategoricalDistribution(sorted(set(values)))


def _parse_dimension(name: str, entry: Any, task: AnyTask) -> BaseDistribution:
    if name not in (types := task.field_types()):
        raise StudyFileError(unknown(f"hyperparameter {name!r} in [search]", name, types))
    if entry == AUTO and name in auto_fields(task):
        raise StudyFileError(f'search.{name} = "auto" is found, not searched; write it under [fixed]')
    if not isinstance(entry, Mapping) or not entry.keys() - {"when"}:
        raise StudyFileError(
            f"search.{name} must be {{ low = …, high = … }} or {{ choices = […] }}, got {entry!r}"
        )
    if "choices" in entry:
        return _parse_choices(name, entry, task)
    return _parse_range(name, entry, task)


def _parse_choices(name: str, entry: Mapping[str, Any], task: AnyTask) -> CategoricalDistribution:
    _refuse_keys(name, entry, _CHOICES_KEYS)
    choices = entry["choices"]
    if not isinstance(choices, list) or not choices:
        raise StudyFileError(f"search.{name}.choices must be a list with at least one value, got {choices!r}")
    checked: list[Any] = []
    for choice in choices:
        value = checked_value(name, choice, task)
        if value in checked:
            raise StudyFileError(f"search.{name}.choices holds {choice!r} twice; choices must differ")
        checked.append(value)
    return CategoricalDistribution(checked)


def _parse_range(name: str, entry: Mapping[str, Any], task: AnyTask) -> BaseDistribution:
    _refuse_keys(name, entry, _RANGE_KEYS)
    kind = task.field_types()[name]
    if kind is str:
        raise StudyFileError(f"search.{name} is a text and needs choices, got a range")
    for end in ("low", "high"):
        if end not in entry:
            raise StudyFileError(f"search.{name} lacks {end!r}")
    log, step = entry.get("log", False), entry.get("step")
    if type(log) is not bool:
        raise StudyFileError(f"search.{name}.log must be true or false, got {log!r}")
    if log and type(entry["low"]) in (int, float) and entry["low"] <= 0:
        raise StudyFileError(f"search.{name} is logarithmic and must start above 0, got low {entry['low']}")
    low, high = (checked_value(name, entry[end], task) for end in ("low", "high"))
    if low > high:
        raise StudyFileError(f"search.{name} is empty: low {low} is above high {high}")
    if log and step is not None:
        raise StudyFileError(f"search.{name} cannot have both log and step")
    if step is not None:
        _check_step(name, step, low, high, kind)
    if kind is int:
        return IntDistribution(low, high, log=log, step=step or 1)
    return FloatDistribution(low, high, log=log, step=None if step is None else float(step))


def _check_step(name: str, step: Any, low: float, high: float, kind: type) -> None:
    whole = type(step) is int
    if not (whole or (kind is float and type(step) is float and math.isfinite(step))) or step <= 0:
        raise StudyFileError(f"search.{name}.step must be a number above 0 of the range's kind, got {step!r}")
    if (high - low) / step > _MAX_STEPS:
        raise StudyFileError(f"search.{name}.step must leave at most {_MAX_STEPS:,} values, got {step!r}")
    if (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)):
        raise StudyFileError(f"search.{name}: steps of {step} from {low} do not reach high {high}")


def _refuse_keys(name: str, entry: Mapping[str, Any], known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise StudyFileError(unknown(f"key {key!r} in search.{name}", key, sorted(known)))
