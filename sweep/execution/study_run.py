"""Define the objects that all parts of a driver share during one run of a study."""

import dataclasses
from pathlib import Path

from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.gate import Gate
from sweep.execution.machine.disk import enough_disk
from sweep.execution.one_program import same_code, same_data
from sweep.execution.run_request import RunRequest
from sweep.execution.workload import Workload
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.study_writer import StudyWriter
from sweep.task import RunsPrograms


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """A study, the caller's request, the storage of trials, and the remaining time."""

    spec: StudySpec
    request: RunRequest
    writer: StudyWriter
    checkpoints: Checkpoints
    budget: Budget
    gate: Gate = dataclasses.field(default_factory=Gate)
    code_changed: str | None = None
    """The reason for the program's change, if this run uses a later version than the study's first."""

    @property
    def workload(self) -> Workload:
        """The trainer with its data and devices."""
        return self.request.workload


def gate_of(request: RunRequest, study: str) -> Gate:
    """Return the checks before each trial.

    Args:
        request: The run's request.
        study: Name of the study that stores the code of the trainer's program.
    """
    task, place = request.workload.task, request.workload.place
    if not isinstance(task, RunsPrograms):
        return Gate()
    assert place is not None, "programs write files"
    assert place.folder is not None, "programs of a study have a folder"
    data = same_data(request.workload.data, study)
    return Gate(same_code(task, study), data, enough_disk(Path(place.folder)))
