"""Describe the searched hyperparameters of a study for its plan."""

import dataclasses
from collections.abc import Iterator

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.grid import MAX_DECISIONS, grid_size, n_decisions
from sweep.definition.spec import StudySpec
from sweep.task import in_shown_order


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One searched hyperparameter."""

    name: str
    values: int | None
    """Number of values, in the list if all trials are listed; None for a continuous range."""
    dimension: Dimension
    when: str
    """The condition as text; empty if the hyperparameter is always active."""


def knobs_of(spec: StudySpec) -> Iterator[Knob]:
    """Yield the searched hyperparameters of a study, in the order of the table's columns."""
    for name in in_shown_order(spec.task, spec.space):
        when = spec.space.spoken_condition(name)
        yield Knob(name=name, values=_n_values(spec, name), dimension=spec.space[name], when=when)


def _n_values(spec: StudySpec, name: str) -> int | None:
    dimension = spec.space[name]
    if spec.sampler == "listed" and not isinstance(dimension, Choices):
        return len({params[name] for params in spec.listed if name in params})
    return None if dimension.is_continuous else dimension.cells


def space_size(spec: StudySpec) -> int | None:
    """Return the number of configurations of a study; None if they cannot be counted."""
    if spec.sampler == "listed":
        return len(spec.listed)
    if any(d.is_continuous for d in spec.space.values()) or n_decisions(spec.space) > MAX_DECISIONS:
        return None
    return grid_size(spec.space)
