"""Estimate the cost of a study of a user's own program from its stored trials.

Nothing is trained or stored; ``program_check`` tests a program.
"""

import dataclasses
import statistics
from collections.abc import Sequence
from pathlib import Path

from sweep.definition.records import TrialRecord
from sweep.definition.spec import StudySpec
from sweep.execution.machine.disk import folder_bytes, trial_folders
from sweep.execution.planning.planned import PlannedStudy, planned_study
from sweep.execution.planning.wall_clock import Range
from sweep.task import AnyTask, program_limits

_MEASURED = 64
"""Most trial folders that are measured, newest first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPlan:
    """The estimated cost of a study of a user's own program."""

    study: PlannedStudy
    limits: tuple[str, ...]
    """Missing capabilities of the trainer, each with its consequence."""
    timed: int
    """Number of stored complete trials, which the following estimates use."""
    trial_seconds: Range | None
    """Least, median and most seconds of one trial; None if none is stored."""
    wall_seconds: float | None
    """Seconds of all remaining trials on all workers, if each takes the mean."""
    trial_bytes: Range | None
    """Least, median and most bytes of the files of one trial."""
    disk_bytes: int | None
    """Bytes of the files of the remaining trials, if each writes the mean."""


def plan_program(
    task: AnyTask, spec: StudySpec, stored: Sequence[TrialRecord], folder: Path, *, workers: int
) -> ProgramPlan:
    """Plan a study of a user's own program.

    Args:
        task: The trainer.
        spec: The study.
        stored: The stored trials; none if the study has not been run.
        folder: The study's folder of programs, which contains a folder for each trial.
        workers: Number of trials in training at a time.
    """
    study = planned_study(
        spec, done=sum(t.is_finished and t.retries is None for t in stored), workers=workers
    )
    left = study.left
    seconds = [trial.train_seconds for trial in stored if trial.state == "complete"]
    sizes = _sizes(folder)
    return ProgramPlan(
        study=study,
        limits=tuple(program_limits(task)),
        timed=len(seconds),
        trial_seconds=_range(seconds),
        wall_seconds=statistics.fmean(seconds) * left / min(workers, max(left, 1)) if seconds else None,
        trial_bytes=_range(sizes),
        disk_bytes=round(statistics.fmean(sizes) * left) if sizes else None,
    )


def _range(values: Sequence[float]) -> Range | None:
    return Range(low=min(values), middle=statistics.median(values), high=max(values)) if values else None


def _sizes(folder: Path) -> list[int]:
    return [folder_bytes(path) for path in trial_folders(folder)[-_MEASURED:]]
