"""Which values may a searched hyperparameter take?

A dimension is one of Optuna's distributions. This module makes it from a study file's entry
and reads it back in two ways of our own: cell by cell, and at a point of the unit interval.
The dimensions stand in the order of the hyperparameters, not of the file, so that moving a
line changes no proposal.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from sweep.errors import ConfigError, StudyFileError
from sweep.task.protocol import AnyTask

Space = dict[str, BaseDistribution]

_RANGE_KEYS = {"low", "high", "log", "step"}

_MAX_STEPS = 1_000_000_000


def parse_space(entries: Mapping[str, Any], task: AnyTask) -> Space:
    """Turn ``[search]`` into distributions.

    Raises:
        StudyFileError: If an entry is unknown, empty, or its range or choices break a rule.
    """
    types = task.field_types()
    for name in entries:
        if name not in types:
            raise StudyFileError(f"unknown hyperparameter {name!r} in [search]; known: {', '.join(types)}")
    return {name: _parse_dimension(name, entries[name], task) for name in types if name in entries}


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
    return {name: _hull([getattr(config, name) for config in configs]) for name in searched}


def contains(dimension: BaseDistribution, value: Any) -> bool:
    """Say whether a dimension can take a value, its step included."""
    if isinstance(dimension, CategoricalDistribution):
        return value in dimension.choices
    return bool(dimension._contains(dimension.to_internal_repr(value)))


def grid_cell(space: Space, number: int) -> dict[str, Any]:
    """Return combination ``number`` of the dimensions' values, the last dimension fastest."""
    cell = {}
    for name, dimension in reversed(space.items()):
        number, place = divmod(number, _n_values(dimension))
        cell[name] = _value_number(dimension, place)
    return {name: cell[name] for name in space}


def grid_size(space: Space) -> int:
    """Return how many cells the grid has."""
    return math.prod(_n_values(dimension) for dimension in space.values())


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
    return _value_number(dimension, int(unit * _n_values(dimension)))


def _between(low: float, high: float, unit: float, log: bool) -> float:
    if log:
        return math.exp(math.log(low) + unit * (math.log(high) - math.log(low)))
    return low + unit * (high - low)


def _n_values(dimension: BaseDistribution) -> int:
    if isinstance(dimension, CategoricalDistribution):
        return len(dimension.choices)
    assert isinstance(dimension, (IntDistribution, FloatDistribution)), "Optuna has three kinds"
    assert dimension.step, "the study file demands a step for the grid"
    return round((dimension.high - dimension.low) / dimension.step) + 1


def _value_number(dimension: BaseDistribution, place: int) -> Any:
    if isinstance(dimension, CategoricalDistribution):
        return dimension.choices[place]
    assert isinstance(dimension, (IntDistribution, FloatDistribution)), "Optuna has three kinds"
    assert dimension.step, "only steps can be counted"
    return min(dimension.low + dimension.step * place, dimension.high)  # 0.1 + 0.1 * 2 is above 0.3


def _hull(values: Sequence[Any]) -> BaseDistribution:
    kind = {int: IntDistribution, float: FloatDistribution}.get(type(values[0]))
    return kind(min(values), max(values)) if kind else CategoricalDistribution(sorted(set(values)))


def _parse_dimension(name: str, entry: Any, task: AnyTask) -> BaseDistribution:
    if not isinstance(entry, Mapping) or not entry:
        raise StudyFileError(
            f"search.{name} must be {{ low = …, high = … }} or {{ choices = […] }}, got {entry!r}"
        )
    if "choices" in entry:
        return _parse_choices(name, entry, task)
    return _parse_range(name, entry, task)


def _parse_choices(name: str, entry: Mapping[str, Any], task: AnyTask) -> CategoricalDistribution:
    _refuse_keys(name, entry, {"choices"})
    choices = entry["choices"]
    if not isinstance(choices, list) or not choices:
        raise StudyFileError(f"search.{name}.choices must be a list with at least one value, got {choices!r}")
    checked: list[Any] = []
    for choice in choices:
        value = _checked_value(name, choice, task)
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
    low, high = (_checked_value(name, entry[end], task) for end in ("low", "high"))
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


def _checked_value(name: str, value: Any, task: AnyTask) -> Any:
    try:
        return getattr(task.make_config({name: value}), name)
    except ConfigError as error:
        raise StudyFileError(f"search.{error}") from error


def _refuse_keys(name: str, entry: Mapping[str, Any], known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise StudyFileError(f"unknown key {key!r} in search.{name}; known: {', '.join(sorted(known))}")
