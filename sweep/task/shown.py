"""Capabilities that concern what is stored and shown of runs, each with the default if a trainer lacks it."""

import math
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from sweep.metric import Fact
from sweep.task.core import AnyTask


@runtime_checkable
class DescribesFacts(Protocol):
    """Describes the facts that are shown beside the metric."""

    described_facts: Mapping[str, Fact]
    """Name, as in ``facts`` -> what it is, in the order of a table's columns."""


def described_facts(task: AnyTask) -> Mapping[str, Fact]:
    """Return the facts that are shown beside the metric; by default none."""
    return task.described_facts if isinstance(task, DescribesFacts) else {}


@runtime_checkable
class KeepsNotes(Protocol):
    """Notes findings beside the trials, which are stored with a study."""

    note_kinds: str
    """``module:object``, cheap to load: key in the database -> class of ``definition.notes.Note``."""


@runtime_checkable
class KnowsBaselines(Protocol):
    """Knows values that models without training reach."""

    def baselines(self, data: Any) -> dict[str, float]:
        """Return name -> value, in the metric's unit, worst first."""


def baselines(task: AnyTask, data: Any) -> dict[str, float]:
    """Return the values that models without training reach; by default none is known."""
    return task.baselines(data) if isinstance(task, KnowsBaselines) else {}


@runtime_checkable
class KnowsCeiling(Protocol):
    """Knows the value of a model that has learned nothing."""

    def loss_ceiling(self, data: Any) -> float:
        """Return it, in the metric's unit; a diverged trial appears to samplers at this value."""


def loss_ceiling(task: AnyTask, data: Any) -> float | None:
    """Return the value of knowing nothing; by default None."""
    return task.loss_ceiling(data) if isinstance(task, KnowsCeiling) else None


@runtime_checkable
class ChecksStates(Protocol):
    """Knows trained states that are no model."""

    def check_weights(self, state: bytes) -> None:
        """Refuse such a state; raises ``DataError``."""


def check_weights(task: AnyTask, state: bytes) -> None:
    """Refuse a trained state that is no model; by default every state is one."""
    if isinstance(task, ChecksStates):
        task.check_weights(state)


@runtime_checkable
class Contributes(Protocol):
    """Adds figures, sections, checks and commands of its own to what is shown."""

    contributions: str
    """``module:object`` of a ``reporting.contributions.Contributions``, loaded when something is shown."""


@runtime_checkable
class BoundsFigures(Protocol):
    """Counts a trial as feasible only if other figures than the metric stay within bounds."""

    bounds: Mapping[str, Mapping[str, float]]
    """Figure -> ``min``, ``max`` or both; the bounds themselves are allowed."""


def bounds(task: AnyTask) -> Mapping[str, Mapping[str, float]]:
    """Return the bounds of figures; by default there are none."""
    return task.bounds if isinstance(task, BoundsFigures) else {}


def why_infeasible(task: AnyTask, figures: Mapping[str, float]) -> str | None:
    """Return which bound a finished trial breaks; None if it is feasible."""
    for name, bound in bounds(task).items():
        if name not in figures:
            return f"no {name} was reported"
        if figures[name] > bound.get("max", math.inf):
            return f"{name} {figures[name]:.6g} is above {bound['max']:g}"
        if figures[name] < bound.get("min", -math.inf):
            return f"{name} {figures[name]:.6g} is below {bound['min']:g}"
    return None
