"""What do ``search/`` and ``results/`` know of a trainer?

Only this: a configuration class, data with a hash, segments, and a few facts for the table.
Another trainer takes the MLP's place by offering the same, without a change to those rooms.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np


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
    """Loss over the dev split at the end of the segment."""
    losses: np.ndarray
    """Training loss of each step, float32, shape (steps,)."""
    seconds: float
    """Wall time that the segment took."""
    average_loss: float | None = None
    """Loss over dev of the averaged weights, by which rungs are compared; None where none are kept."""
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Hyperparameters that were found for the configuration before it was trained."""


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
    """A trainer, as seen from outside its room. Instances can be sent to another process."""

    version: int
    """Raised only when reference numbers change."""
    split_rule: str
    """How train, dev and test are cut, in words."""
    auto_fields: tuple[str, ...]
    """Hyperparameters for which a study may give ``AUTO``."""

    def make_config(self, values: Mapping[str, Any]) -> ConfigT:
        """Build a configuration; raises ``ConfigError``."""

    def field_types(self) -> dict[str, type]:
        """Return the hyperparameters that a study may set, with their types."""

    def check_range(self, name: str, low: float, high: float) -> None:
        """Refuse a range in which a hyperparameter would change its meaning; raises ``ConfigError``."""

    def check_data_section(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a study's ``[data]``, fill in defaults; raises ``DataError``."""

    def load_data(self, section: Mapping[str, Any]) -> DataT:
        """Read the data that ``[data]`` names; raises ``DataError``."""

    def resolve_device(self, name: str) -> str:
        """Turn ``auto`` or a device name into the device that will be used; raises ``DeviceError``."""

    def default_engine(self, device: str) -> str:
        """Return the name of the engine that trains on a device."""

    def prepare_worker(self, data: DataT, *, engine: str, device: str) -> None:
        """Set up a process that will train: pin threads, load libraries, compile what is compiled."""

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

        Where ``averaged`` the loss of averaged weights comes too; every other number is the same.
        """

    def list_devices(self, name: str) -> tuple[str, ...]:
        """Return all devices that ``auto`` or a device name stands for; raises ``DeviceError``."""

    def places(self, engine: str, device: str) -> int:
        """Return how many segments a process trains at a time; above 1 by ``train_segments``."""

    def train_segments(
        self, data: DataT, jobs: JobQueue, *, engine: str, device: str
    ) -> Iterator[tuple[int, Segment | Exception]]:
        """Train jobs as they come, many at a time; yield each trial's segment or fault when it has ended."""

    def find_auto(
        self, config: ConfigT, data: DataT, names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, Any]:
        """Find values of ``auto_fields`` for a configuration, whatever it has for them and its seed."""

    def facts(self, config: ConfigT, data: DataT) -> dict[str, int]:
        """Return ``n_params`` and ``examples_seen`` of a run."""

    def work(self, config: ConfigT, data: DataT) -> float:
        """Return what a run costs, in any unit: a function of the configuration, never a measured time."""

    def memory(self, config: ConfigT, data: DataT, *, device: str) -> int:
        """Return the bytes of this machine's memory that a process needs to train a run, estimated."""

    def loss_ceiling(self, data: DataT) -> float:
        """Return the loss of knowing nothing."""


AnyTask = Task[Any, Any]
"""A trainer whose configuration and data types do not matter to the reader."""
