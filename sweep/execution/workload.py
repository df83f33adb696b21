"""Define the workload of a run, a trainer with its data and devices, and count its costs."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from sweep.task import AnyTask, Config, Data, TrialPlace, costs_of, places, resplit


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A trainer with its data, on an engine and devices."""

    task: AnyTask
    data: Data
    """The result of the trainer's ``load_data``."""
    engine: str
    devices: tuple[str, ...]
    """Devices for segments; a single process trains on the first."""
    place: TrialPlace | None = None
    """The place of programs' files; None for a trainer without programs."""
    cuts: Mapping[int, int] = dataclasses.field(default_factory=dict)
    """Seed -> number of the resplit of train and dev for its training; other seeds use the data as loaded."""

    def data_of(self, config: Config) -> Data:
        """Return the training data of a configuration."""
        number = self.cuts.get(config.seed)
        return self.data if number is None else resplit(self.task, self.data, number)

    def places(self, device: str) -> int:
        """Return the number of segments that a process trains at a time: one if their data differ."""
        return 1 if self.cuts else places(self.task, self.engine, device)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CostSpan:
    """The lowest and the highest value of one cost."""

    name: str
    unit: str
    """The unit; empty for a pure number."""
    fewest: int
    most: int


def count_costs(task: AnyTask, config: Config, data: Data) -> dict[str, int]:
    """Return a trainer's costs of a configuration, by name."""
    facts = task.facts(config, data)
    return {name: facts[name] for name in costs_of(task) if name in facts}


def cost_spans(task: AnyTask, counted: Sequence[Mapping[str, int]]) -> Iterator[CostSpan]:
    """Yield the span of each cost over several configurations."""
    for name, fact in costs_of(task).items():
        counts = [costs[name] for costs in counted if name in costs]
        if counts:
            yield CostSpan(name=name, unit=fact.unit, fewest=min(counts), most=max(counts))
