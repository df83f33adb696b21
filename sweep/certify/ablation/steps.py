"""Judge an ablation: what each step brings, from paired differences."""

import dataclasses
import statistics
from collections.abc import Sequence

import numpy as np

from sweep.certify.ablation.ablation_plan import Ablation, round_losses
from sweep.certify.ablation.changes import spoken_changes
from sweep.certify.ablation.stored_ablation import StoredAblation
from sweep.certify.statistics.selection import is_constant, mean_interval


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference of two configurations on the same seeds, in the metric's unit."""

    mean: float
    low: float | None
    high: float | None
    """95 % interval of this difference alone; None if it is the same on every seed."""

    @property
    def is_shown(self) -> bool:
        """Whether the interval does not contain 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One configuration on the way."""

    names: tuple[str, ...]
    """Hyperparameters that change in this step; empty for the first configuration."""
    changes: tuple[str, ...]
    """The change of each in words."""
    values: tuple[float, ...]
    """Value on each seed, in the metric's unit; empty if a training has none."""
    seeds: tuple[int, ...]
    difference: Difference | None
    """Difference from the step before; None for the first one, or if a value is missing."""
    reason: str | None = None
    """Why a training has no value."""

    @property
    def mean(self) -> float | None:
        """Mean over the seeds."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def sd(self) -> float | None:
        """Sample standard deviation over the seeds."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AblationResult:
    """The result of an ablation so far."""

    ablation: Ablation
    steps: tuple[Step, ...]
    """The first configuration, then each step on the path whose trainings are finished."""
    total: Difference | None
    """Difference of the last configuration from the first one; None before the end."""
    remaining: int
    """Least number of trainings that are still to be made."""

    @property
    def shown(self) -> tuple[Step, ...]:
        """The steps whose interval does not contain 0."""
        return tuple(step for step in self.steps if step.difference and step.difference.is_shown)


def judge_ablation(stored: StoredAblation) -> AblationResult:
    """Return the result of an ablation, finished or not."""
    course, losses = stored.course, stored.losses
    rounds = {n: round_losses(stored.ablation, losses, n, "certify") for n in course.path}
    done = [number for number in course.path if len(rounds[number]) == stored.ablation.seeds]
    if done != list(course.path[: len(done)]):
        done = []  # the rounds of a path end together
    steps = [_step(stored, before, number) for before, number in zip([None, *done], done, strict=False)]
    finished = not course.jobs and len(steps) > 1
    return AblationResult(
        ablation=stored.ablation,
        steps=tuple(steps),
        total=_difference(steps[0].values, steps[-1].values) if finished else None,
        remaining=len(course.jobs),
    )


def _step(stored: StoredAblation, before: int | None, number: int) -> Step:
    ablation = stored.ablation
    names = () if before is None else ablation.names_between(before, number)
    values = _values(stored, number)
    trials = [trial for job, trial in stored.trials.items() if job[:2] == (number, "certify")]
    return Step(
        names=names,
        changes=spoken_changes(names, ablation.before, ablation.after),
        values=values,
        seeds=tuple(trial.seed for trial in sorted(trials, key=lambda trial: trial.labels["round"])),
        difference=None if before is None else _difference(_values(stored, before), values),
        reason=next((t.reason or t.state for t in trials if t.dev_loss is None), None),
    )


def _values(stored: StoredAblation, number: int) -> tuple[float, ...]:
    """Return a configuration's value on each seed; none if a training has none."""
    losses = round_losses(stored.ablation, stored.losses, number, "certify")
    found = [stored.as_loss(loss) for loss in losses if loss is not None]
    return tuple(found) if len(found) == len(losses) else ()


def _difference(before: Sequence[float], after: Sequence[float]) -> Difference | None:
    """Return the second less the first, paired by seed."""
    if not before or not after:
        return None
    paired = np.array(after) - np.array(before)
    if is_constant(paired):
        return Difference(mean=float(paired.mean()), low=None, high=None)
    interval = mean_interval(paired)
    return Difference(mean=float(paired.mean()), low=float(interval.low), high=float(interval.high))
