"""What all parts of a driver share during one run of a study."""

import dataclasses

from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.run_request import RunRequest
from sweep.execution.workload import Workload
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.study_writer import StudyWriter


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyRun:
    """A study, what the caller asks for, where trials are stored, and how much time is left."""

    spec: StudySpec
    request: RunRequest
    writer: StudyWriter
    checkpoints: Checkpoints
    budget: Budget

    @property
    def workload(self) -> Workload:
        """What trains, on which data and devices."""
        return self.request.workload
