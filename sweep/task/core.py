"""What every trainer has: configurations, data, segments, and ``Task``, the core of the seam."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from sweep.metric import Metric


class Config(Protocol):
    """Hyperparameters of one run; equal configurations give equal numbers."""

    @property
    def num_steps(self) -> int:
        """Budget of the run, in steps."""

    @property
    def seed(self) -> int:
        """Root of everything random in the run."""

    def to_dict(self) -> dict[str, Any]:
        """Return all hyperparameters as plain values."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some hyperparameters changed."""

    def sha256(self) -> str:
        """Return a hash of all hyperparameters."""


class Data(Protocol):
    """What is trained and evaluated on. It never holds the test split."""

    @property
    def sha256(self) -> str:
        """Hash of the source file."""

    def describe(self) -> str:
        """Return one line that says what was read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The work between two rungs, done."""

    state: bytes
    """Everything needed to go on, as a safetensors file."""
    dev_loss: float
    """Value of the metric at the end of the segment."""
    losses: np.ndarray
    """Training loss of each step, or each reported value, float32, shape (N,)."""
    seconds: float
    """Wall time that the segment took."""
    steps: np.ndarray | None = None
    """Which steps ``losses`` are of, counted from 1, int64, shape (N,); None: every one of the segment."""
    average_loss: float | None = None
    """Value of the averaged weights, by which rungs are compared; None if none are kept."""
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Hyperparameters that were found for the configuration before it was trained."""
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The last of each other figure that was reported; every one is finite."""

    def steps_from(self, first_step: int) -> np.ndarray:
        """Return which steps ``losses`` are of, if the segment began at ``first_step``; int64, shape (N,)."""
        if self.steps is not None:
            return self.steps
        return np.arange(first_step, first_step + len(self.losses), dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentJob:
    """A segment to be trained."""

    trial: int
    config: Any
    state: bytes | None
    """Where to go on; None is the beginning."""
    until_step: int
    averaged: bool = False
    """Whether the averaged weights are evaluated too."""
    find: tuple[str, ...] = ()
    """Hyperparameters to be found first; the segment says what was found."""
    number: int = 0
    """The trial's number; in a worker ``trial`` is what the pool calls the job."""
    from_step: int = 0
    """Step that is done already."""
    is_first: bool = True
    """Whether no attempt at the trial was cut before, by the end of its worker or of a run."""
    run_ends: float | None = None
    """When the run's timeout ends it, in seconds since 1970; None for never."""
    seconds_left: float | None = None
    """What is left of the trial's own limit, in seconds of training; None for no limit."""

    def deadline(self, now: float) -> float | None:
        """Return when a job that begins at ``now`` is ended by one of the two, None for never.

        Examples:
            >>> what = {"trial": 0, "config": None, "state": None, "until_step": 9}
            >>> job = SegmentJob(**what, run_ends=500.0, seconds_left=60)
            >>> job.deadline(400.0), job.deadline(480.0)
            (460.0, 500.0)
        """
        ends = [] if self.run_ends is None else [self.run_ends]
        ends += [] if self.seconds_left is None else [now + self.seconds_left]
        return min(ends, default=None)


class JobQueue(Protocol):
    """Where a trainer of many segments at a time finds its jobs."""

    def take(self, *, wait: bool) -> list[SegmentJob]:
        """Return the jobs that have come; with ``wait`` at least one, or none if no more will come."""

    def is_dropped(self, trial: int) -> bool:
        """Tell whether nobody waits for a trial's segment any more."""


AUTO = "auto"
"""What a study gives for a hyperparameter that is to be found for each configuration."""

ConfigT = TypeVar("ConfigT", bound=Config)

DataT = TypeVar("DataT", bound=Data)


class Task(Protocol[ConfigT, DataT]):
    """A trainer. Instances can be sent to another process."""

    name: str
    """As a study file and ``BUILT_IN`` or an entry point name it."""
    version: int
    """Raised only when reference numbers change."""
    metric: Metric
    shown: tuple[str, ...]
    """Hyperparameters that every table shows, searched or fixed; empty for the searched ones alone."""

    def make_config(self, values: Mapping[str, Any]) -> ConfigT:
        """Build a configuration; raises ``ConfigError``."""

    def field_types(self) -> dict[str, type]:
        """Return the hyperparameters that a study may set, with their types."""

    def check_data_section(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a study's ``[data]``, fill in defaults; raises ``DataError``."""

    def load_data(self, section: Mapping[str, Any]) -> DataT:
        """Read the data that ``[data]`` names; raises ``DataError``."""

    def train_segment(
        self,
        config: ConfigT,
        data: DataT,
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        """Train from ``state`` (None: from the beginning) until ``until_step``.

        If ``averaged``, the loss of averaged weights comes too, if the trainer keeps any; every other number
        is the same.
        """

    def facts(self, config: ConfigT, data: DataT) -> dict[str, int]:
        """Return whole numbers of a run, known before it; ``DescribesFacts`` tells which are shown."""

    def work(self, config: ConfigT, data: DataT) -> float:
        """Return what a run costs, in any unit: a function of the configuration, never a measured time."""


AnyTask = Task[Any, Any]
"""A trainer whose configuration and data types do not matter to the reader."""
