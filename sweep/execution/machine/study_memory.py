"""Estimate the memory that the workers of a study need."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.spec import StudySpec
from sweep.execution.machine.memory import check_fits, gigabytes, machine_bytes, what_to_lower
from sweep.task import AnyTask, Config, Data, NeedsMemory
from sweep.values import Params, Value

_ENDS = (0.0, math.nextafter(1.0, 0.0))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyMemory:
    """Memory of a worker over the configurations of a study, in bytes."""

    least: int
    most: int
    largest: Config
    """The configuration that needs the most memory."""
    device: str


def study_memory(task: AnyTask, spec: StudySpec, data: Data, *, device: str) -> StudyMemory | None:
    """Return the least and the most memory of a worker over a study's configurations; None if unknown."""
    if not isinstance(task, NeedsMemory):
        return None

    def needed(config: Config) -> int:
        return task.memory(config, data, device=device)

    configs = list(_extremes(task, spec, needed))
    largest = max(configs, key=needed)
    return StudyMemory(least=min(map(needed, configs)), most=needed(largest), largest=largest, device=device)


def check_study_fits(task: AnyTask, data: Data, memory: StudyMemory | None) -> None:
    """Refuse a study of which no configuration can fit into this machine's memory.

    Raises:
        TooLargeError: If the smallest one needs more; the message is about the largest one.
    """
    if memory is not None and memory.least > machine_bytes():
        check_fits(task, memory.largest, data, device=memory.device)


def describe_memory(
    task: AnyTask, data: Data, memory: StudyMemory | None, workers: int, there: float = math.inf
) -> str:
    """Return one line about a worker's memory, with advice if the machine has less; empty if unknown.

    Args:
        task: The trainer.
        data: The trainer's data.
        memory: The study's memory.
        workers: Number of workers.
        there: Memory of the machine that they share, in bytes; infinite if unknown.
    """
    if memory is None:
        return ""
    line = f"memory: a worker needs about {gigabytes(memory.most)} at most"
    if memory.most > there:
        lower = what_to_lower(task, memory.largest, data, memory.device)
        return f"{line}, this machine has {gigabytes(there)}; larger trials will fail: lower {lower}"
    if memory.most * workers > there:
        return (
            f"{line}, this machine has {gigabytes(there)}: too little for {workers} at their largest; "
            f"--workers {there // memory.most:.0f} fit"
        )
    return line


def _extremes(task: AnyTask, spec: StudySpec, needed: Callable[[Config], int]) -> Iterator[Config]:
    """Yield configurations that include the smallest and the largest: the list, and the space's ends.

    Each hyperparameter in turn is set to the end of its range, or the choice, that needs the most (or least)
    memory, which finds the extremes if no hyperparameter reverses the effect of another.
    """
    for params in spec.listed:
        yield task.make_config(spec.config_values(params))
    if spec.sampler == "listed":
        return
    for choose in (min, max):
        params = {name: dimension.value_at(0.0) for name, dimension in spec.space.items()}
        for name, dimension in spec.space.items():
            ways = [{**params, name: value} for value in _ends(dimension)]
            params = choose(ways, key=lambda way: needed(_config(task, spec, way)))
        yield _config(task, spec, params)


def _config(task: AnyTask, spec: StudySpec, params: Params) -> Config:
    config: Config = task.make_config(spec.config_values(spec.space.active_part(dict(params))))
    return config


def _ends(dimension: Dimension) -> Iterable[Value]:
    if isinstance(dimension, Choices):
        return dimension.choices
    return [dimension.value_at(unit) for unit in _ENDS]
