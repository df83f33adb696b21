"""Capabilities of a trainer that is a program of the user's own."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sweep.code import Code
from sweep.errors import DeviceError
from sweep.task.core import AnyTask, Config, Segment, SegmentJob

GIVEN = "given"
"""Key of a definition: the name of a function that was given as an object and is stored nowhere."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlace:
    """Where a trainer that runs programs keeps a trial's files."""

    study: str
    folder: str | None
    """Path of the study's folder on this machine; None for a temporary one."""
    cpus: int = 1
    """Cores that the trial may use."""
    is_of_trial: bool = False
    """Whether the folder is the trial's own, not one of all trials of the study."""

    def trial_folder(self, number: int) -> Path:
        """Return the folder of one trial."""
        assert self.folder is not None, "a trial has a folder"
        return Path(self.folder) if self.is_of_trial else Path(self.folder) / f"{number:06d}"


@runtime_checkable
class Defined(Protocol):
    """Is defined by a study file: a program of the user's own."""

    study_keys: Collection[str]
    """Keys of a study file that define the trainer."""
    definition: Mapping[str, Any]
    """What they say, as plain values; part of the study's identity."""
    surroundings: Mapping[str, Any]
    """Where and how the program runs, as plain values; may change from run to run."""


def definition_of(task: AnyTask) -> dict[str, Any]:
    """Return what a study says of its trainer; by default nothing but the name."""
    return dict(task.definition) if isinstance(task, Defined) else {}


def surroundings_of(task: AnyTask) -> dict[str, Any]:
    """Return where and how a trainer's program runs; by default there is none."""
    return dict(task.surroundings) if isinstance(task, Defined) else {}


def study_keys(task: AnyTask) -> Collection[str]:
    """Return the keys of a study file that define its trainer; by default ``trainer`` alone does."""
    return task.study_keys if isinstance(task, Defined) else ()


@runtime_checkable
class ChecksProgram(Protocol):
    """Trains by a program of the user's own, which may be missing and may change."""

    def check_program(self, section: Mapping[str, Any]) -> Code:
        """Return the program's code; refuse a program that cannot be started here.

        Args:
            section: The checked ``[data]``, which may name further source files.
        """

    def program_changes(self) -> list[str]:
        """Return the names of files that changed since ``check_program``; quick, and nothing is started."""


def check_program(task: AnyTask, section: Mapping[str, Any]) -> Code | None:
    """Return the code of a trainer's program; None for an installed trainer.

    Raises:
        SweepError: If the program cannot be started here.
    """
    return task.check_program(section) if isinstance(task, ChecksProgram) else None


@runtime_checkable
class TriedOut(Protocol):
    """Trains by a program that nobody knows before it was tried out."""

    budget: str
    """Name of the hyperparameter that is a trial's length; empty if there is none."""
    reuses_process: bool
    """Whether one process runs several trials, one after the other."""
    work_folders: Collection[Path]
    """Folders in which the program may write, beside the trial's own."""

    def limits(self) -> Collection[str]:
        """Return what the trainer lacks, and what follows from it, one line each."""

    def is_named(self, name: str) -> bool:
        """Tell whether a source file of the program names a hyperparameter."""


def spoken_length(task: AnyTask, config: Config) -> str:
    """Return the length of a training as the end of a line; empty if the program has no budget."""
    if not isinstance(task, TriedOut):
        return f", {config.num_steps:,} steps"
    return f", {task.budget} = {config.num_steps:,}" if task.budget else ""


def program_limits(task: AnyTask) -> Collection[str]:
    """Return what a trainer lacks; by default nothing is known."""
    return task.limits() if isinstance(task, TriedOut) else ()


def program_changes(task: AnyTask) -> list[str]:
    """Return the names of a program's files that changed since ``check_program``; by default none."""
    return task.program_changes() if isinstance(task, ChecksProgram) else []


@runtime_checkable
class RunsPrograms(Protocol):
    """Trains in programs of their own, which live on between the segments of a trial."""

    grace_s: float
    """Seconds that a program gets to end by itself."""

    def train_live(
        self,
        config: Any,
        data: Any,
        job: SegmentJob,
        place: TrialPlace,
        *,
        device: str,
        report: Callable[[int, float], None],
    ) -> Segment:
        """Go on with the trial's program until the job's step; start the program if none is alive.

        ``report`` is called with step and value of what the program reports.
        """

    def in_one_piece(self) -> "AnyTask":
        """Return the same trainer without rungs, for a pool that keeps no program alive between segments."""

    def leave(self, trial: int) -> None:
        """End what is alive of a trial, by its number; returns when nothing is."""

    def leave_all(self) -> None:
        """End what is alive of any trial."""


def in_one_piece(task: AnyTask, pruner: str, pool: str) -> AnyTask:
    """Return a trainer for a pool that keeps nothing between two segments; by default the trainer itself.

    Raises:
        DeviceError: If it runs programs, which a pruner would have to compare while they are alive.
    """
    if not isinstance(task, RunsPrograms):
        return task
    if pruner != "none":
        raise DeviceError(
            f"pruner {pruner} compares programs while they run, which pool {pool} does not keep alive; "
            "use pruner none, or pool local"
        )
    return task.in_one_piece()


@runtime_checkable
class KeepsCheckpoints(Protocol):
    """Leaves checkpoints of its own form in its trials' folders."""

    @property
    def uploads(self) -> bool:
        """Whether kept checkpoints are also written where the study's records are."""

    def tidy_checkpoint(self, folder: Path, *, keep: bool) -> bool:
        """Remove an ended trial's checkpoint unless it is kept; False while its program is being ended."""

    def pack_checkpoint(self, folder: Path) -> bytes | None:
        """Return a trial's checkpoint as one file; None if it left none."""

    def unpack_checkpoint(self, packed: bytes, folder: Path) -> None:
        """Write what ``pack_checkpoint`` returned into a trial's folder that has none yet."""


@runtime_checkable
class TrainsInFolder(Protocol):
    """Leaves files of its own in a folder when it trains."""

    def train_in(self, folder: Path, config: Any, data: Any, *, study: str, device: str) -> Segment:
        """Train from the beginning to the end; the folder keeps what the training leaves."""
