"""Time some of a study's configurations briefly, in this process."""

import dataclasses
import time
from collections.abc import Iterator

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.spec import StudySpec
from sweep.errors import TooLargeError
from sweep.execution.machine.memory import check_fits
from sweep.execution.rungs import cuts
from sweep.execution.workload import count_costs
from sweep.samplers.make_samplers import qmc_point
from sweep.task import AnyTask, Data, Segment, find_auto, shortest_with_rungs
from sweep.values import Value

POINTS = 16
"""Most configurations that are timed."""

CALIBRATION_S = 15.0
"""Seconds after which no further configuration is timed; at least two are."""

_PROBE_STEPS = 50
_PROBE_S = 0.3
_MAX_PROBE_STEPS = 5_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A timed configuration."""

    params: dict[str, Value]
    num_steps: int
    costs: dict[str, int]
    """The trainer's costs, by name."""
    step_us: float
    """Microseconds of one step."""
    seconds: float
    """Expected seconds of the whole trial: steps, evaluations, and searches before training."""
    state_bytes: int


def time_some(task: AnyTask, spec: StudySpec, data: Data, *, engine: str, device: str) -> list[Timing]:
    """Time at least two configurations of a study, until ``CALIBRATION_S`` is over.

    Raises:
        TooLargeError: If no configuration to be timed fits into this machine's memory.
    """
    deadline, timings = time.monotonic() + CALIBRATION_S, list[Timing]()
    for params in _fitting(task, spec, data, device):
        if len(timings) >= 2 and time.monotonic() > deadline:
            break
        timings.append(_time(task, spec, data, params, engine=engine, device=device))
    return timings


def _fitting(task: AnyTask, spec: StudySpec, data: Data, device: str) -> Iterator[dict[str, Value]]:
    """Yield the configurations to be timed that fit into this machine's memory.

    Raises:
        TooLargeError: If none fits; the message is about the last one.
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


def _sample(spec: StudySpec) -> Iterator[dict[str, Value]]:
    """Yield configurations spread over the study's space, always the same."""
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
    task: AnyTask, spec: StudySpec, data: Data, params: dict[str, Value], *, engine: str, device: str
) -> Timing:
    """Time one step, which is mostly evaluation, and then more steps to get the time per step."""
    config = task.make_config({**spec.config_values(params), "seed": spec.seed})
    started = time.perf_counter()
    found = find_auto(task, config, data, spec.auto, engine=engine, device=device)
    finding = time.perf_counter() - started if found else 0.0
    config = config.replace(**found)

    def train(steps: int) -> Segment:
        until = min(steps, config.num_steps)
        return task.train_segment(config, data, None, until, engine=engine, device=device)

    state = train(1).state  # includes all one-time setup
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
