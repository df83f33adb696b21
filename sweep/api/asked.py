"""Find the study that is meant, and apply what is to be changed in it.

A study is a file, the name of a file in ``studies/``, or a stored study. Running it is left to ``training``.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sweep.certify.config_file import is_config_file
from sweep.certify.trust import check_trusted, remember
from sweep.definition.identity import is_ablation
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.sections.top_level import check_name, parse_duration
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file
from sweep.definition.variants import linear_ranges, warm_name
from sweep.errors import DataError, NotFoundError, OptionError, StudyConflictError, StudyFileError
from sweep.reporting.retries import with_retries
from sweep.reporting.warm_start import TOP, resume_warm_start, warm_start
from sweep.spelling import did_you_mean
from sweep.storage.database import Database, Reader
from sweep.storage.database.kinds import KINDS
from sweep.storage.default_address import DEFAULT_STORAGE, STORAGE_VARIABLE
from sweep.storage.guests.reader import load_shown_study
from sweep.storage.study_names import confirmed_study, is_guest, study_names
from sweep.storage.study_reader import load_study, stored_spec
from sweep.task import AnyTask, data_files, data_sha256
from sweep.values import Toml

Note = Callable[[str], None]
"""Is called with a remark for the user."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A study, and what is to be changed in it."""

    study: str
    """A study file, the name of one in ``studies/``, or the name of a stored study."""
    settings: tuple[str, ...] = ()
    """Changes ``KEY=VALUE`` that make a named variant of a study file."""
    trials: int | None = None
    replicates: int | None = None
    timeout: str | None = None
    """As a study file writes it: ``10m``."""
    name: str | None = None
    """Under which the study is stored; None keeps its own."""
    source: str | None = None
    """A stored study with whose best configurations the study begins; ``NAME@URL`` in another database."""
    source_top: int | None = None
    """How many of them; None is ``TOP``."""
    data_file: str | None = None
    """Another file than the one that ``[data]`` names."""
    retry_failed: bool = False
    """Whether the configurations of failed trials are trained again."""
    trust: bool = False
    """Whether the program of a stored study may run that was not run here before."""


def open_database(storage: str | None = None, files: str | None = None) -> Database:
    """Return the database of a URL; None is ``SWEEP_STORAGE``, else the command line's default."""
    return Database(storage or os.environ.get(STORAGE_VARIABLE, DEFAULT_STORAGE), files)


def find_spec(request: Request, database: Database, note: Note = lambda text: None) -> StudySpec:
    """Read the study file, or take the stored study, and apply the changes.

    Raises:
        NotFoundError: If there is neither a file nor a stored study, or no failed trial to train again.
        StudyFileError: If the file or a change breaks a rule.
        DataError: If a file that ``[data]`` names is missing.
    """
    spec = _named_spec(request, database, note)
    task = spec.task
    if request.data_file is None:
        _check_data_files(request.study, task, spec)
    spec = spec.replace(**_changes(request, task, spec))
    if request.source is not None:
        spec = _warm_started(request, request.source, task, spec, database)
    if not request.retry_failed:
        return spec
    return with_retries(spec, load_study(database.open_read_only(), spec.name))


def stored_study(study: str, reader: Reader) -> StudyRecord:
    """Return the stored study that a name or a study file means."""
    return load_study(reader, stored_name(study, reader))


def shown_study(study: str, reader: Reader) -> StudyRecord:
    """Return the stored study that is to be shown: one of sweep's own, or a guest."""
    return load_shown_study(reader, shown_name(study, reader))


def shown_name(study: str, reader: Reader) -> str:
    """Return the name of a study that is to be shown; a guest may have any name, that of a file too."""
    return study if is_guest(reader, study) else stored_name(study, reader)


def stored_name(study: str, reader: Reader) -> str:
    """Return the name of a study that is given by it or by its file.

    Raises:
        NotFoundError: If it is the name of a confirmation, or of a missing file whose study is stored.
    """
    if (confirmed := confirmed_study(study)) is not None:
        raise NotFoundError(
            f"{study} is the confirmation of study {confirmed!r} and goes with it; name {confirmed}",
            key="confirmation",
        )
    if not study.endswith(".toml"):
        return study
    if not os.path.exists(study) and (name := Path(study).stem) in study_names(reader):
        raise NotFoundError(f"study file {study} does not exist, but study {name!r} is stored: name {name}")
    return load_study_file(study).name


def study_path(study: str) -> Path | None:
    """Return the study's file: as given, or ``studies/NAME.toml`` for a name."""
    if study.endswith(".toml"):
        return Path(study)
    path = Path("studies") / f"{study}.toml"
    # Not Path.is_file: it raises for a name that no file can have.
    return path if "/" not in study and os.path.isfile(path) else None


def trials_done(name: str, data_sha256: str, database: Database, note: Note) -> int:
    """Return how many trials of a stored study a plan may count; none if it was run on other data."""
    trials = stored_trials(name, data_sha256, database, note)
    return sum(trial.is_finished and trial.retries is None for trial in trials)


def stored_trials(name: str, data_sha256: str, database: Database, note: Note) -> tuple[TrialRecord, ...]:
    """Return the trials of a stored study for a plan; none if it was run on other data."""
    if not database.exists() or name not in study_names(storage := database.open_read_only()):
        return ()
    study = load_study(storage, name)
    if data_sha256 == study.data_sha256:
        return study.trials
    note(
        f"the data are not those that study {name!r} was run on, so `sweep run` will refuse them; "
        "planned as a new study"
    )
    return ()


def with_data_file(task: AnyTask, section: Mapping[str, Toml], path: str) -> dict[str, Toml]:
    """Return a ``[data]`` section with another file; raises ``StudyFileError`` unless it names one file."""
    keys = list(data_files(task, section))
    if len(keys) != 1:
        raise OptionError(
            f"--data replaces one file, but trainer {task.name} reads {len(keys)}; "
            "change [data] with --set data.KEY=VALUE"
        )
    return {**section, keys[0]: path}


def _named_spec(request: Request, database: Database, note: Note) -> StudySpec:
    """Return the study of a file with its settings, or of a stored study that has no file."""
    path = study_path(request.study)
    if path is None:
        return _stored_spec(request, database)
    if is_config_file(path):
        raise StudyFileError(
            f"{path} is an exported configuration; sweep train, test, sample and lr-find take it"
        )
    spec = load_study_file(path, settings=request.settings)
    remember(spec.program, spec.surroundings)
    for text in linear_ranges(request.settings, spec.space):
        note(text)
    return spec


def _stored_spec(request: Request, database: Database) -> StudySpec:
    study = request.study
    stored = study_names(database.open_read_only()) if database.exists() else []
    if study not in stored:
        if "/" in study or os.path.exists(study):
            raise NotFoundError(f"{study} is no study file; give a .toml file, or a name in studies/")
        known = [*stored, *(path.stem for path in sorted(Path("studies").glob("*.toml")))]
        hint = did_you_mean(study, known, "{} ")
        raise NotFoundError(f"no study file studies/{study}.toml; {hint}give the path of a .toml file")
    if request.settings:
        raise OptionError(f"--set changes a study file, and {study} has none in studies/")
    record = load_study(database.open_read_only(), study)
    if is_ablation(record.identity):
        raise StudyConflictError(f"{study} is an ablation; `sweep ablate FROM.toml TO.toml` continues it")
    check_trusted(study, record.program, record.surroundings, trust=request.trust)
    return stored_spec(record)


def _check_data_files(study: str, task: AnyTask, spec: StudySpec) -> None:
    """Refuse data files that are missing, by the study's keys that name them."""
    missing = [(key, path) for key, path in data_files(task, spec.data).items() if not os.path.exists(path)]
    if missing:
        raise DataError(
            *(
                f"{study_path(study) or study}: data.{key} names {path!r}, which does not exist "
                f"in {os.getcwd()}; correct it, or give another one with --data FILE"
                for key, path in missing
            ),
            key="no-data-file",
        )


def _changes(request: Request, task: AnyTask, spec: StudySpec) -> dict[str, Any]:
    """Return the fields of a study that a request changes."""
    changes: dict[str, Any] = {"trials": request.trials, "replicates": request.replicates}
    changes = {name: value for name, value in changes.items() if value is not None}
    if request.timeout is not None:
        changes["timeout"] = parse_duration("--timeout", request.timeout)
    if request.name is not None:
        changes["name"] = check_name("--as", request.name)
    elif request.source is not None:
        changes["name"] = warm_name(spec.name, _split_source(request.source)[0], request.source_top)
    if request.data_file is not None:
        changes["data"] = with_data_file(task, spec.data, request.data_file)
        sha256 = data_sha256(task, changes["data"])
        changes["name"] = f"{changes.get('name', spec.name)}@{sha256[:8]}"
    return changes


def _warm_started(
    request: Request, source: str, task: AnyTask, spec: StudySpec, database: Database
) -> StudySpec:
    """Begin a study with configurations of another one; a study that is stored keeps those it began with."""
    name, url = _split_source(source)
    elsewhere = database if url is None else Database(url)
    label = name if url is None else f"{name}@{elsewhere.address}"
    if database.exists() and spec.name in study_names(storage := database.open_read_only()):
        stored = load_study(storage, spec.name)
        if stored.origin.get("study") == label:
            return resume_warm_start(spec, stored)
    earlier = load_shown_study(elsewhere.open_read_only(), name)
    return warm_start(task, spec, earlier, request.source_top or TOP, label=label)


def _split_source(source: str) -> tuple[str, str | None]:
    """Return the name of the study to begin with, and the URL of its database if it is another one.

    Examples:
        >>> _split_source("names@05d9b62d"), _split_source("a@b@sqlite:///c.db")
        (('names@05d9b62d', None), ('a@b', 'sqlite:///c.db'))
    """
    places = [source.find(f"@{start}") for start in KINDS]
    place = min((found for found in places if found > 0), default=None)
    return (source, None) if place is None else (source[:place], source[place + 1 :])
