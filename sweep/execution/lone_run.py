"""Run a study as the one driver of its database; ``shared_run`` does it beside others."""

from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.driver import Driver, RunSummary
from sweep.execution.one_program import accept_code
from sweep.execution.run_request import RunRequest
from sweep.execution.study_run import StudyRun, gate_of
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.trial_source import LoneSource
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database, machine_errors
from sweep.storage.study_files import check_files, mark_files
from sweep.storage.study_reader import load_study, trial_ids
from sweep.storage.study_store import open_study


def run_alone(spec: StudySpec, database: Database, request: RunRequest) -> RunSummary:
    """Train a study's trials as the one driver of its database."""
    storage = database.open_for_writing()
    with database.driver_lock(spec.name):
        check_files(database, storage, spec.name)
        writer = open_study(storage, spec, request.workload.task, request.workload.data)
        mark_files(database, storage, spec.name)
        run = StudyRun(
            spec=spec,
            request=request,
            writer=writer,
            checkpoints=Checkpoints(database.files / spec.name),
            budget=Budget(spec.timeout),
            gate=gate_of(request, spec.program_keeper),
            code_changed=accept_code(storage, spec.program_keeper, request.code, request.code_changed),
        )
        study = load_study(storage, spec.name)
        known = KnownTrials(run, study, is_alone=True)
        source = LoneSource(Claimer(run, known), run.writer, study, trial_ids(storage, spec.name))
        driver = Driver(run, known, source)
        with machine_errors(database.files.where):
            stopped_by = driver.run()
        run.gate.refuse()
        return RunSummary(study=load_study(storage, spec.name), trained=driver.trained, stopped_by=stopped_by)
