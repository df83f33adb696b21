"""Define optional capabilities for notes, baselines, bounds and reports, each with its default."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

from sweep.metric import Fact
from sweep.task.core import AnyTask, Data


@runtime_checkable
class DescribesFacts(Protocol):
    """The trainer describes the facts that tables show beside the metric."""

    described_facts: Mapping[str, Fact]
    """Name in ``facts`` -> its description, in the order of a table's columns."""


def described_facts(task: AnyTask) -> Mapping[str, Fact]:
    """Return the facts that tables show beside the metric; empty by default."""
    return task.described_facts if isinstance(task, DescribesFacts) else {}


def in_shown_order(task: AnyTask, names: Iterable[str]) -> list[str]:
    """Return hyperparameters in the order that tables, plans and the live view share.

    Those that the trainer always shows come first, in its order; the others follow as given.
    """
    given = dict.fromkeys(names)
    return [*(name for name in task.shown if name in given), *(n for n in given if n not in task.shown)]


TRAIN_SECONDS = "train_seconds"

_SECONDS = Fact(label="training seconds of the trial", unit="s", is_cost=True)


def costs_of(task: AnyTask) -> dict[str, Fact]:
    """Return the possible second objectives: the trainer's costs, and the training seconds."""
    costs = {name: fact for name, fact in described_facts(task).items() if fact.is_cost}
    return {**costs, TRAIN_SECONDS: _SECONDS}


@runtime_checkable
class KeepsNotes(Protocol):
    """The trainer stores notes beside a study's trials."""

    note_kinds: str
    """``module:object``, cheap to load: key in the database -> class of ``definition.notes.Note``."""


@runtime_checkable
class KnowsBaselines(Protocol):
    """The trainer knows the values of baseline models that need no training."""

    def baselines(self, data: Any) -> dict[str, float]:
        """Return a map from name to value, in the metric's unit, worst first."""


def baselines(task: AnyTask, data: Data) -> dict[str, float]:
    """Return the values of baseline models by name; empty by default."""
    return task.baselines(data) if isinstance(task, KnowsBaselines) else {}


@runtime_checkable
class KnowsCeiling(Protocol):
    """The trainer knows the value of a model that has learned nothing."""

    def loss_ceiling(self, data: Any) -> float:
        """Return that value, in the metric's unit; samplers see a diverged trial at this value."""


def loss_ceiling(task: AnyTask, data: Data) -> float | None:
    """Return the value of a model that has learned nothing; by default None."""
    return task.loss_ceiling(data) if isinstance(task, KnowsCeiling) else None


@runtime_checkable
class ChecksStates(Protocol):
    """The trainer recognises trained states that are not a valid model."""

    def check_weights(self, state: bytes) -> None:
        """Refuse such a state; raises ``DataError``."""


def check_weights(task: AnyTask, state: bytes) -> None:
    """Refuse a trained state that is not a valid model; by default accept every state."""
    if isinstance(task, ChecksStates):
        task.check_weights(state)


@runtime_checkable
class Contributes(Protocol):
    """The trainer adds figures, sections, checks and commands."""

    contributions: str
    """``module:object`` of a ``reporting.contributions.Contributions``, loaded on first use."""


@runtime_checkable
class BoundsFigures(Protocol):
    """A trial is feasible only if its other reported figures stay within bounds."""

    bounds: Mapping[str, Mapping[str, float]]
    """Figure -> ``min``, ``max`` or both, inclusive."""


def bounds(task: AnyTask) -> Mapping[str, Mapping[str, float]]:
    """Return the bounds of figures; empty by default."""
    return task.bounds if isinstance(task, BoundsFigures) else {}


def why_infeasible(task: AnyTask, figures: Mapping[str, float]) -> str | None:
    """Return the bound that a finished trial breaks; None if it is feasible."""
    for name, bound in bounds(task).items():
        if name not in figures:
            return f"no {name} was reported"
        if figures[name] > bound.get("max", math.inf):
            return f"{name} {figures[name]:.6g} is above {bound['max']:g}"
        if figures[name] < bound.get("min", -math.inf):
            return f"{name} {figures[name]:.6g} is below {bound['min']:g}"
    return None
