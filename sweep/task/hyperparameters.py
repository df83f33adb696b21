"""Capabilities that concern hyperparameters, seeds and steps, each with the default if a trainer lacks it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from sweep.task.core import AnyTask


@runtime_checkable
class ChecksRanges(Protocol):
    """Knows ranges in which a hyperparameter would change its meaning."""

    def check_range(self, name: str, low: float, high: float) -> None:
        """Refuse such a range; raises ``ConfigError``."""


def check_range(task: AnyTask, name: str, low: float, high: float) -> None:
    """Refuse a range that the trainer refuses; by default none is."""
    if isinstance(task, ChecksRanges):
        task.check_range(name, low, high)


def changed_fields(task: AnyTask, values: Mapping[str, Any]) -> set[str]:
    """Return the names of the hyperparameters that differ from their defaults."""
    defaults = task.make_config({}).to_dict()
    return {name for name, value in values.items() if value != defaults.get(name)}


@runtime_checkable
class AddsFields(Protocol):
    """Has hyperparameters that earlier releases did not have."""

    later_fields: Mapping[str, Any]
    """Each with its default."""


def identifying_values(task: AnyTask, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as an identity has them: without those of ``later_fields`` at their default."""
    return without_defaults(values, task.later_fields if isinstance(task, AddsFields) else {})


def without_defaults(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that have no default, or another one.

    Examples:
        >>> without_defaults({"rate": 0.1, "clip": 0.0, "warmup": 5}, {"clip": 0.0, "warmup": 0})
        {'rate': 0.1, 'warmup': 5}
    """
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


@runtime_checkable
class NamesSeedBound(Protocol):
    """Takes seeds below a bound of its own."""

    seed_bound: int


def seed_bound(task: AnyTask) -> int:
    """Return what a trainer's seeds stay below; by default 2**31, which every library takes."""
    return task.seed_bound if isinstance(task, NamesSeedBound) else 2**31


@runtime_checkable
class NamesShortRuns(Protocol):
    """Has runs that are too short to be compared before their end."""

    shortest_with_rungs: int
    """Steps of the shortest run that is compared at rungs."""


def shortest_with_rungs(task: AnyTask) -> int:
    """Return the steps of the shortest run that is compared at rungs; by default 2."""
    return task.shortest_with_rungs if isinstance(task, NamesShortRuns) else 2


@runtime_checkable
class FindsValues(Protocol):
    """Finds values of hyperparameters for a configuration that leaves them open."""

    auto_fields: tuple[str, ...]
    """Hyperparameters for which a study may give ``AUTO``."""

    def find_auto(
        self, config: Any, data: Any, names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, Any]:
        """Find values of ``auto_fields`` for a configuration, whatever it has for them and its seed."""


def auto_fields(task: AnyTask) -> tuple[str, ...]:
    """Return the hyperparameters for which a study may give ``AUTO``; by default none."""
    return task.auto_fields if isinstance(task, FindsValues) else ()


def find_auto(
    task: AnyTask, config: Any, data: Any, names: Sequence[str], *, engine: str, device: str
) -> dict[str, Any]:
    """Find what a configuration leaves open; nothing if it leaves nothing open."""
    if not names:
        return {}
    assert isinstance(task, FindsValues), "the study file was checked"
    return task.find_auto(config, data, names, engine=engine, device=device)
