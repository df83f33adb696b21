"""Describe the study that a plan is made for, whoever trains it."""

import dataclasses

from sweep.definition.spec import StudySpec
from sweep.execution.planning.knobs import Knob, knobs_of, space_size


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStudy:
    """A study, and how many of its trials are left."""

    name: str
    sampler: str
    pruner: str
    replicates: int
    knobs: tuple[Knob, ...]
    size: int | None
    """Number of distinct configurations; None if a range is continuous or conditions prevent counting."""
    trials: int
    """Total number of trials."""
    left: int
    """Number of trials still to be trained."""
    listed: int
    workers: int
    timeout: float | None
    trial_timeout: float | None


def planned_study(spec: StudySpec, *, done: int, workers: int) -> PlannedStudy:
    """Return the study that a plan is made for.

    Args:
        spec: The study.
        done: Number of trials that are stored and finished.
        workers: Number of trials in training at a time.
    """
    return PlannedStudy(
        name=spec.name,
        sampler=spec.sampler,
        pruner=spec.pruner,
        replicates=spec.replicates,
        knobs=tuple(knobs_of(spec)),
        size=space_size(spec),
        trials=spec.total_trials,
        left=max(0, spec.total_trials - done),
        listed=len(spec.listed),
        workers=workers,
        timeout=spec.timeout,
        trial_timeout=spec.trial_timeout,
    )
