"""Define optional capabilities of trainers that run the user's program, each with its default."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sweep.code import Code
from sweep.errors import DeviceError
from sweep.task.core import AnyTask, Config, Data, Segment, SegmentJob
from sweep.values import Toml

GIVEN = "given"
"""Key of a definition: the name of a function that was given as an object and is stored nowhere."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlace:
    """The place for the files of a trial of a program."""

    study: str
    folder: str | None
    """Path of the study's folder on this machine; None for a temporary one."""
    cpus: int = 1
    """Cores that the trial may use."""
    is_of_trial: bool = False
    """Whether ``folder`` belongs to this trial, rather than to all trials of the study."""

    def trial_folder(self, number: int) -> Path:
        """Return the folder of one trial."""
        assert self.folder is not None, "a trial has a folder"
        return Path(self.folder) if self.is_of_trial else Path(self.folder) / f"{number:06d}"


@runtime_checkable
class Defined(Protocol):
    """The trainer is a user's program that a study file defines."""

    study_keys: Collection[str]
    """Keys of a study file that define the trainer."""
    definition: Mapping[str, Toml]
    """Their values; part of the study's identity."""
    surroundings: Mapping[str, Toml]
    """Settings of how the program runs, as plain values; may change from run to run."""


def definition_of(task: AnyTask) -> dict[str, Toml]:
    """Return the study's definition of its trainer; empty by default."""
    return dict(task.definition) if isinstance(task, Defined) else {}


def surroundings_of(task: AnyTask) -> dict[str, Toml]:
    """Return the settings of how a trainer's program runs; empty by default."""
    return dict(task.surroundings) if isinstance(task, Defined) else {}


@runtime_checkable
class JoinsParameters(Protocol):
    """The trainer has the hyperparameters that a study file names."""

    def joined(self, other: "AnyTask") -> "AnyTask":
        """Return the trainer with the hyperparameters of both; raises ``ConfigError`` for another program."""


def joined_trainer(task: AnyTask, other: AnyTask) -> AnyTask:
    """Return a trainer that accepts configurations of both; by default all studies have the same."""
    return task.joined(other) if isinstance(task, JoinsParameters) else other


def study_keys(task: AnyTask) -> Collection[str]:
    """Return the keys of a study file that define the user's program; empty by default."""
    return task.study_keys if isinstance(task, Defined) else ()


@runtime_checkable
class ChecksProgram(Protocol):
    """The trainer runs a user's program, which may be missing or change."""

    def check_program(self, section: Mapping[str, Toml]) -> Code:
        """Return the program's code; refuse a program that cannot start on this machine.

        Args:
            section: The checked ``[data]``, which may name further source files.
        """

    def program_changes(self) -> list[str]:
        """Return the names of files that changed since ``check_program``, without starting the program."""


def check_program(task: AnyTask, section: Mapping[str, Toml]) -> Code | None:
    """Return the code of a trainer's program; None for an installed trainer.

    Raises:
        SweepError: If the program cannot start on this machine.
    """
    return task.check_program(section) if isinstance(task, ChecksProgram) else None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WorkFolders:
    """The folders of a program besides the trial's folder."""

    runs_in: Path | None
    """The folder in which it runs; None if that is the trial's own."""
    written: Collection[Path]
    """Folders that it may write to."""
    advice: str
    """How it writes to the trial's folder instead, as an instruction to the user."""


@runtime_checkable
class TriedOut(Protocol):
    """The trainer runs a program that ``sweep plan --check`` tries out."""

    budget: str
    """Name of the hyperparameter that sets a trial's length; empty if there is none."""
    reuses_process: bool
    """Whether one process runs several trials in turn."""
    work_folders: WorkFolders
    """Folders of the program besides the trial's folder."""

    def limits(self) -> Collection[str]:
        """Return the features that the trainer lacks and the consequences, one line each."""

    def is_named(self, name: str) -> bool:
        """Return whether a source file of the program names a hyperparameter."""


def spoken_length(task: AnyTask, config: Config) -> str:
    """Return the length of a training as the end of a line; empty if the program has no budget."""
    if not isinstance(task, TriedOut):
        return f", {config.num_steps:,} steps"
    return f", {task.budget} = {config.num_steps:,}" if task.budget else ""


def program_limits(task: AnyTask) -> Collection[str]:
    """Return the features that a trainer lacks; empty by default."""
    return task.limits() if isinstance(task, TriedOut) else ()


def program_changes(task: AnyTask) -> list[str]:
    """Return the names of a program's files that changed since ``check_program``; empty by default."""
    return task.program_changes() if isinstance(task, ChecksProgram) else []


@runtime_checkable
class WatchesFiles(Protocol):
    """The data are files that the program opens itself, so that they may change during a run."""

    def watch(self) -> Callable[[], list[str]]:
        """Return a function that returns the names of files that have changed since they were read."""


def watched_data(data: Data) -> Callable[[], list[str]]:
    """Return the function that names changed data files; by default data were read once and do not change."""
    return data.watch() if isinstance(data, WatchesFiles) else list


@runtime_checkable
class RunsPrograms(Protocol):
    """The trainer runs a separate program for each trial, which stays alive between segments."""

    grace_s: float
    """Seconds that a program has to exit before it is killed."""

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
        """Run the trial's program until the job's step; start the program if it is not running.

        Call ``report`` with the step and value of each report of the program.
        """

    def describe_restart(self, state: bytes | None) -> str:
        """Return what an interrupted trial does; empty if it continues from its stored state."""

    def in_one_piece(self) -> "AnyTask":
        """Return the same trainer without rungs, for a pool that cannot keep programs alive.

        A trainer whose segments need no living program returns itself.
        """

    def leave(self, trial: int) -> None:
        """Stop the program of a trial, by number; return after it has exited."""

    def leave_all(self) -> None:
        """Stop the programs of all trials."""


def describe_restart(task: AnyTask, state: bytes | None) -> str:
    """Return what an interrupted trial does; empty if it continues from its stored state, as by default."""
    return task.describe_restart(state) if isinstance(task, RunsPrograms) else ""


def in_one_piece(task: AnyTask, pruner: str, pool: str) -> AnyTask:
    """Return a trainer for a pool that keeps no programs alive between segments; by default the same.

    Raises:
        DeviceError: If it runs programs and the study has a pruner, which needs them alive between segments.
    """
    if not isinstance(task, RunsPrograms):
        return task
    whole = task.in_one_piece()
    if whole is not task and pruner != "none":
        raise DeviceError(
            f"pruner {pruner} compares running programs, which pool {pool} does not keep alive; "
            "use pruner none, or pool local"
        )
    return whole


@runtime_checkable
class KeepsCheckpoints(Protocol):
    """The trainer writes its own form of checkpoint to its trials' folders."""

    @property
    def uploads(self) -> bool:
        """Whether kept checkpoints are also stored with the study's records."""

    def tidy_checkpoint(self, folder: Path, *, keep: bool) -> bool:
        """Remove an ended trial's checkpoint unless it is kept; False while its program is stopping."""

    def pack_checkpoint(self, folder: Path) -> bytes | None:
        """Return a trial's checkpoint as one file; None if there is none."""

    def unpack_checkpoint(self, packed: bytes, folder: Path) -> None:
        """Write a packed checkpoint to a trial's folder that has none yet."""


@runtime_checkable
class TrainsInFolder(Protocol):
    """The trainer writes files to a folder when it trains."""

    def train_in(self, folder: Path, config: Any, data: Any, *, study: str, device: str) -> Segment:
        """Train from beginning to end; write the training's files to the folder."""
