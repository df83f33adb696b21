"""Run, plan and confirm a study from Python; the same as the commands of these names."""

import dataclasses
import warnings
from collections.abc import Callable, Sequence

from sweep.api.asked import Request, find_spec, open_database, stored_study, stored_trials, trials_done
from sweep.api.finished import finished_study
from sweep.api.stored import StoredStudy, read_study
from sweep.api.wording import in_python
from sweep.certify.confirm import plan_confirmation, run_confirmation
from sweep.certify.confirm_plan import ConfirmSettings, difference_that_matters
from sweep.certify.statistics.selection import ALPHA
from sweep.certify.stored_confirmation import load_confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.trust import check_trusted
from sweep.definition.records import StudyRecord
from sweep.definition.spec import StudySpec
from sweep.execution.events import Observer, both
from sweep.execution.how import How, ignore, never
from sweep.execution.planning.program_plan import ProgramPlan, plan_program
from sweep.execution.planning.study_plan import StudyPlan, plan_study
from sweep.execution.pools.pools import DEFAULT_POOL, local_places
from sweep.execution.run import Ran, running
from sweep.reporting.note_taking import take_notes
from sweep.reporting.publish import publish
from sweep.storage.database import Database
from sweep.task import AnyTask, RunsPrograms, mend, resolve_device
from sweep.tracking.follower import following

_ANYWHERE = ("auto", None, DEFAULT_POOL)
"""Device, engine and pool of a run that names none; a named one is checked in any case."""


@in_python
def run(
    study: str,
    *,
    trials: int | None = None,
    workers: int | None = None,
    timeout: str | None = None,
    replicates: int | None = None,
    settings: Sequence[str] = (),
    name: str | None = None,
    begin_with: str | None = None,
    begin_with_top: int | None = None,
    retry_failed: bool = False,
    data_file: str | None = None,
    device: str = "auto",
    engine: str | None = None,
    pool: str = "local",
    storage: str | None = None,
    files: str | None = None,
    observe: Observer = ignore,
    should_stop: Callable[[], bool] = never,
    code_changed: str | None = None,
    track: str | None = None,
) -> StoredStudy:
    """Train a study's trials, or continue with them, as ``sweep run`` does.

    Args:
        study: A study file, the name of one in ``studies/``, or the name of a stored study.
        trials: Total of trials, those of earlier runs included; None is what the study asks for.
        workers: Trials in training at a time; None is one for each core.
        timeout: When to stop, as ``"90s"``, ``"10m"`` or ``"none"``.
        replicates: Seeds for each configuration.
        settings: Changes ``KEY=VALUE`` that make a named variant of the study file.
        name: Another name to store the study under.
        begin_with: A stored study; its best configurations are trained first.
        begin_with_top: How many of them.
        retry_failed: Whether to train the configurations of failed trials again, as further trials.
        data_file: Another data file than the one that the study names.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        engine: What trains; None is the device's default.
        pool: ``local``, ``ray`` or ``ray://HOST:PORT``.
        storage: URL of the database; None is ``SWEEP_STORAGE``, else the command line's default.
        files: Folder or bucket of weights and curves beside a database on a server.
        observe: Called with each event, after what it reports is on disk.
        should_stop: Asked several times a second; True stops and stores the running trials.
        code_changed: Why the study's own program may have changed; None refuses another one.
        track: ``mlflow``, or ``wandb`` offline: also log each finished trial there.

    Raises:
        SweepError: One of its kinds if the study, the data, the device or the machine does not allow it.

    Examples:
        >>> study = sweep.run("studies/quick.toml", trials=20, workers=2)  # doctest: +SKIP
        >>> study.table().nsmallest(3, "dev_loss")  # doctest: +SKIP
    """
    database = open_database(storage, files)
    request = Request(
        study=study,
        settings=tuple(settings),
        trials=trials,
        replicates=replicates,
        timeout=timeout,
        name=name,
        source=begin_with,
        source_top=begin_with_top,
        retry_failed=retry_failed,
        data_file=data_file,
    )
    spec = find_spec(request, database, _warn)
    how = How(
        workers=workers,
        device=device,
        engine=engine,
        pool=pool,
        observe=observe,
        should_stop=should_stop,
        code_changed=code_changed,
    )
    return run_spec(spec.task, spec, database, how, track)


def run_spec(
    task: AnyTask, spec: StudySpec, database: Database, how: How, track: str | None = None
) -> StoredStudy:
    """Train what is left of a study, if anything, and store what follows a run."""
    is_anywhere = (how.device, how.engine, how.pool) == _ANYWHERE
    with following(track, spec.name, database, say=_ignore, warn=_warn) as tracking:
        how = dataclasses.replace(how, observe=both(how.observe, tracking))
        if not is_anywhere or finished_study(spec, database) is None:
            with running(task, spec, database, how) as ran:
                if not how.should_stop():
                    _conclude(ran, database)
    return read_study(spec.name, database)


def _ignore(text: str) -> None:
    """Print nothing."""


@in_python
def plan(
    study: str,
    *,
    trials: int | None = None,
    workers: int | None = None,
    timeout: str | None = None,
    replicates: int | None = None,
    settings: Sequence[str] = (),
    data_file: str | None = None,
    device: str = "auto",
    storage: str | None = None,
    files: str | None = None,
) -> StudyPlan | ProgramPlan:
    """Time some of a study's configurations and return what it would cost; nothing is stored.

    Of a study's own program nothing is timed: the plan is made of its stored trials. Args and errors are
    those of ``run``.
    """
    database = open_database(storage, files)
    request = Request(
        study=study,
        settings=tuple(settings),
        trials=trials,
        replicates=replicates,
        timeout=timeout,
        data_file=data_file,
    )
    spec = find_spec(request, database, _warn)
    task = spec.task
    workers = local_places(task, spec.resources, device, workers)
    data, device = task.load_data(spec.data), resolve_device(task, device)
    if text := mend(task, device):
        _warn(text)
    if isinstance(task, RunsPrograms):
        stored = stored_trials(spec.name, data.sha256, database, _warn)
        return plan_program(task, spec, stored, database.program_folder(spec.name), workers=workers)
    done = trials_done(spec.name, data.sha256, database, _warn)
    return plan_study(task, spec, data, workers=workers, device=device, done=done)


@in_python
def confirm(
    study: str,
    *,
    top: int = 5,
    seeds: int = 5,
    certify: int = 5,
    race: bool = False,
    delta: float | None = None,
    alpha: float = ALPHA,
    resplit: int = 0,
    workers: int | None = None,
    device: str = "auto",
    engine: str | None = None,
    pool: str = "local",
    storage: str | None = None,
    files: str | None = None,
    observe: Observer = ignore,
    should_stop: Callable[[], bool] = never,
    code_changed: str | None = None,
) -> StoredStudy:
    """Train the best configurations again on fresh seeds, and choose among them, as ``sweep confirm`` does.

    Args:
        study: Name of a stored study, or its file.
        top: Candidates.
        seeds: Seeds for each candidate.
        certify: More seeds for the chosen one.
        race: Whether candidates leave early; ``seeds`` is then the most that each gets.
        delta: Difference that matters; None is what the trainer names.
        alpha: Chance of an error.
        resplit: Other cuts of train and dev to train the chosen one on, 10 or more; 0 for none.
        workers: Trainings at a time; None is one for each core.
        device: As for ``run``, as are the others below.
        engine: What trains.
        pool: Where.
        storage: URL of the database.
        files: Folder or bucket of weights and curves.
        observe: Called with each event.
        should_stop: True stops and stores the running trainings.
        code_changed: As for ``run``.

    Raises:
        SweepError: As ``run``; ``NotFoundError`` if the study has no complete trial.
    """
    database = open_database(storage, files)
    stored = stored_study(study, database.open_read_only())
    check_trusted(stored.name, stored.program, stored.surroundings)
    asked = ConfirmSettings(
        top=top,
        seeds=seeds,
        certify=certify,
        method="race" if race else "fixed",
        delta=difference_that_matters(stored.task, stored, delta),
        alpha=alpha,
        resplit=resplit,
    )
    how = How(
        workers=workers,
        device=device,
        engine=engine,
        pool=pool,
        observe=observe,
        should_stop=should_stop,
        code_changed=code_changed,
    )
    return confirm_stored(stored.task, stored, asked, database, how)


def confirm_stored(
    task: AnyTask, stored: StudyRecord, asked: ConfirmSettings, database: Database, how: How
) -> StoredStudy:
    """Train what a confirmation of a stored study asks for, and store its figures once it is finished."""
    plan = plan_confirmation(stored, load_confirmation(database.open_read_only(), stored), asked)
    finished = run_confirmation(task, stored, plan, database, how)
    confirmed = read_study(stored.name, database)
    if finished:
        publish_stored(confirmed, database)
    return confirmed


def _conclude(ran: Ran, database: Database) -> None:
    """Store a run's notes and figures; what cannot be made is a warning, since the trials are stored."""
    study = ran.summary.study
    study_data = StudyData(study, ran.data)
    concludes = study_data.why_missing is None
    if study_data.why_missing is None:
        with database.opening():
            take_notes(study, study_data, database, ran.call)
    else:
        _warn(study_data.why_missing)
    publish_stored(read_study(study.name, database), database, concludes=concludes)


def publish_stored(study: StoredStudy, database: Database, *, concludes: bool = False) -> None:
    """Store a study's figures for the dashboard; an error is a warning, since the trials are stored."""
    try:
        with database.opening():
            publish(study.evidence, database, concludes=concludes)
    except Exception as error:  # noqa: BLE001  whatever it is, it concerns the dashboard alone
        _warn(f"the dashboard does not show the study's figures and files: {error}".partition("\n")[0])


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=3)
