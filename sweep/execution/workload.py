"""What a run trains: a trainer with its data, and where."""

import dataclasses
from typing import Any

from sweep.task import AnyTask, TrialPlace


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
