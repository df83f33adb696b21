"""What all parts of a driver share during one run of a study."""

import dataclasses
from pathlib import Path

from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.gate import Gate
from sweep.execution.machine.disk import enough_disk
from sweep.execution.one_program import same_code
from sweep.execution.run_request import RunRequest
from sweep.execution.workload import Workload
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.study_writer import StudyWriter
from sweep.task import RunsPrograms


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """A study, what the caller asks for, where trials are stored, and how much time is left."""

    spec: StudySpec
    request: RunRequest
    writer: StudyWriter
    checkpoints: Checkpoints
    budget: Budget
    gate: Gate = dataclasses.field(default_factory=Gate)
    code_changed: str | None = None
    """Why the program was changed, if this run trains by a later version than the study's first."""

    @property
    def workload(self) -> Workload:
        """What trains, on which data and devices."""
        return self.request.workload


def gate_of(request: RunRequest, study: str) -> Gate:
    """Return what is asked before each trial.

    Args:
        request: The run's.
        study: The study that keeps the code of the trainer's program.
    """
    task, place = request.workload.task, request.workload.place
    if not isinstance(task, RunsPrograms):
        return Gate()
    assert place is not None, "programs write files"
    assert place.folder is not None, "those of a study have a folder"
    return Gate(same_code(task, study), enough_disk(Path(place.folder)))
