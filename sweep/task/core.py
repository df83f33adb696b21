"""Define the protocols that every trainer implements: configurations, data, segments and ``Task``."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from sweep.metric import Metric
from sweep.values import Json, Params, Toml

if TYPE_CHECKING:  # commands that only read do without
    import numpy as np


class Config(Protocol):
    """Hyperparameters of one run; equal configurations give equal numbers."""

    @property
    def num_steps(self) -> int:
        """Budget of the run, in steps."""

    @property
    def seed(self) -> int:
        """Seed of all random numbers in the run."""

    def to_dict(self) -> dict[str, Json]:
        """Return all hyperparameters as plain values."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some hyperparameters changed."""

    def sha256(self) -> str:
        """Return a hash of all hyperparameters."""


class Data(Protocol):
    """The training and dev data. It never holds the test split."""

    @property
    def sha256(self) -> str:
        """Hash of the source file."""

    def describe(self) -> str:
        """Return one line that describes the data."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The result of training from one rung to the next."""

    state: bytes
    """Everything needed to resume, as a safetensors file."""
    dev_loss: float
    """Value of the metric at the end of the segment."""
    losses: "np.ndarray"
    """Training loss of each step, or each reported value, float32, shape (N,)."""
    seconds: float
    """Wall time that the segment took."""
    steps: "np.ndarray | None" = None
    """Step of each of ``losses``, counted from 1, int64, shape (N,); None for every step of the segment."""
    average_loss: float | None = None
    """Value of the averaged weights, which pruners compare; None if the trainer keeps none."""
    found: Params = dataclasses.field(default_factory=dict)
    """Hyperparameters that the trainer found for the configuration before training."""
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    """The last reported value of each other figure; all are finite."""

    def steps_from(self, first_step: int) -> "np.ndarray":
        """Return the step of each of ``losses``, for a segment from ``first_step``; int64, shape (N,)."""
        if self.steps is not None:
            return self.steps
        import numpy as np  # noqa: PLC0415  commands that only read do without

        return np.arange(first_step, first_step + len(self.losses), dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentJob:
    """A segment to be trained."""

    trial: int
    config: Any
    state: bytes | None
    """State to resume from; None starts from the beginning."""
    until_step: int
    averaged: bool = False
    """Whether to evaluate the averaged weights too."""
    find: tuple[str, ...] = ()
    """Hyperparameters to find first; ``Segment.found`` returns them."""
    number: int = 0
    """The trial's number; in a worker, ``trial`` is the pool's identifier of the job."""
    from_step: int = 0
    """Number of steps already done."""
    is_first: bool = True
    """Whether this is the first attempt: no earlier one was interrupted by the end of its worker or run."""
    run_ends: float | None = None
    """Time at which the run's timeout ends the job, in seconds since 1970; None for no timeout."""
    seconds_left: float | None = None
    """Remaining seconds of training until the trial's own limit; None for no limit."""

    def deadline(self, now: float) -> float | None:
        """Return the earlier end of a job that starts at ``now``; None if neither limit is set.

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
    """The queue from which a trainer of several concurrent segments takes its jobs."""

    def take(self, *, wait: bool) -> list[SegmentJob]:
        """Return the waiting jobs; with ``wait``, block for at least one, and return none at the end."""

    def is_dropped(self, trial: int) -> bool:
        """Return whether the driver no longer waits for a trial's segment."""


AUTO = "auto"
"""The value in a study for a hyperparameter that the trainer finds for each configuration."""

ConfigT = TypeVar("ConfigT", bound=Config)

DataT = TypeVar("DataT", bound=Data)


class Task(Protocol[ConfigT, DataT]):
    """A trainer. Instances can be pickled to another process."""

    name: str
    """Its name in study files and in ``BUILT_IN`` or an entry point."""
    version: int
    """Raised only when reference numbers change."""
    metric: Metric
    shown: tuple[str, ...]
    """Hyperparameters that every table shows, searched or fixed; empty to show only searched ones."""

    def make_config(self, values: Params) -> ConfigT:
        """Build a configuration; raises ``ConfigError``."""

    def field_types(self) -> dict[str, type]:
        """Return the hyperparameters that a study may set, with their types."""

    def check_data_section(self, section: Mapping[str, Toml]) -> dict[str, Toml]:
        """Validate a study's ``[data]``, fill in defaults; raises ``DataError``."""

    def load_data(self, section: Mapping[str, Toml]) -> DataT:
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

        If ``averaged``, also evaluate the averaged weights, if the trainer keeps any; every other number
        stays the same.
        """

    def facts(self, config: ConfigT, data: DataT) -> dict[str, int]:
        """Return whole numbers that describe a run before training; ``DescribesFacts`` picks some to show."""

    def work(self, config: ConfigT, data: DataT) -> float:
        """Return the cost of a run, in any unit, computed from the configuration and never measured."""


AnyTask = Task[Any, Any]
"""A trainer with any types of configuration and data."""
