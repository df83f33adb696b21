"""How is a study kept in the database?

Optuna's schema, so that its dashboard and tools read it as their own. What Optuna has no place
for stands in user attributes: on the study its identity and what was read, on a trial its seed,
engine and the reason for an early end; its stored segments are a system attribute, which the
dashboard does not show. ``study_writer`` writes the trials.
"""

import datetime
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweep.definition.identity import direction_of, fingerprint, identity_changes, objectives_of
from sweep.definition.notes import Note, plain_note, read_notes
from sweep.definition.optuna_objects import trial_id
from sweep.definition.plain import check_kind
from sweep.definition.records import STATES, SegmentRecord, StudyRecord, TrialRecord
from sweep.definition.resources import parse_resources
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError, StorageError, StudyConflictError
from sweep.storage import stored_kinds
from sweep.storage.database import storage_errors
from sweep.storage.drivers import Alone
from sweep.storage.environment import describe_environment
from sweep.storage.study_writer import SEAL, SEGMENTS, StudyWriter
from sweep.task import DEFAULT_TASK, AnyTask, Data

_OPTUNA_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}

_STUDIES = sqlalchemy.table("studies", sqlalchemy.column("study_id"), sqlalchemy.column("study_name"))

_PLANS = "confirm_plans"
_SURROUNDINGS = "surroundings"
_CONFIRMATION = "/confirm"

_FINGERPRINT = "sweep:fingerprint"
"""System attribute of a study: the hash of its identity."""

_STORED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
"""What a stored study may be called: more than in a study file, since one of another list has ``@`` and
a hash behind its name; still the name of one folder, which steers no terminal."""

_METRIC_NAMES = "study:metric_names"
"""Where ``Study.set_metric_names``, which warns that it is experimental, keeps them."""


def open_study(storage: RDBStorage, spec: StudySpec, task: AnyTask, data: Data) -> StudyWriter:
    """Return the only writer of the study that ``spec`` describes; see ``ensure_study``."""
    return StudyWriter(storage.engine, ensure_study(storage, spec, task, data), spec.name, Alone())


def ensure_study(storage: RDBStorage, spec: StudySpec, task: AnyTask, data: Data) -> int:
    """Return the id of the study that ``spec`` describes; store the study if it is missing.

    Raises:
        StudyConflictError: If a study of that name is stored with another identity.
    """
    stored_kinds.check_names_of_facts(task)
    identity = json.loads(json.dumps(spec.identity(task, data.sha256)))
    with storage_errors(spec.name), stored_kinds.damage_refused(f"study {spec.name!r}"):
        stored_id = _study_ids(storage).get(spec.name)
        if stored_id is None:
            stored_id = storage.create_new_study(_directions(identity), spec.name)
        _check_identity(storage, stored_id, spec, identity)
        _store_changeable(storage, stored_id, spec, data)
    return stored_id


def load_study(storage: RDBStorage, name: str) -> StudyRecord:
    """Return one study with its trials.

    Raises:
        NotFoundError: If there is none of that name.
        StorageError: If it was not made by sweep, or cannot be read.
    """
    with storage_errors(name), stored_kinds.damage_refused(f"study {name!r}"):
        studies = _study_ids(storage)
        if name not in studies:
            shown = sorted(study for study in studies if not study.endswith(_CONFIRMATION))
            known = ", ".join(shown) or "none yet"
            raise NotFoundError(f"no study {name!r} in the database; stored: {known}")
        if not is_study_name(name):
            raise StorageError(
                f"study {name!r} has a name that sweep gives no study; it was not made by sweep"
            )
        study_id = studies[name]
        attrs = storage.get_study_user_attrs(study_id)
        if "identity" not in attrs:
            raise StorageError(f"study {name!r} was not made by sweep; `sweep dashboard` can still show it")
        _check_stored_identity(storage, study_id, attrs["identity"])
        trials = storage.get_all_trials(study_id, deepcopy=False)
        return _study_record(name, attrs, trials)


def _check_stored_identity(storage: RDBStorage, study_id: int, identity: Any) -> None:
    """Refuse an identity that is not what was stored, or describes no study."""
    hidden = storage.get_study_system_attrs(study_id)
    if hidden.get(_FINGERPRINT, fingerprint(identity)) != fingerprint(identity):
        raise ValueError("its identity is not what was stored")
    stored_kinds.check_identity(identity)
    if storage.get_study_directions(study_id) != _directions(identity):
        raise ValueError("its directions are not what was stored")


def _study_record(name: str, attrs: dict[str, Any], trials: Sequence[FrozenTrial]) -> StudyRecord:
    """Return a study as plain data; every value is of the kind that ``StudyRecord`` names."""
    study = StudyRecord(
        name=name,
        goal=attrs["goal"],
        identity=attrs["identity"],
        data=attrs["data"],
        data_facts=attrs["data_facts"],
        total_trials=attrs["total_trials"],
        keep=attrs["keep"],
        logged=stored_kinds.entries_of(attrs["logged"], "logged"),
        environment=attrs["environment"],
        trials=tuple(trial_record(trial) for trial in trials),
        plans=stored_kinds.entries_of(attrs.get(_PLANS, []), _PLANS),
        resources=parse_resources(attrs.get("resources", {})),
        notes=read_notes(attrs, attrs["identity"].get("trainer", DEFAULT_TASK)),
        surroundings=attrs.get(_SURROUNDINGS, {}),
    )
    stored_kinds.check_record(study)
    return study


def store_note(storage: RDBStorage, name: str, note: Note) -> None:
    """Store a note with a study, in place of an earlier one of its kind; an equal one is not written.

    Raises:
        NotFoundError: If there is no study of that name.
    """
    with storage_errors(name):
        names = _study_ids(storage)
        if name not in names:
            raise NotFoundError(f"no study {name!r} in the database")
        value = plain_note(note)
        if storage.get_study_user_attrs(names[name]).get(note.key) != value:
            storage.set_study_user_attr(names[name], note.key, value)


def stored_spec(study: StudyRecord) -> StudySpec:
    """Return what a stored study asked for, so that it goes on without its file; timeouts are not stored."""
    return StudySpec(
        name=study.name,
        goal=study.goal,
        trainer=study.trainer,
        program=study.program,
        surroundings=study.surroundings,
        sampler=study.sampler,
        pruner=study.pruner,
        objectives=study.objectives,
        direction=study.direction,
        trials=study.total_trials,
        replicates=study.replicates,
        keep=study.keep,
        resources=study.resources,
        seed=study.seed,
        data=study.data,
        fixed=dict(study.fixed),
        space=study.space,
        listed=tuple(study.listed),
        origin=study.origin,
        logged=study.logged,
        logged_data_sha256=study.data_sha256 if study.logged else "",
    )


def study_names(storage: RDBStorage) -> list[str]:
    """Return the names of all studies but confirmations, oldest first."""
    return [name for name in all_study_names(storage) if not name.endswith(_CONFIRMATION)]


def all_study_names(storage: RDBStorage) -> list[str]:
    """Return the names of all studies, those of confirmations too, oldest first."""
    with storage_errors("database"):
        return list(_study_ids(storage))


def is_study_name(name: str) -> bool:
    """Say whether a stored name is one that sweep gives, and so can name a folder."""
    return _STORED_NAME.fullmatch(name.removesuffix(_CONFIRMATION)) is not None


def confirmation_name(study: str) -> str:
    """Return under which name a study's confirmation is stored; no study file can have it."""
    return study + _CONFIRMATION


def confirmed_study(name: str) -> str | None:
    """Return the study that ``name`` is the confirmation of; None where it is a study's own name."""
    return name.removesuffix(_CONFIRMATION) if name.endswith(_CONFIRMATION) else None


def write_plan(storage: RDBStorage, name: str, plan: dict[str, Any]) -> None:
    """Add a plan of a confirmation to a study."""
    with storage_errors(name):
        study_id = _study_ids(storage)[name]
        plans = storage.get_study_user_attrs(study_id).get(_PLANS, [])
        storage.set_study_user_attr(study_id, _PLANS, [*plans, plan])


def trial_ids(storage: RDBStorage, name: str) -> dict[int, int]:
    """Return trial number -> id in the database."""
    with storage_errors(name):
        trials = storage.get_all_trials(_study_ids(storage)[name], deepcopy=False)
    return {trial.number: trial_id(trial) for trial in trials}


def rename_study(storage: RDBStorage, old: str, new: str) -> None:
    """Give a study and its confirmation another name, in one transaction.

    Raises:
        NotFoundError: If there is no study ``old``.
        StudyConflictError: If there is one named ``new``.
    """
    with storage_errors(old):
        names = _study_ids(storage)
        if old not in names:
            raise NotFoundError(f"no study {old!r} in the database")
        if new in names:
            raise StudyConflictError(f"a study {new!r} exists already; choose another name")
        with storage.engine.begin() as connection:
            for before, after in ((old, new), (confirmation_name(old), confirmation_name(new))):
                change = _STUDIES.update().where(_STUDIES.c.study_name == before).values(study_name=after)
                connection.execute(change)


def delete_study(storage: RDBStorage, name: str) -> None:
    """Remove a study with its trials and its confirmation.

    Raises:
        NotFoundError: If there is none of that name.
    """
    with storage_errors(name):
        names = _study_ids(storage)
        if name not in names:
            raise NotFoundError(f"no study {name!r} in the database")
        for stored in (confirmation_name(name), name):
            if stored in names:
                storage.delete_study(names[stored])


def _study_ids(storage: RDBStorage) -> dict[str, int]:
    """Return name -> id, oldest first; nothing else is read, so that a damaged study hides no other."""
    with stored_kinds.damage_refused("the database"), storage.engine.connect() as connection:
        query = sqlalchemy.select(_STUDIES.c.study_name, _STUDIES.c.study_id).order_by(_STUDIES.c.study_id)
        ids = {row.study_name: row.study_id for row in connection.execute(query)}
        check_kind(ids, dict[str, int], "names of studies")
    return ids


def _directions(identity: Mapping[str, Any]) -> list[StudyDirection]:
    """Return Optuna's directions: that of the metric, and a cost is minimised."""
    metric = StudyDirection[direction_of(identity).upper()]
    return [metric, *(StudyDirection.MINIMIZE for _ in objectives_of(identity)[1:])]


def _store_identity(storage: RDBStorage, study_id: int, spec: StudySpec, identity: dict[str, Any]) -> None:
    """Make a study ours; the dashboard names its objectives, but for the default trainer's single one."""
    if spec.cost is not None or spec.trainer != DEFAULT_TASK:
        storage.set_study_system_attr(study_id, _METRIC_NAMES, list(spec.objectives))
    storage.set_study_system_attr(study_id, _FINGERPRINT, fingerprint(identity))
    storage.set_study_user_attr(study_id, "identity", identity)


def _check_identity(storage: RDBStorage, study_id: int, spec: StudySpec, identity: dict[str, Any]) -> None:
    stored = storage.get_study_user_attrs(study_id).get("identity")
    if stored is None:
        other = storage.get_study_directions(study_id) != _directions(identity)
        if other or storage.get_all_trials(study_id, deepcopy=False):
            raise StudyConflictError(
                f"a study {spec.name!r} that sweep did not make is stored; use --as NAME"
            )
        _store_identity(storage, study_id, spec, identity)  # new, or killed right after its creation
        return
    changes = identity_changes(stored, identity)
    if changes:
        raise StudyConflictError(
            f"study {spec.name!r} is stored with other settings ({'; '.join(changes)}); run it under another "
            f"name with --as NAME, or clear the old one with `sweep rename` or `sweep delete`"
        )


def _store_changeable(storage: RDBStorage, study_id: int, spec: StudySpec, data: Data) -> None:
    """Store what may differ from run to run; write only what does differ."""
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
        **({_SURROUNDINGS: dict(spec.surroundings)} if spec.surroundings else {}),
    }
    for key, value in wanted.items():
        if stored.get(key) != value:
            storage.set_study_user_attr(study_id, key, value)


def trial_record(trial: FrozenTrial) -> TrialRecord:
    """Return a stored trial as plain data."""
    attrs = trial.user_attrs
    segments = trial.system_attrs.get(SEGMENTS, attrs.get("segments", []))  # the latter in older databases
    reason = attrs.get("reason")
    state = _OPTUNA_STATES.get(trial.state) or _given_up_as(reason)
    record = TrialRecord(
        number=trial.number,
        state=state,
        params=dict(trial.params),
        seed=attrs["seed"],
        dev_loss=trial.values[0] if state == "complete" and trial.values else None,
        segments=tuple(_segment_record(row) for row in stored_kinds.entries_of(segments, "segments")),
        reason=reason,
        facts=stored_kinds.facts_among(attrs),
        labels={key: attrs[key] for key in stored_kinds.LABELS if key in attrs},
        found=attrs.get("found", {}),
        figures=attrs.get("figures", {}),
        engine=attrs["engine"],
        device=attrs["device"],
        started=_local(trial.datetime_start),
        ended=_local(trial.datetime_complete),
    )
    if trial.system_attrs.get(SEAL, "") not in ("", record.seal()):  # older databases have none
        raise ValueError(f"trial {record.number} is not what was stored")
    return record


def _given_up_as(reason: str | None) -> str:
    """Return the state that is the first word of a reason."""
    word = (reason or "").partition(" ")[0].rstrip(":")
    return word if word in STATES else "pruned"


def _segment_record(row: list[Any]) -> SegmentRecord:
    step, percent, dev_loss, seconds, sha256, *average = row
    return SegmentRecord(
        step=step,
        percent=percent,
        dev_loss=dev_loss,
        seconds=seconds,
        state_sha256=sha256,
        average_loss=average[0] if average else None,
    )


def _local(moment: datetime.datetime | None) -> datetime.datetime | None:
    return moment.astimezone() if moment else None
