"""Define the events that a run reports to its observer."""

import dataclasses
from collections.abc import Callable, Sequence

from sweep.definition.records import TrialRecord
from sweep.values import Params


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InTraining:
    """A trial in training."""

    params: Params
    spent: float
    """Seconds since it began."""
    total: float | None
    """Seconds from its beginning to its end, projected from its speed; None if that is unknown."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a run has come."""

    ended: Sequence[TrialRecord]
    training: Sequence[InTraining]
    numbers: range
    """Numbers of the trials to come."""
    workers: int
    """Trials in training at a time."""
    overhead: float = 0.0
    """Seconds between two trials of a worker."""


Outlook = Callable[[Standing], tuple[float, float] | None]
"""Returns the seconds until all trials have ended, at least and at most; None if nothing is known."""


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
    """A trial is claimed, resumes from a stored segment, or starts again."""

    trial: TrialRecord
    from_step: int
    """Step that it continues from; 0 if it begins or starts again."""
    num_steps: int
    ends: tuple[int, ...] = ()
    """Last steps of the remaining segments."""
    restart: str = ""
    """What an interrupted trial does that does not continue from a stored segment."""


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
