"""A run of the toy whose parts can be looked at: a real database and real files, no worker."""

from pathlib import Path
from typing import Any

from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.run_request import RunRequest
from sweep.execution.study_run import StudyRun
from sweep.execution.workload import Workload
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.study_store import open_study
from tests.support.toy_runs import database_in
from tests.support.toy_task import TOY, CoreTask


def toy_run(
    folder: Path, spec: StudySpec, observe: Any = lambda event: None, task: CoreTask = TOY
) -> StudyRun:
    """Open a study of the toy for writing, as a driver does."""

    def start_pool(at_most: int) -> Any:
        raise AssertionError("these tests start no worker")

    data = task.load_data(spec.data)
    request = RunRequest(
        workload=Workload(task=task, data=data, engine="toy", devices=("cpu",)),
        start_pool=start_pool,
        observe=observe,
        should_stop=lambda: False,
        describe_memory=lambda workers: "",
        code=None,
        code_changed=None,
    )
    database = database_in(folder)
    return StudyRun(
        spec=spec,
        request=request,
        writer=open_study(database.open_for_writing(), spec, task, data),
        checkpoints=Checkpoints(database.files / spec.name),
        budget=Budget(spec.timeout),
    )
