"""Read a stored study as plain data, and compare its identity with its hash and its trials with their seals.

``study_store`` writes studies; ``stored_kinds`` checks stored values. Optuna is not loaded.
"""

import dataclasses
import json
import shlex
from collections.abc import Collection, Mapping, Sequence

from sweep.definition.identity import direction_of, fingerprint, objectives_of
from sweep.definition.notes import read_notes
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord
from sweep.definition.resources import parse_resources
from sweep.definition.spec import StudySpec
from sweep.errors import GuestError, NotFoundError, StorageError
from sweep.metric import MINIMIZE
from sweep.spelling import did_you_mean
from sweep.storage import stored_kinds
from sweep.storage.database import Reader, Snapshot, storage_errors
from sweep.storage.database.schema import (
    DIRECTIONS,
    HIDDEN_STUDY_ATTRIBUTE,
    OF_STUDY,
    STUDY_ATTRIBUTES,
    TRIAL_IDS,
)
from sweep.storage.stored_trials import StoredTrial, read_trials, trial_record
from sweep.storage.study_names import confirmed_study, ids_in, is_study_name
from sweep.task import DEFAULT_TASK
from sweep.values import Json
from sweep.version import __version__

PLANS, CODE, SURROUNDINGS = "confirm_plans", "code", "surroundings"
"""Optional user attributes of a study."""

FINGERPRINT = "sweep:fingerprint"
"""System attribute of a study: the hash of its identity."""

CONCLUDED = "sweep:concluded"
"""System attribute of a study: a ``Conclusion``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The state of a study when its notes, figures and files were last stored after a run."""

    sweep: str
    """Version of sweep that stored them."""
    trials: int
    """Number of finished trials."""
    plans: int
    """Number of plans of a confirmation."""
    loss_ceiling: float | None
    """``task.loss_ceiling`` of the data."""

    def is_of(self, study: StudyRecord) -> bool:
        """Return whether nothing has been trained or planned since."""
        return self.is_of_trials(study) and self.plans == len(study.plans)

    def is_of_trials(self, study: StudyRecord) -> bool:
        """Return whether nothing has been trained since."""
        finished = sum(trial.is_finished for trial in study.trials)
        return (self.sweep, self.trials) == (__version__, finished)


def load_study(reader: Reader, name: str) -> StudyRecord:
    """Return one study with its trials.

    Raises:
        NotFoundError: If there is no study of that name.
        GuestError: If Optuna made the study without sweep; ``guests.reader`` reads it.
        StorageError: If the study is damaged.
    """
    with storage_errors(name), reader.snapshot() as snapshot, stored_kinds.damage_refused(f"study {name!r}"):
        return _load(snapshot, name)


def _load(snapshot: Snapshot, name: str) -> StudyRecord:
    ids = ids_in(snapshot)
    if name not in ids:
        raise no_study(name, ids)
    study_id = ids[name]
    attrs = study_attributes(snapshot, study_id)
    if "identity" not in attrs:
        raise no_trainer(name)
    if not is_study_name(name):
        raise StorageError(f"study {name!r} has a name that sweep gives no study; rename it")
    _check_stored_identity(snapshot, study_id, attrs["identity"])
    return _study_record(name, attrs, read_trials(snapshot, OF_STUDY, study_id))


def no_trainer(name: str) -> GuestError:
    """Return the error for running a guest, with the alternatives."""
    quoted = shlex.quote(name)
    return GuestError(
        f"study {name!r} was made by Optuna without sweep, which knows no trainer for it; sweep table, plot "
        f"and report show it, `sweep init --from-optuna {quoted}` writes a study file for it, and "
        "`sweep run FILE --from NAME@URL` starts from its best trials"
    )


def no_study(name: str, stored: Collection[str]) -> NotFoundError:
    """Return the error for an unknown name, with the stored names."""
    shown = sorted(study for study in stored if confirmed_study(study) is None)
    hint = did_you_mean(name, shown, "{} ")
    return NotFoundError(f"no study {name!r} in the database; {hint}stored: {', '.join(shown) or 'none yet'}")


def no_complete_trial(study: StudyRecord) -> NotFoundError:
    """Return the error for what needs a final value, with the next command."""
    is_over = len(study.trials) >= study.total_trials and all(trial.is_finished for trial in study.trials)
    why = (
        f"all {len(study.trials)} ended without one; `sweep table {study.name}` shows why; then "
        f"run the study under another name with --as NAME, or clear it with `sweep delete {study.name}`"
    )
    more = f"`sweep run {study.name}` trains more"
    return NotFoundError(f"study {study.name!r} has no complete trial yet; {why if is_over else more}")


def study_attributes(snapshot: Snapshot, study_id: int) -> dict[str, Json]:
    """Return the user attributes of a study."""
    return {key: json.loads(text) for key, text in snapshot.rows(STUDY_ATTRIBUTES, study_id)}


def hidden_attribute(snapshot: Snapshot, study_id: int, key: str, missing: Json = None) -> Json:
    """Return a system attribute of a study; ``missing`` if there is none."""
    found = snapshot.rows(HIDDEN_STUDY_ATTRIBUTE, study_id, key)
    return json.loads(found[0][0]) if found else missing


def directions_of(identity: Mapping[str, Json]) -> list[str]:
    """Return the directions as Optuna stores them: that of the metric, and ``minimize`` for a cost."""
    return [direction_of(identity).upper(), *(MINIMIZE.upper() for _ in objectives_of(identity)[1:])]


def _check_stored_identity(snapshot: Snapshot, study_id: int, identity: Json) -> None:
    """Refuse an identity that was changed after it was stored, or describes no study."""
    own = fingerprint(identity)
    if hidden_attribute(snapshot, study_id, FINGERPRINT, own) != own:
        raise ValueError("its identity was changed after it was stored")
    stored_kinds.check_identity(identity)
    if [direction for (direction,) in snapshot.rows(DIRECTIONS, study_id)] != directions_of(identity):
        raise ValueError("its directions were changed after they were stored")


def _study_record(name: str, attrs: dict[str, Json], trials: Sequence[StoredTrial]) -> StudyRecord:
    """Return a study as plain data; every value has the type that ``StudyRecord`` declares."""
    trainer = attrs["identity"].get("trainer", DEFAULT_TASK)
    stored_kinds.check_facts(trainer, (trial.user_attrs for trial in trials))
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
        plans=stored_kinds.entries_of(attrs.get(PLANS, []), PLANS),
        resources=parse_resources(attrs.get("resources", {})),
        notes=read_notes(attrs, trainer),
        surroundings=attrs.get(SURROUNDINGS, {}),
        code=stored_kinds.entries_of(attrs.get(CODE, []), CODE),
    )
    stored_kinds.check_record(study)
    return study


def stored_spec(study: StudyRecord) -> StudySpec:
    """Return the specification of a stored study, to resume it without its file; timeouts are not stored."""
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


def trial_ids(reader: Reader, name: str) -> dict[int, int]:
    """Return trial number -> id in the database."""
    with storage_errors(name), reader.snapshot() as snapshot:
        return dict(snapshot.rows(TRIAL_IDS, ids_in(snapshot)[name]))


def read_hidden(reader: Reader, name: str, key: str) -> Json:
    """Return a system attribute of a study; None if there is none, or it is no JSON."""
    with storage_errors(name), reader.snapshot() as snapshot:
        try:
            return hidden_attribute(snapshot, ids_in(snapshot)[name], key)
        except (TypeError, ValueError, RecursionError):
            return None


def stored_conclusion(reader: Reader, name: str) -> Conclusion | None:
    """Return the conclusion of a study; None if there is none, or it is invalid."""
    stored = read_hidden(reader, name, CONCLUDED)
    try:
        conclusion = Conclusion(**stored)
        check_kind(conclusion, Conclusion, CONCLUDED)
    except (TypeError, ValueError):
        return None
    return conclusion


def stored_code(reader: Reader, name: str) -> list[dict[str, Json]]:
    """Return ``StudyRecord.code`` of a study."""
    with storage_errors(name), reader.snapshot() as snapshot, stored_kinds.damage_refused(f"study {name!r}"):
        attrs = study_attributes(snapshot, ids_in(snapshot)[name])
        return list(stored_kinds.entries_of(attrs.get(CODE, []), CODE))
