"""Read a guest, a study that Optuna made without sweep, as the record that tables, figures and pages take.

Attributes and distributions are read as JSON; nothing is imported, run or unpickled. A guest has no known
trainer, sampler, seeds or data, so that its record leaves them empty and says ``is_guest``.
"""

import collections
import json
import math
import re
from collections.abc import Mapping, Sequence

from sweep.definition.dimension import Dimension, stored_dimension
from sweep.definition.identity import Identity
from sweep.definition.records import StudyRecord
from sweep.errors import GuestError
from sweep.metric import DIRECTIONS, MAXIMIZE
from sweep.storage import stored_kinds
from sweep.storage.database import Reader, Snapshot, schema, storage_errors
from sweep.storage.guests.trials import Report, ShownNames, guest_trial
from sweep.storage.guests.values import distinct_names, joined_dimension, shown_attribute, shown_dimension
from sweep.storage.stored_trials import read_trials
from sweep.storage.study_names import ids_in
from sweep.storage.study_reader import hidden_attribute, load_study, no_study, study_attributes
from sweep.values import Json

_METRIC_NAMES = "study:metric_names"
"""System attribute of a study: the names of its objectives, if ``Study.set_metric_names`` was called."""

_OLD_OPTUNA = re.compile(r"[0-4]\.")
"""Versions that stored local times."""

_TRAINER = "optuna"
"""What stands for the trainer's name in an identity."""


def load_shown_study(reader: Reader, name: str) -> StudyRecord:
    """Return a stored study that is to be shown: one of sweep's own, or a guest.

    Raises:
        NotFoundError: If there is none of that name.
        StorageError: If it cannot be read.
    """
    try:
        return load_study(reader, name)
    except GuestError:
        return load_guest(reader, name)


def load_guest(reader: Reader, name: str) -> StudyRecord:
    """Return a study that Optuna made without sweep; raises as ``load_shown_study``."""
    with storage_errors(name), reader.snapshot() as snapshot, stored_kinds.damage_refused(f"study {name!r}"):
        ids = ids_in(snapshot)
        if name not in ids:
            raise no_study(name, ids)
        return _guest_record(snapshot, name, ids[name])


def _guest_record(snapshot: Snapshot, name: str, study_id: int) -> StudyRecord:
    objectives = _objectives(snapshot, study_id)
    dimensions = _dimensions(snapshot, study_id)
    params = distinct_names(dimensions, "param", objectives)
    names = ShownNames(objectives=tuple(objectives), params=params)
    reports = _reports(snapshot, study_id)
    trials = read_trials(snapshot, schema.OF_STUDY, study_id)
    attributes = study_attributes(snapshot, study_id)
    is_local = _has_local_times(snapshot)
    return StudyRecord(
        name=name,
        goal="",
        identity=_identity(objectives, {params[key]: each for key, each in dimensions.items()}),
        data={key: shown_attribute(value) for key, value in attributes.items()},
        data_facts="",
        total_trials=len(trials),
        keep=0,
        logged=(),
        environment={},
        trials=tuple(
            guest_trial(trial, reports.get(trial.trial_id, ()), names, has_local_times=is_local)
            for trial in trials
        ),
        is_guest=True,
    )


def _identity(objectives: Mapping[str, str], space: Mapping[str, Dimension]) -> Identity:
    """Return what takes the place of an identity: the objectives and the space, and else nothing."""
    metric, *others = objectives
    identity: Identity = {
        "sampler": "",
        "pruner": "",
        "seed": 0,
        "replicates": 1,
        "objective": [metric, *others] if others else metric,
        "data_sha256": "",
        "data": {},
        "split": "",
        "trainer_version": 0,
        "fixed": {},
        "search": {name: shown_dimension(dimension).to_json() for name, dimension in space.items()},
        "trial": [],
        "trainer": _TRAINER,
        "program": dict(objectives),
    }
    if objectives[metric] == MAXIMIZE:
        identity["direction"] = MAXIMIZE
    return identity


def _objectives(snapshot: Snapshot, study_id: int) -> dict[str, str]:
    """Return the name and the direction of each objective, the names as they are shown."""
    directions = [direction.lower() for (direction,) in snapshot.rows(schema.DIRECTIONS, study_id)]
    if not directions or not set(directions) <= set(DIRECTIONS):
        raise ValueError(f"its directions are {directions!r:.80}")
    names = _metric_names(hidden_attribute(snapshot, study_id, _METRIC_NAMES), len(directions))
    if len(names) > 1:
        names = list(distinct_names(names, "objective").values())
    return dict(zip(names, directions, strict=True))


def _metric_names(stored: Json, count: int) -> list[str]:
    """Return names as stored, if there is one for each objective; else Optuna's own in its tables."""
    is_sound = isinstance(stored, list) and all(isinstance(name, str) and name for name in stored)
    if is_sound and len(stored) == len(set(stored)) == count:
        return list(stored)
    return ["value"] if count == 1 else [f"values_{place}" for place in range(count)]


def _dimensions(snapshot: Snapshot, study_id: int) -> dict[str, Dimension]:
    """Return the dimension of each hyperparameter, in order of first use."""
    stored: dict[str, list[Dimension]] = collections.defaultdict(list)
    for name, distribution in snapshot.rows(schema.DISTRIBUTIONS, study_id):
        stored[name].append(stored_dimension(json.loads(distribution)))
    return {name: joined_dimension(name, each) for name, each in stored.items()}


def _has_local_times(snapshot: Snapshot) -> bool:
    """Return whether the times are local, as Optuna stored them before 5.0; since then they are UTC.

    The version is that of the database's creation. A replayed journal has none, and its times are UTC.
    """
    versions = snapshot.rows(schema.OPTUNA_VERSION) if snapshot.has_table("version_info") else []
    return any(_OLD_OPTUNA.match(str(version)) for (version,) in versions)


def _reports(snapshot: Snapshot, study_id: int) -> Mapping[int, Sequence[Report]]:
    """Return trial id -> its finite intermediate values."""
    reports: dict[int, list[Report]] = collections.defaultdict(list)
    for trial_id, step, value, kind in snapshot.rows(schema.REPORTS, study_id):
        if kind == "FINITE" and isinstance(value, float) and math.isfinite(value):
            reports[trial_id].append((step, value))
    return reports
