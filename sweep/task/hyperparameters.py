"""Define optional capabilities for hyperparameters, seeds and steps, each with its default."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from sweep.task.core import AnyTask, Config, Data
from sweep.values import Params, Value


@runtime_checkable
class ChecksRanges(Protocol):
    """The trainer refuses ranges within which a hyperparameter changes its meaning."""

    def check_range(self, name: str, low: float, high: float) -> None:
        """Refuse such a range; raises ``ConfigError``."""


def check_range(task: AnyTask, name: str, low: float, high: float) -> None:
    """Refuse a range if the trainer does; by default accept every range."""
    if isinstance(task, ChecksRanges):
        task.check_range(name, low, high)


def changed_fields(task: AnyTask, values: Params) -> set[str]:
    """Return the names of the hyperparameters that differ from their defaults."""
    defaults = task.make_config({}).to_dict()
    return {name for name, value in values.items() if value != defaults.get(name)}


@runtime_checkable
class AddsFields(Protocol):
    """The trainer has hyperparameters that earlier releases lacked."""

    later_fields: Params
    """Name -> default."""


def identifying_values(task: AnyTask, values: Params) -> dict[str, Value]:
    """Return the hyperparameters of an identity: all except ``later_fields`` at their defaults."""
    return without_defaults(values, task.later_fields if isinstance(task, AddsFields) else {})


def without_defaults(values: Params, defaults: Params) -> dict[str, Value]:
    """Return the values that have no default or differ from it.

    Examples:
        >>> without_defaults({"rate": 0.1, "clip": 0.0, "warmup": 5}, {"clip": 0.0, "warmup": 0})
        {'rate': 0.1, 'warmup': 5}
    """
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


@runtime_checkable
class NamesDependents(Protocol):
    """The trainer has hyperparameters whose values are set for the value of another."""

    dependents: Mapping[str, Collection[str]]
    """Hyperparameter -> those whose values mean something else once it changes."""


def dependents(task: AnyTask) -> Mapping[str, Collection[str]]:
    """Return the hyperparameters that are set for the value of another; empty by default."""
    return task.dependents if isinstance(task, NamesDependents) else {}


@runtime_checkable
class NamesSeedBound(Protocol):
    """The trainer takes seeds below its own bound."""

    seed_bound: int


def seed_bound(task: AnyTask) -> int:
    """Return the exclusive bound of a trainer's seeds; by default 2**31, which every library accepts."""
    return task.seed_bound if isinstance(task, NamesSeedBound) else 2**31


@runtime_checkable
class NamesShortRuns(Protocol):
    """The trainer has runs that are too short to prune."""

    shortest_with_rungs: int
    """Steps of the shortest run with rungs."""


def shortest_with_rungs(task: AnyTask) -> int:
    """Return the steps of the shortest run with rungs; by default 2."""
    return task.shortest_with_rungs if isinstance(task, NamesShortRuns) else 2


@runtime_checkable
class FindsValues(Protocol):
    """The trainer finds values for hyperparameters that a configuration leaves open."""

    auto_fields: tuple[str, ...]
    """Hyperparameters for which a study may give ``AUTO``."""

    def find_auto(
        self, config: Any, data: Any, names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, Value]:
        """Find values of ``auto_fields``, whatever values and seed the configuration has."""


def auto_fields(task: AnyTask) -> tuple[str, ...]:
    """Return the hyperparameters for which a study may give ``AUTO``; empty by default."""
    return task.auto_fields if isinstance(task, FindsValues) else ()


def find_auto(
    task: AnyTask, config: Config, data: Data, names: Sequence[str], *, engine: str, device: str
) -> dict[str, Value]:
    """Find the hyperparameters that a configuration leaves open; empty if there are none."""
    if not names:
        return {}
    assert isinstance(task, FindsValues), "the study file was checked"
    return task.find_auto(config, data, names, engine=engine, device=device)
