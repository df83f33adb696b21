"""What does a running sweep tell whoever watches it?"""

import dataclasses
from collections.abc import Callable

from sweep.definition.records import TrialRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The driver owns the study and is about to train."""

    done: int
    total: int
    workers: int
    engine: str
    device: str
    data_facts: str
    finished: tuple[TrialRecord, ...] = ()
    """The trials of earlier runs."""
    timeout: float | None = None
    """Seconds after which this run stops."""
    memory: str = ""
    """What the workers need, in one line."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A trial is claimed, or goes on from a stored segment."""

    trial: TrialRecord
    from_step: int
    num_steps: int
    ends: tuple[int, ...] = ()
    """Last steps of the segments that are still to be trained."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStored:
    """A segment is on disk."""

    trial: int
    step: int
    num_steps: int
    dev_loss: float
    seconds: float
    """Wall time of the segment."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ValueReported:
    """A trial's program has reported a value; nothing of it is on disk yet."""

    trial: int
    step: int
    value: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded:
    """A trial's end is on disk."""

    trial: TrialRecord
    done: int
    total: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something went wrong that the sweep survives."""

    text: str


Event = RunStarted | TrialStarted | SegmentStored | ValueReported | TrialEnded | Warned
Observer = Callable[[Event], None]
