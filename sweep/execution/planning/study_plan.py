"""Estimate the cost of a study.

A few configurations of the study's space are timed briefly in this process and extrapolated to all their
steps. Whole runs are drawn from these times, which gives the wall-clock time with its spread. Nothing is
stored.
"""

import dataclasses
import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sweep.definition.spec import StudySpec
from sweep.execution.machine.memory import machine_bytes
from sweep.execution.machine.study_memory import check_study_fits, describe_memory, study_memory
from sweep.execution.planning.knobs import space_size
from sweep.execution.planning.planned import PlannedStudy, planned_study
from sweep.execution.planning.rehearsal import Work
from sweep.execution.planning.time_left import rehearsed_runs
from sweep.execution.planning.timing import Timing, time_some
from sweep.execution.planning.wall_clock import Range, drawn_runs, simulate
from sweep.execution.workload import CostSpan, cost_spans, count_costs
from sweep.samplers.make_samplers import NOT_LEARNING
from sweep.storage.checkpoints import THINNED_POINTS
from sweep.task import AnyTask, Data, check_honoured, default_engine, prepare_worker
from sweep.values import Params

_CURVE_POINT_BYTES = 12
_MAX_SIMULATED = 20_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """The estimated cost of a study; times are for this machine in its present state."""

    study: PlannedStudy
    timings: tuple[Timing, ...]
    trial_seconds: Range
    """Seconds of one trial, over the timed configurations; low and high are the least and the most."""
    wall_seconds: Range
    """Seconds of all remaining trials on all workers, without pruning and timeout. Their configurations are
    those of rehearsals of a sampler that learns, else drawn at random from the timed ones."""
    longest_wall_seconds: float | None
    """The same if each trial were as long as the longest timed one, because a sampler that learns may
    prefer those; None if the sampler does not learn."""
    fit: int
    """Number of trials expected to end within one run's timeout; all remaining ones without a timeout."""
    too_long: int
    """Number of timed configurations that exceed ``trial_timeout``."""
    costs: tuple[CostSpan, ...]
    """The trainer's costs, over the ends of the ranges and the timed configurations."""
    disk_bytes: int
    """Size of states and curves when all trials have ended."""
    memory_bytes: int | None
    """Estimated memory of a worker that trains the largest configuration; None if unknown."""
    memory: str
    """The same in one line, with advice if this machine has less; empty if unknown."""


def plan_study(
    task: AnyTask, spec: StudySpec, data: Data, *, workers: int, device: str, done: int = 0
) -> StudyPlan:
    """Time some configurations and plan the study.

    Args:
        task: The trainer.
        spec: The study.
        data: The trainer's data.
        workers: Number of worker processes.
        device: The device, resolved.
        done: Number of trials already stored.

    Raises:
        DeviceError: If the device's engine does not support a hyperparameter that the study changes.
        TooLargeError: If no configuration to be timed fits into this machine's memory.
    """
    engine = default_engine(task, device)
    check_honoured(task, engine, spec.changed_fields(task))
    memory = study_memory(task, spec, data, device=device)
    check_study_fits(task, data, memory)
    prepare_worker(task, data, engine=engine, device=device)
    timings = time_some(task, spec, data, engine=engine, device=device)
    study = planned_study(spec, done=done, workers=workers)
    return StudyPlan(
        study=study,
        timings=tuple(timings),
        **_seconds(spec, timings, study.left, workers, functools.partial(_work, task, spec, data)),
        costs=tuple(_costs(task, spec, data, timings)),
        disk_bytes=_disk_bytes(spec, timings),
        memory_bytes=memory.most if memory else None,
        memory=describe_memory(task, data, memory, workers, machine_bytes()),
    )


def _work(task: AnyTask, spec: StudySpec, data: Data, params: Params) -> float:
    return task.work(task.make_config(spec.config_values(params)), data)


def _seconds(
    spec: StudySpec, timings: Sequence[Timing], left: int, workers: int, work: Work
) -> dict[str, Any]:
    """Return the fields of a plan that follow from the timings."""
    seconds = np.array([timing.seconds for timing in timings])
    runs: Iterable[list[float]]
    if _all_are_timed(spec, timings, left):
        runs = [np.repeat(seconds, spec.replicates)[:left].tolist()]
    elif left and spec.sampler not in NOT_LEARNING:
        timed = [(timing.params, timing.seconds) for timing in timings]
        runs = rehearsed_runs(spec, work, timed, left, _MAX_SIMULATED)
    else:
        runs = drawn_runs(seconds, min(left, _MAX_SIMULATED))
    wall, fit = simulate(runs, left, workers, spec.timeout)
    longest = float(seconds.max())
    return {
        "trial_seconds": Range(low=float(seconds.min()), middle=float(np.median(seconds)), high=longest),
        "wall_seconds": wall,
        "longest_wall_seconds": (
            None if spec.sampler in NOT_LEARNING else math.ceil(left / workers) * longest
        ),
        "fit": fit,
        "too_long": int((seconds > spec.trial_timeout).sum()) if spec.trial_timeout else 0,
    }


def _all_are_timed(spec: StudySpec, timings: Sequence[Timing], left: int) -> bool:
    """Return whether the timed configurations are the study's own, in order, and none is trained yet."""
    return (
        left == spec.total_trials and spec.sampler in ("grid", "listed") and len(timings) == space_size(spec)
    )


def _costs(task: AnyTask, spec: StudySpec, data: Data, timings: Sequence[Timing]) -> Iterator[CostSpan]:
    ends = [spec.space.point_at(float(unit)) for unit in (0.0, np.nextafter(1.0, 0.0))]
    configs = [task.make_config(spec.config_values(end)) for end in ends]
    counted = [count_costs(task, config, data) for config in configs]
    return cost_spans(task, [*counted, *(timing.costs for timing in timings)])


def _disk_bytes(spec: StudySpec, timings: Sequence[Timing]) -> int:
    kept = min(spec.keep, spec.total_trials)
    whole = sum(t.state_bytes + t.num_steps * _CURVE_POINT_BYTES for t in timings) / len(timings)
    return round(kept * whole + (spec.total_trials - kept) * THINNED_POINTS * _CURVE_POINT_BYTES)
