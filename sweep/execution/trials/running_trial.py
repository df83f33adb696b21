"""Define a trial in training, which can return its own record.

The driver advances it from segment to segment; it does not depend on pools, databases and files.
"""

import dataclasses
import datetime
import hashlib
import os
import socket
from collections.abc import Mapping
from typing import NamedTuple

from sweep.definition.records import SegmentRecord, TrialRecord
from sweep.execution.rungs import Cut
from sweep.execution.workload import Workload
from sweep.task import Config, Segment
from sweep.values import Json, Params, Value


class End(NamedTuple):
    """The end of a trial: one of ``records.STATES`` with a loss or a reason."""

    state: str
    dev_loss: float | None = None
    reason: str | None = None


RUNNING = End("running")
"""The ``End`` of a trial that continues."""


def origin(workload: Workload, device: str) -> dict[str, str]:
    """Return the process that trains a trial, its engine and its device."""
    return {
        "engine": workload.engine,
        "device": device,
        "owner": f"{socket.gethostname()}:{os.getpid()}",
    }


def _now() -> datetime.datetime:
    """Return the local time."""
    return datetime.datetime.now().astimezone()


@dataclasses.dataclass(slots=True, kw_only=True)
class RunningTrial:
    """A trial in training."""

    number: int
    trial_id: int
    """The trial's id in the database."""
    workload: Workload
    config: Config
    params: dict[str, Value]
    labels: dict[str, Json]
    """Further attributes stored with the trial."""
    device: str
    code_changed: str | None = None
    """See ``TrialRecord.code_changed``."""
    cuts: list[Cut]
    """Ends of the remaining segments."""
    started: datetime.datetime = dataclasses.field(default_factory=_now)
    state: bytes | None = None
    segments: list[SegmentRecord] = dataclasses.field(default_factory=list)
    deaths: int = 0
    """Number of deaths of its worker since the last segment."""
    was_cut: bool = False
    """Whether an attempt was interrupted, in this run or an earlier one."""
    found: Params = dataclasses.field(default_factory=dict)
    """Values found for hyperparameters that the study leaves open; then also in ``config``."""
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The last value of each other figure that its program has reported."""

    @property
    def step(self) -> int:
        """Number of trained steps."""
        return self.segments[-1].step if self.segments else 0

    @property
    def seconds(self) -> float:
        """Wall time of its segments, in seconds."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def facts(self) -> dict[str, int]:
        """The trainer's facts about the configuration."""
        return self.workload.task.facts(self.config, self.workload.data)

    def set_found(self, found: Params) -> None:
        """Set the values found for open hyperparameters."""
        self.found, self.config = found, self.config.replace(**found)

    def add(self, cut: Cut, segment: Segment) -> None:
        """Add a trained segment that ends at ``cut``."""
        self.state, self.deaths = segment.state, 0
        self.figures = {**self.figures, **segment.figures}
        self.segments.append(
            SegmentRecord(
                step=cut.step,
                percent=cut.percent,
                dev_loss=segment.dev_loss,
                seconds=round(segment.seconds, 6),  # as stored, so that a resumed run has the same number
                state_sha256=hashlib.sha256(segment.state).hexdigest(),
                average_loss=segment.average_loss,
            )
        )

    def record(self, end: End = RUNNING) -> TrialRecord:
        """Return the trial's record, equal to the one read from the database."""
        return TrialRecord(
            number=self.number,
            state=end.state,
            params=self.params,
            seed=self.config.seed,
            dev_loss=end.dev_loss,
            segments=tuple(self.segments),
            reason=end.reason,
            facts={**self.facts},
            labels=self.labels,
            found=dict(self.found),
            code_changed=self.code_changed,
            figures=dict(self.figures),
            engine=self.workload.engine,
            device=self.device,
            started=self.started,
            ended=None if end.state == RUNNING.state else _now(),
        )
