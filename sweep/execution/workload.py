"""What a run trains: a trainer with its data, and where; and what its trainer counts as costs."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sweep.definition.records import costs_of
from sweep.task import AnyTask, Config, TrialPlace, places, resplit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A trainer with its data, on an engine and devices."""

    task: AnyTask
    data: Any
    """What the trainer's ``load_data`` returned."""
    engine: str
    devices: tuple[str, ...]
    """Where segments may run; if one process trains alone, on the first."""
    place: TrialPlace | None = None
    """Where a trainer that runs programs keeps their files; None for every other trainer."""
    cuts: Mapping[int, int] = dataclasses.field(default_factory=dict)
    """Seed -> number of the cut of train and dev that its training has; others have the data as loaded."""

    def data_of(self, config: Config) -> Any:
        """Return the data that a configuration is trained on."""
        number = self.cuts.get(config.seed)
        return self.data if number is None else resplit(self.task, self.data, number)

    def places(self, device: str) -> int:
        """Return how many segments a process trains at a time: one if they differ in data."""
        return 1 if self.cuts else places(self.task, self.engine, device)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CostSpan:
    """The fewest and the most of one cost."""

    name: str
    unit: str
    """What it counts; empty for a pure number."""
    fewest: int
    most: int


def count_costs(task: AnyTask, config: Any, data: Any) -> dict[str, int]:
    """Return the costs that a trainer counts of a configuration, by name."""
    facts = task.facts(config, data)
    return {name: facts[name] for name in costs_of(task) if name in facts}


def cost_spans(task: AnyTask, counted: Sequence[Mapping[str, int]]) -> Iterator[CostSpan]:
    """Yield the span of each cost over several configurations."""
    for name, fact in costs_of(task).items():
        counts = [costs[name] for costs in counted if name in costs]
        if counts:
            yield CostSpan(name=name, unit=fact.unit, fewest=min(counts), most=max(counts))
