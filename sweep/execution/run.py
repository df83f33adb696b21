"""Run a study from its file to its last trial.

This module decides once for a run: the data, the devices, the engine, the pool, and whether one driver
or many may work on the database. ``driver`` trains the trials.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sweep.code import Code
from sweep.definition.spec import StudySpec
from sweep.execution.how import How
from sweep.execution.machine.memory import machine_bytes
from sweep.execution.machine.study_memory import StudyMemory, check_study_fits, describe_memory, study_memory
from sweep.execution.pools.pool import PoolRequest
from sweep.execution.pools.pools import DEFAULT_POOL, PoolKind, choose_pool
from sweep.execution.run_pool import RunPool
from sweep.execution.run_request import RunRequest
from sweep.execution.workload import Workload
from sweep.storage.database import Database
from sweep.task import (
    AnyTask,
    Data,
    RunsPrograms,
    TrialPlace,
    check_honoured,
    check_program,
    default_engine,
    in_one_piece,
)

if TYPE_CHECKING:
    from sweep.execution.driver import RunSummary


class Ran(NamedTuple):
    """A run whose trials have ended, and whose workers are there still."""

    summary: "RunSummary"
    data: Data
    """What it trained on."""
    call: Callable[..., Any]
    """Calls a function with arguments, in a worker that has its libraries loaded if there is one."""


def run_study(
    task: AnyTask, spec: StudySpec, database: Database, how: How | None = None, *, data: Data | None = None
) -> "RunSummary":
    """Train a study's trials as ``running`` does, and end the workers."""
    with running(task, spec, database, how, data=data) as ran:
        return ran.summary


@contextlib.contextmanager
def running(
    task: AnyTask, spec: StudySpec, database: Database, how: How | None = None, *, data: Data | None = None
) -> Iterator[Ran]:
    """Train a study's trials until its total, its timeout, or until told to stop; end the workers at exit.

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
    with contextlib.closing(_make_pool(spec, workload, how, kind, address)) as pool:
        request = _request(workload, how, pool, code=code, needed=needed)
        yield Ran(_run(spec, database, request), data, pool.call)


def _run(spec: StudySpec, database: Database, request: RunRequest) -> "RunSummary":
    """Train the trials; Optuna and SQLAlchemy are loaded while the first worker loads its libraries."""
    if database.is_shared:
        from sweep.execution.shared_run import run_shared

        return run_shared(spec, database, request)
    from sweep.execution.lone_run import run_alone

    return run_alone(spec, database, request)


def _make_pool(spec: StudySpec, workload: Workload, how: How, kind: PoolKind, address: str | None) -> RunPool:
    """Return the pool of a run; what runs programs, or connects to a cluster, starts when it is needed."""
    asked = PoolRequest(
        workload=workload, at_most=1, workers=how.workers, resources=spec.resources, address=address
    )
    is_early = how.pool == DEFAULT_POOL and not isinstance(workload.task, RunsPrograms)
    return RunPool(kind, asked, is_early=is_early)


def _trial_place(spec: StudySpec, database: Database) -> TrialPlace:
    folder = str(database.program_folder(spec.name))
    return TrialPlace(study=spec.name, folder=folder, cpus=max(1, int(spec.resources.cpus)))


def _request(
    workload: Workload, how: How, pool: RunPool, *, code: Code | None, needed: StudyMemory | None
) -> RunRequest:
    """Return what the drivers' parts are told of a run."""
    there = machine_bytes() if how.pool == DEFAULT_POOL else math.inf

    def described_memory(workers: int) -> str:
        return describe_memory(workload.task, workload.data, needed, workers, there)

    return RunRequest(
        workload=workload,
        start_pool=pool.start,
        observe=how.observe,
        should_stop=how.should_stop,
        code=code,
        code_changed=how.code_changed,
        describe_memory=described_memory,
    )
