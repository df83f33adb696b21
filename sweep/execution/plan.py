"""What would a study cost?

A few configurations of the study's own space are timed for a moment each, alone on this process,
and extrapolated by their steps. From these times whole runs are drawn, which gives the wall-clock
with its spread. Nothing is stored and no trial is changed.
"""

import dataclasses
import heapq
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.spec import StudySpec
from sweep.errors import TooLargeError
from sweep.execution.machine.memory import check_fits, machine_bytes
from sweep.execution.machine.study_memory import check_study_fits, describe_memory, study_memory
from sweep.execution.planning.knobs import Knob, knobs_of, space_size
from sweep.execution.rungs import cuts
from sweep.execution.workload import CostSpan, cost_spans, count_costs
from sweep.samplers.samplers import NOT_LEARNING, qmc_point
from sweep.storage.checkpoints import THINNED_POINTS
from sweep.task import (
    AnyTask,
    Data,
    Segment,
    check_honoured,
    default_engine,
    find_auto,
    prepare_worker,
    shortest_with_rungs,
)

POINTS = 16
"""Configurations that are timed at most."""

CALIBRATION_S = 15.0
"""After so many seconds no further configuration is timed; at least two are."""

_PROBE_STEPS = 50
_PROBE_S = 0.3
_MAX_PROBE_STEPS = 5_000
_CURVE_POINT_BYTES = 12
_DRAWS = 400
_TAILS = (5, 50, 95)
_MAX_SIMULATED = 20_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One configuration that was timed."""

    params: dict[str, Any]
    num_steps: int
    costs: dict[str, int]
    """What the trainer counts as costs, by name."""
    step_us: float
    """Microseconds of one step."""
    seconds: float
    """Expected for the whole trial: steps, evaluations, and what is found beforehand."""
    state_bytes: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A middle with its 5 and 95 per cent."""

    low: float
    middle: float
    high: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlan:
    """What a study would cost; seconds are of this machine as it is now."""

    name: str
    sampler: str
    pruner: str
    replicates: int
    knobs: tuple[Knob, ...]
    size: int | None
    """Distinct configurations; None where a range is continuous, or conditions make it hard to count."""
    trials: int
    """The study's total."""
    left: int
    """Of these still to be trained."""
    listed: int
    workers: int
    timeout: float | None
    trial_timeout: float | None
    timings: tuple[Timing, ...]
    trial_seconds: Range
    """Of one trial, over the timed configurations; low and high are the least and the most."""
    wall_seconds: Range
    """Of all trials that are left, on all workers, without pruning and without timeout; their
    configurations are drawn at random from the timed ones, whatever the sampler."""
    longest_wall_seconds: float | None
    """The same if each trial were as long as the longest timed one, since a sampler that learns may turn
    to these; None where the sampler does not learn."""
    fit: int
    """Trials expected to end within one run's timeout; all that are left where there is none."""
    too_long: int
    """Timed configurations that ``trial_timeout`` would give up."""
    costs: tuple[CostSpan, ...]
    """Each cost that the trainer counts, over the ends of the ranges and the timed configurations."""
    disk_bytes: int
    """States and curves when all trials have ended."""
    memory_bytes: int | None
    """Of a worker that trains the largest configuration, estimated; None if the trainer cannot."""
    memory: str
    """The same in one line, with what to lower if it is more than this machine has; empty if unknown."""


def plan_study(
    task: AnyTask,
    spec: StudySpec,
    data: Data,
    *,
    workers: int,
    device: str,
    done: int = 0,
) -> StudyPlan:
    """Time some configurations and plan the study.

    Args:
        task: The trainer.
        spec: The study.
        data: What it trains on.
        workers: Processes that would train.
        device: Where; resolved.
        done: Trials that are stored already.

    Raises:
        DeviceError: If the device's engine does not know a hyperparameter that the study changes.
        TooLargeError: If no configuration that would be timed fits into this machine's memory.
    """
    engine = default_engine(task, device)
    check_honoured(task, engine, spec.changed_fields(task))
    memory = study_memory(task, spec, data, device=device)
    check_study_fits(task, data, memory)
    prepare_worker(task, data, engine=engine, device=device)
    deadline, timings = time.monotonic() + CALIBRATION_S, list[Timing]()
    for params in _fitting(task, spec, data, device):
        if len(timings) >= 2 and time.monotonic() > deadline:
            break
        timings.append(_time(task, spec, data, params, engine=engine, device=device))
    left = max(0, spec.total_trials - done)
    seconds = np.array([timing.seconds for timing in timings])
    runs: Iterable[list[float]]
    if _all_are_timed(spec, timings, done):
        runs = [np.repeat(seconds, spec.replicates)[:left].tolist()]
    else:
        runs = _drawn_runs(seconds, min(left, _MAX_SIMULATED))
    wall, fit = _simulate(runs, left, workers, spec.timeout)
    return StudyPlan(
        name=spec.name,
        sampler=spec.sampler,
        pruner=spec.pruner,
        replicates=spec.replicates,
        knobs=tuple(knobs_of(spec)),
        size=space_size(spec),
        trials=spec.total_trials,
        left=left,
        listed=len(spec.listed),
        workers=workers,
        timeout=spec.timeout,
        trial_timeout=spec.trial_timeout,
        timings=tuple(timings),
        trial_seconds=Range(
            low=float(seconds.min()), middle=float(np.median(seconds)), high=float(seconds.max())
        ),
        wall_seconds=wall,
        longest_wall_seconds=(
            None if spec.sampler in NOT_LEARNING else math.ceil(left / workers) * float(seconds.max())
        ),
        fit=fit,
        too_long=int((seconds > spec.trial_timeout).sum()) if spec.trial_timeout else 0,
        costs=tuple(_costs(task, spec, data, timings)),
        disk_bytes=_disk_bytes(spec, timings),
        memory_bytes=memory.most if memory else None,
        memory=describe_memory(task, data, memory, workers, machine_bytes()),
    )


def _fitting(task: AnyTask, spec: StudySpec, data: Data, device: str) -> Iterator[dict[str, Any]]:
    """Yield those of the configurations to be timed that fit into this machine's memory.

    Raises:
        TooLargeError: If none does; the text is of the last one.
    """
    fault, is_empty = None, True
    for params in _sample(spec):
        try:
            check_fits(task, task.make_config(spec.config_values(params)), data, device=device)
        except TooLargeError as error:
            fault = error
        else:
            is_empty = False
            yield params
    if fault and is_empty:
        raise fault


def _sample(spec: StudySpec) -> Iterator[dict[str, Any]]:
    """Yield configurations spread over what the study will train, the same ones each time."""
    if spec.sampler == "grid":
        size = grid_size(spec.space)
        count = min(size, POINTS)
        yield from (grid_cell(spec.space, (2 * k + 1) * size // (2 * count)) for k in range(count))
    elif spec.sampler == "listed":
        count = min(len(spec.listed), POINTS)
        yield from (spec.listed[(2 * k + 1) * len(spec.listed) // (2 * count)] for k in range(count))
    else:
        yield from (spec.space.active_part(qmc_point(spec.space, 0, k)) for k in range(POINTS))


def _time(
    task: AnyTask, spec: StudySpec, data: Data, params: dict[str, Any], *, engine: str, device: str
) -> Timing:
    """Time one step, which is mostly evaluation, and then more, of which the rest is steps."""
    config = task.make_config({**spec.config_values(params), "seed": spec.seed})
    started = time.perf_counter()
    found = find_auto(task, config, data, spec.auto, engine=engine, device=device)
    finding = time.perf_counter() - started if found else 0.0
    config = config.replace(**found)

    def train(steps: int) -> Segment:
        until = min(steps, config.num_steps)
        return task.train_segment(config, data, None, until, engine=engine, device=device)

    state = train(1).state  # builds what is built once
    one = train(1).seconds
    per_step = max(train(_PROBE_STEPS).seconds - one, 1e-7) / (_PROBE_STEPS - 1)
    steps = min(int(_PROBE_S / per_step), _MAX_PROBE_STEPS, config.num_steps)
    if steps > _PROBE_STEPS:
        per_step = max(train(steps).seconds - one, 1e-7) / (steps - 1)
    return Timing(
        params=params,
        num_steps=config.num_steps,
        costs=count_costs(task, config, data),
        step_us=per_step * 1e6,
        seconds=finding
        + per_step * config.num_steps
        + one * len(cuts(config.num_steps, shortest_with_rungs(task))),
        state_bytes=len(state),
    )


def _all_are_timed(spec: StudySpec, timings: Sequence[Timing], done: int) -> bool:
    """Say whether the timed configurations are the study's own, in its order."""
    return not done and spec.sampler in ("grid", "listed") and len(timings) == space_size(spec)


def _drawn_runs(seconds: np.ndarray, count: int) -> Iterator[list[float]]:
    """Yield the seconds of each trial in runs that are drawn from the timed ones.

    Each run first redraws which configurations were timed (the bootstrap), so that few of them
    give a wide range, and then its trials.
    """
    draw = np.random.default_rng(0)
    for _ in range(_DRAWS if count * _DRAWS <= 1_000_000 else 50):
        yield draw.choice(draw.choice(seconds, len(seconds)), count).tolist()


def _simulate(
    runs: Iterable[list[float]], left: int, workers: int, timeout: float | None
) -> tuple[Range, int]:
    """Return the wall-clock of runs, which may hold a part of the trials, and how many trials fit."""
    walls, fits = [], []
    for run in runs:
        ends = _ends(run, workers)
        walls.append(max(ends, default=0.0) * (left / len(run) if run else 0))
        fits.append(sum(end <= timeout for end in ends) if timeout else left)
    low, middle, high = (float(value) for value in np.percentile(walls, _TAILS))
    return Range(low=low, middle=middle, high=high), int(np.median(fits))


def _ends(seconds: Sequence[float], workers: int) -> list[float]:
    """Return when each trial ends if every worker takes the next one as soon as it is free."""
    free, ends = [0.0] * workers, []
    for duration in seconds:
        ends.append(free[0] + duration)
        heapq.heapreplace(free, ends[-1])
    return ends


def _costs(task: AnyTask, spec: StudySpec, data: Data, timings: Sequence[Timing]) -> Iterator[CostSpan]:
    ends = [spec.space.point_at(float(unit)) for unit in (0.0, np.nextafter(1.0, 0.0))]
    configs = [task.make_config(spec.config_values(end)) for end in ends]
    counted = [count_costs(task, config, data) for config in configs]
    return cost_spans(task, [*counted, *(timing.costs for timing in timings)])


def _disk_bytes(spec: StudySpec, timings: Sequence[Timing]) -> int:
    kept = min(spec.keep, spec.total_trials)
    whole = sum(t.state_bytes + t.num_steps * _CURVE_POINT_BYTES for t in timings) / len(timings)
    return round(kept * whole + (spec.total_trials - kept) * THINNED_POINTS * _CURVE_POINT_BYTES)
