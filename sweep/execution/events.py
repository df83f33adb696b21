"""Define the events that a run reports to its observer."""

import dataclasses
from collections.abc import Callable

from sweep.definition.records import TrialRecord
from sweep.execution.planning.time_left import Outlook


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The driver owns the study and is about to start training."""

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
    """The workers' memory, in one line."""
    outlook: Outlook | None = None
    """Predicts how long the run takes; None if nobody can."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted:
    """A trial is claimed, or resumes from a stored segment."""

    trial: TrialRecord
    from_step: int
    num_steps: int
    ends: tuple[int, ...] = ()
    """Last steps of the remaining segments."""


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
    """A trial's program has reported a value, which is not on disk yet."""

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
    """An error or a warning that does not end the run."""

    text: str


Event = RunStarted | TrialStarted | SegmentStored | ValueReported | TrialEnded | Warned
Observer = Callable[[Event], None]


def both(first: Observer, second: Observer) -> Observer:
    """Return an observer that passes each event to two others, in this order."""

    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe
