"""Run a study together with other drivers: join, train, and leave.

``trials.shared_source`` describes how the drivers share the trials.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from sweep.definition.spec import StudySpec
from sweep.errors import StorageUnreachableError
from sweep.execution.budget import Budget
from sweep.execution.driver import Driver, RunSummary
from sweep.execution.events import Warned
from sweep.execution.one_program import accept_code
from sweep.execution.run_request import RunRequest
from sweep.execution.study_run import StudyRun, gate_of
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.shared_source import Shared, Stored
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database, machine_errors
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.database.postgres import RUNNING_PATIENCE_S, patiently
from sweep.storage.shared_study import LeaseLostError, SharedStudy
from sweep.storage.study_files import check_files, mark_files
from sweep.storage.study_reader import load_study, trial_ids
from sweep.storage.study_store import ensure_study


def run_shared(spec: StudySpec, database: Database, request: RunRequest) -> RunSummary:
    """Train trials of a study together with other drivers.

    A driver that lost its lease, because it was stopped or disconnected for long, rejoins as a new driver.
    """
    place = _Place(database, database.open_for_writing(), spec.name)
    deadline = None if spec.timeout is None else time.monotonic() + spec.timeout
    trained = 0
    while True:
        shared, code_changed = _join(place, spec, request)
        driver = _make_driver(place, spec, request, shared, code_changed)
        try:
            with _leaving_if_it_fails(shared), machine_errors(database.files.where):
                stopped_by = driver.run()
            break
        except LeaseLostError:
            request.observe(
                Warned(text="this driver lost its lease (presumed dead) and rejoined as a new driver")
            )
            if deadline is not None:
                spec = spec.replace(timeout=max(1e-3, deadline - time.monotonic()))
        finally:
            trained += driver.trained
    _leave(place, shared, driver)
    driver.gate.refuse()
    return RunSummary(study=database.patiently(place.read)[0], trained=trained, stopped_by=stopped_by)


class _Place(NamedTuple):
    """The database and the name of the study."""

    database: Database
    storage: Storage
    name: str

    def read(self) -> Stored:
        """Return the stored study and the ids of its trials."""
        return load_study(self.storage, self.name), trial_ids(self.storage, self.name)


def _join(place: _Place, spec: StudySpec, request: RunRequest) -> tuple[SharedStudy, str | None]:
    """Join the study's drivers, creating a missing study, and return the reason for a program change."""

    def join() -> tuple[SharedStudy, str | None]:
        with place.database.opening():
            check_files(place.database, place.storage, spec.name)
            study_id = ensure_study(place.storage, spec, request.workload.task, request.workload.data)
            mark_files(place.database, place.storage, spec.name)
            keeper, storage = spec.program_keeper, place.storage
            code_changed = accept_code(storage, keeper, request.code, request.code_changed)
            shared = SharedStudy(storage, study_id, spec.name)
            shared.join()
        return shared, code_changed

    return place.database.patiently(join)


def _make_driver(
    place: _Place, spec: StudySpec, request: RunRequest, shared: SharedStudy, code_changed: str | None
) -> Driver:
    stored = patiently(place.read, RUNNING_PATIENCE_S)
    run = StudyRun(
        spec=spec,
        request=request,
        writer=shared.writer,
        checkpoints=Checkpoints(place.database.files / spec.name),
        budget=Budget(spec.timeout),
        gate=gate_of(request, spec.program_keeper),
        code_changed=code_changed,
    )
    known = KnownTrials(run, stored[0], is_alone=False)
    claimer = Claimer(run, known)
    source = Shared(claimer, known, shared, stored=stored, read=place.read)
    return Driver(run, known, source)


@contextlib.contextmanager
def _leaving_if_it_fails(shared: SharedStudy) -> Iterator[None]:
    """Release the driver's claims if its run fails; a driver that lost its lease has none."""
    try:
        yield
    except LeaseLostError:
        shared.close()
        raise
    except BaseException:
        with contextlib.suppress(StorageUnreachableError):
            shared.leave()
        raise


def _leave(place: _Place, shared: SharedStudy, driver: Driver) -> None:
    """Leave the study; its last driver tidies the files of all trials."""
    with contextlib.suppress(StorageUnreachableError), place.database.opening():
        if shared.leave():
            driver.known.files.tidy_all(place.read()[0].trials)
