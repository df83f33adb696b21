"""Define optional capabilities for devices, engines and memory, each with its default."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

from sweep.errors import DeviceError
from sweep.task.core import AnyTask, Config, Data, JobQueue, Segment


@runtime_checkable
class Devices(Protocol):
    """The trainer supports other devices than the CPU, or several engines."""

    def resolve_device(self, name: str) -> str:
        """Turn ``auto`` or a device name into the device that will be used; raises ``DeviceError``."""

    def list_devices(self, name: str) -> tuple[str, ...]:
        """Return all devices that match ``auto`` or a device name; raises ``DeviceError``."""

    def default_engine(self, device: str) -> str:
        """Return the name of the engine that trains on a device."""

    def check_engine(self, engine: str, device: str) -> None:
        """Refuse an engine that does not exist, or does not run on a device; raises ``DeviceError``."""


def list_devices(task: AnyTask, name: str) -> tuple[str, ...]:
    """Return all devices that match ``auto`` or a device name; by default only the CPU.

    Raises:
        DeviceError: If the device is not present.
    """
    if isinstance(task, Devices):
        return task.list_devices(name)
    if name not in ("auto", "cpu"):
        raise DeviceError(f"trainer {task.name} trains on the CPU only, got device {name!r}")
    return ("cpu",)


def resolve_device(task: AnyTask, name: str) -> str:
    """Return the device that ``auto`` or a device name resolves to; see ``list_devices``."""
    return task.resolve_device(name) if isinstance(task, Devices) else list_devices(task, name)[0]


def default_engine(task: AnyTask, device: str) -> str:
    """Return the engine that trains on a device; by default a single one, named after the trainer."""
    return task.default_engine(device) if isinstance(task, Devices) else task.name


def check_engine(task: AnyTask, engine: str, device: str) -> None:
    """Refuse an engine that the trainer does not have on a device; raises ``DeviceError``."""
    if isinstance(task, Devices):
        task.check_engine(engine, device)
    elif engine != task.name:
        raise DeviceError(f"unknown engine {engine!r}; trainer {task.name} has only {task.name}")


@runtime_checkable
class NamesHonoured(Protocol):
    """The trainer lists the hyperparameters that each of its engines uses."""

    def honoured(self, engine: str) -> Collection[str]:
        """Return their names."""


def check_honoured(task: AnyTask, engine: str, changed: Iterable[str]) -> None:
    """Refuse hyperparameters that an engine would ignore; by default an engine uses all of them.

    Args:
        task: The trainer.
        engine: One of its engines.
        changed: Names of the hyperparameters that may differ from their defaults.

    Raises:
        DeviceError: If the engine would ignore one of them.
    """
    ignored = set(changed) - set(task.honoured(engine)) if isinstance(task, NamesHonoured) else set()
    if ignored:
        raise DeviceError(f"engine {engine} would ignore {', '.join(sorted(ignored))}; choose another engine")


@runtime_checkable
class PreparesWorkers(Protocol):
    """The trainer sets up a process before it trains."""

    def prepare_worker(self, data: Any, *, engine: str, device: str) -> None:
        """Pin threads, load libraries, compile code."""


def prepare_worker(task: AnyTask, data: Data, *, engine: str, device: str) -> None:
    """Set up a process that will train; by default do nothing."""
    if isinstance(task, PreparesWorkers):
        task.prepare_worker(data, engine=engine, device=device)


@runtime_checkable
class ManyAtATime(Protocol):
    """The trainer trains several segments at a time in one process."""

    def places(self, engine: str, device: str) -> int:
        """Return how many segments a process trains at a time; if above 1, ``train_segments`` trains them."""

    def train_segments(
        self, data: Any, jobs: JobQueue, *, engine: str, device: str
    ) -> Iterator[tuple[int, Segment | Exception]]:
        """Train jobs as they arrive; yield each trial's segment or error when it ends."""


def places(task: AnyTask, engine: str, device: str) -> int:
    """Return how many segments a process trains at a time; by default one."""
    return task.places(engine, device) if isinstance(task, ManyAtATime) else 1


@runtime_checkable
class NeedsMemory(Protocol):
    """The trainer estimates the memory that a process needs."""

    def memory(self, config: Any, data: Any, *, device: str) -> int:
        """Return the estimated bytes of main memory that a process needs to train a run."""


def memory(task: AnyTask, config: Config, data: Data, *, device: str) -> int | None:
    """Return the estimated bytes that a process needs; by default None, which sets no limit."""
    return task.memory(config, data, device=device) if isinstance(task, NeedsMemory) else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check of this machine."""

    subject: str
    text: str
    is_good: bool = True


@runtime_checkable
class ExaminesMachine(Protocol):
    """The trainer keeps files on this machine that can be damaged, such as compiled code."""

    def mend(self, device: str) -> str:
        """Repair its files before training on a device; return a warning, or an empty text."""

    def examine(self) -> Iterator[Finding]:
        """Check its files without changing them."""

    def try_out(self, engine: str, device: str) -> None:
        """Train one step on built-in data; raises the error that would end a run."""


def mend(task: AnyTask, device: str) -> str:
    """Repair a trainer's files on this machine; return a warning, or an empty text."""
    return task.mend(device) if isinstance(task, ExaminesMachine) else ""
