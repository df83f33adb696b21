"""Write studies, except their trials, into the database; rename and delete studies.

The schema is Optuna's, so that its dashboard and tools can read it. Data without a column of Optuna's are
user attributes: a study's identity and data, a trial's seed, engine and reason for an early end. A trial's
segments are a system attribute, which the dashboard does not show. ``study_writer`` writes the trials,
``study_reader`` reads studies.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence

from optuna.study import StudyDirection

from sweep.definition.identity import fingerprint, identity_changes
from sweep.definition.notes import Note, plain_note
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError, StudyConflictError
from sweep.storage import stored_kinds
from sweep.storage.database import storage_errors
from sweep.storage.database.optuna_schema import DIRECTIONS, STUDIES, STUDY_ATTRS, STUDY_HIDDEN, Storage
from sweep.storage.environment import describe_environment
from sweep.storage.leases import NoTurns
from sweep.storage.study_names import confirmation_name, study_ids
from sweep.storage.study_reader import (
    CODE,
    CONCLUDED,
    FINGERPRINT,
    PLANS,
    SURROUNDINGS,
    Conclusion,
    directions_of,
)
from sweep.storage.study_writer import StudyWriter
from sweep.task import DEFAULT_TASK, AnyTask, Data
from sweep.values import Json

_METRIC_NAMES = "study:metric_names"
"""Attribute in which ``Study.set_metric_names``, which warns that it is experimental, stores the names."""


def open_study(storage: Storage, spec: StudySpec, task: AnyTask, data: Data) -> StudyWriter:
    """Return a writer, the only one, of the study that ``spec`` describes; see ``ensure_study``."""
    return StudyWriter(storage.engine, ensure_study(storage, spec, task, data), spec.name, NoTurns())


def ensure_study(storage: Storage, spec: StudySpec, task: AnyTask, data: Data) -> int:
    """Return the id of the study that ``spec`` describes; store the study if it is missing.

    Raises:
        StudyConflictError: If a stored study of that name has another identity.
    """
    stored_kinds.check_names_of_facts(task)
    identity = json.loads(json.dumps(spec.identity(task, data.sha256)))
    with storage_errors(spec.name), stored_kinds.damage_refused(f"study {spec.name!r}"):
        stored_id = study_ids(storage).get(spec.name)
        if stored_id is None:
            stored_id = _create(storage, spec, identity)
        else:
            _check_identity(storage, stored_id, spec, identity)
        _store_changeable(storage, stored_id, spec, data)
    return stored_id


def store_note(storage: Storage, name: str, note: Note) -> None:
    """Store a note of a study, replacing an earlier one of its kind; an equal one is not written.

    Raises:
        NotFoundError: If there is no study of that name.
    """
    with storage_errors(name):
        study_id = _ids_with(storage, name)[name]
        if storage.get_study_user_attrs(study_id).get(note.key) != (value := plain_note(note)):
            storage.set_study_user_attr(study_id, note.key, value)


def store_conclusion(storage: Storage, name: str, conclusion: Conclusion) -> None:
    """Store the conclusion of a study; an equal one is not written."""
    store_hidden(storage, name, CONCLUDED, dataclasses.asdict(conclusion))


def store_hidden(storage: Storage, name: str, key: str, value: dict[str, Json]) -> None:
    """Store a system attribute of a study, which the dashboard does not show; an equal one is not written."""
    with storage_errors(name):
        study_id = study_ids(storage)[name]
        if storage.get_study_system_attrs(study_id).get(key) != value:
            storage.set_study_system_attr(study_id, key, value)


def write_plan(storage: Storage, name: str, plan: dict[str, Json]) -> None:
    """Add a plan of a confirmation to a study."""
    with storage_errors(name):
        study_id = study_ids(storage)[name]
        plans = storage.get_study_user_attrs(study_id).get(PLANS, [])
        storage.set_study_user_attr(study_id, PLANS, [*plans, plan])


def store_code(storage: Storage, name: str, versions: Sequence[Mapping[str, Json]]) -> None:
    """Store the versions of a study's program."""
    with storage_errors(name):
        storage.set_study_user_attr(study_ids(storage)[name], CODE, list(versions))


def rename_study(storage: Storage, old: str, new: str) -> None:
    """Rename a study and its confirmation, in one transaction.

    Raises:
        NotFoundError: If there is no study ``old``.
        StudyConflictError: If there is a study ``new``.
    """
    with storage_errors(old):
        if new in _ids_with(storage, old):
            raise StudyConflictError(f"a study {new!r} exists already; choose another name")
        with storage.engine.begin() as connection:
            for before, after in ((old, new), (confirmation_name(old), confirmation_name(new))):
                change = STUDIES.update().where(STUDIES.c.study_name == before).values(study_name=after)
                connection.execute(change)


def delete_study(storage: Storage, name: str) -> None:
    """Delete a study with its trials and its confirmation.

    Raises:
        NotFoundError: If there is no study of that name.
    """
    with storage_errors(name):
        ids = _ids_with(storage, name)
        for stored in (confirmation_name(name), name):
            if stored in ids:
                storage.delete_study(ids[stored])


def _ids_with(storage: Storage, name: str) -> Mapping[str, int]:
    """Return the ids of all studies, ``name`` among them; raises NotFoundError without it."""
    ids = study_ids(storage)
    if name not in ids:
        raise NotFoundError(f"no study {name!r} in the database")
    return ids


def _create(storage: Storage, spec: StudySpec, identity: dict[str, Json]) -> int:
    """Store a new study with its identity, in one transaction: one without it is never sweep's.

    The dashboard names its objectives, but for the default trainer's single one.
    """
    is_named = spec.cost is not None or spec.trainer != DEFAULT_TASK
    hidden: dict[str, Json] = {_METRIC_NAMES: list(spec.objectives)} if is_named else {}
    hidden[FINGERPRINT] = fingerprint(identity)
    with storage.engine.begin() as connection:
        insert = STUDIES.insert().values(study_name=spec.name).returning(STUDIES.c.study_id)
        study_id: int = connection.execute(insert).scalar_one()
        directions = [
            {"study_id": study_id, "objective": place, "direction": StudyDirection[direction]}
            for place, direction in enumerate(directions_of(identity))
        ]
        connection.execute(DIRECTIONS.insert(), directions)
        for table, attrs in ((STUDY_HIDDEN, hidden), (STUDY_ATTRS, {"identity": identity})):
            rows = [
                {"study_id": study_id, "key": key, "value_json": json.dumps(value)}
                for key, value in attrs.items()
            ]
            connection.execute(table.insert(), rows)
    return study_id


def _check_identity(storage: Storage, study_id: int, spec: StudySpec, identity: dict[str, Json]) -> None:
    stored = storage.get_study_user_attrs(study_id).get("identity")
    if stored is None:
        raise StudyConflictError(f"a study {spec.name!r} that sweep did not make is stored; use --as NAME")
    changes = identity_changes(stored, identity)
    if changes:
        raise StudyConflictError(
            f"study {spec.name!r} is stored with other settings ({'; '.join(changes)}); run it under another "
            f"name with --as NAME, or clear the old one with `sweep rename` or `sweep delete`"
        )


def _store_changeable(storage: Storage, study_id: int, spec: StudySpec, data: Data) -> None:
    """Store the settings that may differ from run to run; write only those that changed."""
    stored = storage.get_study_user_attrs(study_id)
    logged = spec.logged if spec.logged_data_sha256 == data.sha256 else ()
    wanted = {
        "goal": spec.goal,
        "data": spec.data,
        "data_facts": data.describe(),
        "total_trials": spec.total_trials,
        "keep": spec.keep,
        "resources": spec.resources.to_dict(),
        "logged": list(logged),
        "environment": describe_environment(),
        **({SURROUNDINGS: dict(spec.surroundings)} if spec.surroundings else {}),
    }
    for key, value in wanted.items():
        if stored.get(key) != value:
            storage.set_study_user_attr(study_id, key, value)
