"""Run a study from its file to its last trial.

This module decides once for a run: the data, the devices, the engine, the pool, and whether one driver
or many may work on the database. ``driver`` trains the trials.
"""

import math

from sweep.code import Code
from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.driver import Driver, RunSummary
from sweep.execution.how import How
from sweep.execution.machine.memory import machine_bytes
from sweep.execution.machine.study_memory import StudyMemory, check_study_fits, describe_memory, study_memory
from sweep.execution.one_program import accept_code
from sweep.execution.pools.pool import Pool, PoolRequest
from sweep.execution.pools.pools import DEFAULT_POOL, PoolKind, choose_pool
from sweep.execution.run_request import RunRequest
from sweep.execution.shared_run import run_shared
from sweep.execution.study_run import StudyRun, gate_of
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.trial_source import Alone
from sweep.execution.workload import Workload
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database, machine_errors
from sweep.storage.study_reader import load_study, trial_ids
from sweep.storage.study_store import open_study
from sweep.task import AnyTask, Data, TrialPlace, check_honoured, check_program, default_engine, in_one_piece


def run_study(
    task: AnyTask, spec: StudySpec, database: Database, how: How | None = None, *, data: Data | None = None
) -> RunSummary:
    """Train a study's trials until its total, its timeout, or until told to stop.

    Args:
        task: The trainer.
        spec: The checked study.
        database: Where it lives; made where there is none.
        how: On what, watched and stopped by whom; None is the defaults.
        data: What it trains on, if it is read already; None reads it.

    Raises:
        DataError: If the data cannot be used.
        DeviceError: If the device is not present, the engine does not know a hyperparameter that the study
            changes, or there is no such pool.
        TooLargeError: If no configuration of the study fits into this machine's memory.
        StudyConflictError: If another study of that name is stored, another driver runs it, or its program
            has changed, in the middle of the run too.
        StorageError: If the database fails.
        MachineError: If a file cannot be written, or no worker can start.
    """
    how = how or How()
    code = check_program(task, spec.data)
    data = task.load_data(spec.data) if data is None else data
    kind, address = choose_pool(how.pool)
    if how.pool != DEFAULT_POOL:
        task = in_one_piece(task, spec.pruner, how.pool)
    devices = kind.list_devices(task, how.device, spec.resources)
    engine = how.engine or default_engine(task, devices[0])
    needed = study_memory(task, spec, data, device=devices[0])
    check_honoured(task, engine, spec.changed_fields(task))
    if how.pool == DEFAULT_POOL:
        check_study_fits(task, data, needed)
    place = _trial_place(spec, database)
    workload = Workload(task=task, data=data, engine=engine, devices=devices, place=place, cuts=spec.cuts)
    request = _request(spec, workload, how, kind=kind, address=address, code=code, needed=needed)
    run = run_shared if database.is_shared else _run_alone
    return run(spec, database, request)


def _trial_place(spec: StudySpec, database: Database) -> TrialPlace:
    folder = str(database.program_folder(spec.name))
    return TrialPlace(study=spec.name, folder=folder, cpus=max(1, int(spec.resources.cpus)))


def _request(
    spec: StudySpec,
    workload: Workload,
    how: How,
    *,
    kind: PoolKind,
    address: str | None,
    code: Code | None,
    needed: StudyMemory | None,
) -> RunRequest:
    """Return what the drivers' parts are told of a run."""
    there = machine_bytes() if how.pool == DEFAULT_POOL else math.inf

    def start_pool(at_most: int) -> Pool:
        asked = PoolRequest(
            workload=workload,
            at_most=at_most,
            workers=how.workers,
            resources=spec.resources,
            address=address,
        )
        return kind.start(asked)

    def described_memory(workers: int) -> str:
        return describe_memory(workload.task, workload.data, needed, workers, there)

    return RunRequest(
        workload=workload,
        start_pool=start_pool,
        observe=how.observe,
        should_stop=how.should_stop,
        code=code,
        code_changed=how.code_changed,
        describe_memory=described_memory,
    )


def _run_alone(spec: StudySpec, database: Database, request: RunRequest) -> RunSummary:
    """Train a study's trials as the one driver of its database."""
    storage = database.open_for_writing()
    with database.driver_lock(spec.name):
        writer = open_study(storage, spec, request.workload.task, request.workload.data)
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
        source = Alone(Claimer(run, known), run.writer, study, trial_ids(storage, spec.name))
        driver = Driver(run, known, source)
        with machine_errors(database.files.where):
            stopped_by = driver.run()
        run.gate.refuse()
        return RunSummary(study=load_study(storage, spec.name), trained=driver.trained, stopped_by=stopped_by)
