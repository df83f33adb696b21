"""Recognise a study of which nothing is left to train, to note or to publish; what trains is not loaded."""

import json
from typing import NamedTuple

from sweep.definition.records import StudyRecord
from sweep.definition.spec import StudySpec
from sweep.errors import DataError, NotFoundError, StorageError
from sweep.storage.database import Database
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study, stored_conclusion
from sweep.task import RunsPrograms, data_sha256


class Finished(NamedTuple):
    """A study that a run would not change."""

    study: StudyRecord
    loss_ceiling: float | None
    """Value of knowing nothing; None if the trainer knows none."""


def finished_study(spec: StudySpec, database: Database) -> Finished | None:
    """Return what is stored of a study if a run of ``spec`` would not change it, else None.

    The data are hashed, not read. The result is None for a study with its own program, because only the run
    checks whether the program has changed, and for a study that cannot be read, because another process may
    be creating it; the run waits for the lock of the study.
    """
    if isinstance(spec.task, RunsPrograms) or not database.exists():
        return None
    try:
        reader = database.open_read_only()
        if spec.name not in study_names(reader):
            return None
        conclusion = stored_conclusion(reader, spec.name)
        if conclusion is None or conclusion.trials < spec.total_trials:
            return None  # before all trials are read
        study = load_study(reader, spec.name)
    except (StorageError, NotFoundError):
        return None
    if not conclusion.is_of(study) or not _is_whole(study, spec):
        return None
    return Finished(study, conclusion.loss_ceiling)


def _is_whole(study: StudyRecord, spec: StudySpec) -> bool:
    """Return whether a study has all trials that ``spec`` asks for, and is the one that it describes."""
    is_whole = len(study.trials) >= study.trials_in_all and all(trial.is_finished for trial in study.trials)
    if not is_whole or spec.retried:
        return False
    try:
        sha256 = data_sha256(spec.task, spec.data)
    except DataError:
        return False  # the run reports the error
    logged = spec.logged if spec.logged_data_sha256 == sha256 else ()
    asked = (spec.goal, spec.data, spec.total_trials, spec.keep, spec.resources, tuple(logged))
    stored = (study.goal, study.data, study.total_trials, study.keep, study.resources, study.logged)
    return asked == stored and study.identity == json.loads(json.dumps(spec.identity(spec.task, sha256)))
