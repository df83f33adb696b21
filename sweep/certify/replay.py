"""Train a stored trial again and compare its loss."""

import dataclasses
from pathlib import Path

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import DeviceError
from sweep.execution.machine.memory import check_fits
from sweep.task import (
    AnyTask,
    Config,
    Data,
    Segment,
    TrainsInFolder,
    changed_fields,
    check_honoured,
    default_engine,
    prepare_worker,
    resolve_device,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A stored loss and the loss of training again."""

    stored: float
    again: float
    """Both in the metric's unit."""
    tolerance: float
    """Largest difference that a change of engine, thread count or machine can cause."""
    seconds: float
    state: bytes
    """The trained state, as a safetensors file."""

    @property
    def verdict(self) -> str:
        """``equal`` (bitwise), ``within tolerance`` or ``different``."""
        if self.again == self.stored:
            return "equal"
        return "within tolerance" if abs(self.again - self.stored) <= self.tolerance else "different"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Engine and device of a training."""

    engine: str
    device: str


def choose_place(task: AnyTask, then: Place, device: str, engine: str | None = None) -> Place:
    """Return where to train again: by default the original engine and device, if available here.

    Args:
        task: The trainer.
        then: Engine and device of the original training.
        device: ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` is the original device, if present.
        engine: None for the original engine, or the default one on another kind of device.

    Raises:
        DeviceError: If the device is not present.
    """
    device = _resolve(task, then.device if device == "auto" else device, or_any=device == "auto")
    same_kind = device.partition(":")[0] == then.device.partition(":")[0]
    same = then.engine if same_kind else default_engine(task, device)
    return Place(engine=engine or same, device=device)


def _resolve(task: AnyTask, device: str, *, or_any: bool) -> str:
    try:
        return resolve_device(task, device)
    except DeviceError:
        if not or_any:
            raise
        return resolve_device(task, "auto")


def train_again(
    task: AnyTask,
    config: Config,
    data: Data,
    stored: float,
    place: Place,
    *,
    folder: Path | None = None,
    study: str = "",
) -> Comparison:
    """Train a configuration from its beginning to its end and compare its loss.

    Args:
        task: The trainer.
        config: The configuration, its seed included.
        data: The data of the original training.
        stored: The recorded loss, in the metric's unit.
        place: Engine and device; see ``choose_place``.
        folder: Folder for the files of a trainer that writes some; None to discard them.
        study: Name of the study, which is passed to a program.

    Raises:
        DeviceError: If the engine would ignore a hyperparameter that the configuration changes.
        TooLargeError: If it does not fit into this machine's memory.
    """
    engine, device = place.engine, place.device
    check_honoured(task, engine, changed_fields(task, config.to_dict()))
    check_fits(task, config, data, device=device)
    prepare_worker(task, data, engine=engine, device=device)
    if folder is not None and isinstance(task, TrainsInFolder):
        segment: Segment = task.train_in(folder, config, data, study=study, device=device)
    else:
        segment = task.train_segment(config, data, None, config.num_steps, engine=engine, device=device)
    return Comparison(
        stored=stored,
        again=segment.dev_loss,
        tolerance=task.metric.tolerance,
        seconds=segment.seconds,
        state=segment.state,
    )


def config_of(task: AnyTask, study: StudyRecord, trial: TrialRecord) -> Config:
    """Return a stored trial's configuration."""
    config: Config = task.make_config(study.config_values(trial))
    return config
