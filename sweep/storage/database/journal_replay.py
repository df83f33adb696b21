"""Replay the operations of Optuna's journal into tables in memory, as Optuna 4 and 5 replay them.

Optuna ignores an operation on a study that is deleted, or on a trial that has ended; so does this. Whatever
an operation contains is checked before it is stored.
"""

import datetime
import json
import math
import sqlite3
from collections.abc import Mapping

from sweep.storage.database.schema import VERSION
from sweep.storage.database.sqlite_file import connect_to_memory
from sweep.values import Json

_TABLES = """
    CREATE TABLE alembic_version (version_num);
    CREATE TABLE studies (study_id INTEGER PRIMARY KEY, study_name);
    CREATE TABLE study_directions (study_id, direction, objective);
    CREATE TABLE study_user_attributes (study_id, key, value_json, UNIQUE (study_id, key));
    CREATE TABLE study_system_attributes (study_id, key, value_json, UNIQUE (study_id, key));
    CREATE TABLE trials (
        trial_id INTEGER PRIMARY KEY, number, study_id, state, datetime_start, datetime_complete
    );
    CREATE INDEX trials_of_study ON trials (study_id);
    CREATE TABLE trial_values (trial_id, objective, value, value_type, UNIQUE (trial_id, objective));
    CREATE TABLE trial_params (
        param_id INTEGER PRIMARY KEY, trial_id, param_name, param_value, distribution_json,
        UNIQUE (trial_id, param_name)
    );
    CREATE TABLE trial_intermediate_values (
        trial_id, step, intermediate_value, intermediate_value_type, UNIQUE (trial_id, step)
    );
    CREATE TABLE trial_user_attributes (
        trial_user_attribute_id INTEGER PRIMARY KEY, trial_id, key, value_json, UNIQUE (trial_id, key)
    );
    CREATE TABLE trial_system_attributes (
        trial_system_attribute_id INTEGER PRIMARY KEY, trial_id, key, value_json, UNIQUE (trial_id, key)
    );
"""
"""The columns that ``schema`` selects."""

_STUDY = "INSERT INTO studies VALUES (?, ?)"
_DIRECTION = "INSERT INTO study_directions VALUES (?, ?, ?)"
_TRIAL = "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?)"
_STARTED = "UPDATE trials SET datetime_start = ? WHERE trial_id = ?"
_ENDED = "UPDATE trials SET datetime_complete = ? WHERE trial_id = ?"
_VALUE = "INSERT OR REPLACE INTO trial_values VALUES (?, ?, ?, ?)"
_PARAM = """
    INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)
    ON CONFLICT (trial_id, param_name)
    DO UPDATE SET param_value = excluded.param_value, distribution_json = excluded.distribution_json
"""
_REPORT = "INSERT OR REPLACE INTO trial_intermediate_values VALUES (?, ?, ?, ?)"
_ATTRIBUTE = """
    INSERT INTO {owner}_{kind}_attributes ({owner}_id, key, value_json) VALUES (?, ?, ?)
    ON CONFLICT ({owner}_id, key) DO UPDATE SET value_json = excluded.value_json
"""
_ATTRIBUTES = {
    (owner, kind): _ATTRIBUTE.format(owner=owner, kind=kind)
    for owner in ("study", "trial")
    for kind in ("user", "system")
}
"""Owner and kind of an attribute -> statement."""

_DIRECTIONS = ("NOT_SET", "MINIMIZE", "MAXIMIZE")
_STATES = ("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING")
"""Names of the numbers that Optuna stores."""

_Operation = Mapping[str, Json]


class Replay:
    """Applies operations, in the order of the journal."""

    def __init__(self) -> None:
        """Make the tables, empty."""
        self.connection: sqlite3.Connection = connect_to_memory()
        self.connection.isolation_level = None
        self.connection.executescript(_TABLES)
        self.connection.execute("BEGIN")
        self.connection.execute("INSERT INTO alembic_version VALUES (?)", (VERSION,))
        self._studies: dict[int, str] = {}
        self._studies_made = 0
        self._trials_of: dict[int, int] = {}
        self._states: list[str] = []
        """State of each trial; its place is the trial's id."""
        self._study_of: list[int] = []
        self._kinds: dict[tuple[int, str], object] = {}
        """Study and hyperparameter -> what its distributions must have in common."""

    def apply(self, operation: _Operation) -> None:
        """Apply one operation; raises ValueError, LookupError or TypeError if it is none of Optuna's."""
        code = operation["op_code"]
        if type(code) is not int or not 0 <= code < len(_OPERATIONS):
            raise ValueError(f"op_code is {code!r:.40}")
        _OPERATIONS[code](self, operation)

    def finish(self) -> None:
        """Commit what was replayed."""
        self.connection.execute("COMMIT")

    def create_study(self, operation: _Operation) -> None:
        """A name that is taken creates nothing."""
        name, directions = _text(operation["study_name"]), operation["directions"]
        if name in self._studies.values():
            return
        study = self._studies_made
        self._studies_made += 1
        self._studies[study] = name
        self._trials_of[study] = 0
        self.connection.execute(_STUDY, (study, name))
        for place, direction in enumerate(directions):
            self.connection.execute(_DIRECTION, (study, _DIRECTIONS[_natural(direction)], place))

    def delete_study(self, operation: _Operation) -> None:
        """Its trials keep their ids, and nobody selects them any more."""
        study = _natural(operation["study_id"])
        if self._studies.pop(study, None) is not None:
            self.connection.execute("DELETE FROM studies WHERE study_id = ?", (study,))
            self.connection.execute("DELETE FROM study_user_attributes WHERE study_id = ?", (study,))

    def set_study_user_attr(self, operation: _Operation) -> None:
        """Set or replace."""
        self._set_study_attr("user", operation)

    def set_study_system_attr(self, operation: _Operation) -> None:
        """Set or replace."""
        self._set_study_attr("system", operation)

    def create_trial(self, operation: _Operation) -> None:
        """A trial that starts, waits, or was made elsewhere with all that belongs to it."""
        study = _natural(operation["study_id"])
        if study not in self._studies:
            return
        trial, number = len(self._states), self._trials_of[study]
        state = _STATES[_natural(operation.get("state", 0))]
        times = (_utc(operation["datetime_start"]), _utc(operation.get("datetime_complete")))
        self.connection.execute(_TRIAL, (trial, number, study, state, *times))
        self._trials_of[study] += 1
        self._states.append(state)
        self._study_of.append(study)
        self._set_values(trial, _values(operation))
        distributions = operation.get("distributions", {})
        for name, value in operation.get("params", {}).items():
            self._set_param(trial, name, value, distributions[name])
        for step, value in operation.get("intermediate_values", {}).items():
            self._set_report(trial, int(step), value)
        self._set_attributes("trial", "user", trial, operation.get("user_attrs", {}))
        self._set_attributes("trial", "system", trial, operation.get("system_attrs", {}))

    def set_trial_param(self, operation: _Operation) -> None:
        """Ignored if an earlier trial has a distribution of another kind, as Optuna ignores it."""
        if (trial := self._open_trial(operation)) is not None:
            name, value = _text(operation["param_name"]), operation["param_value_internal"]
            self._set_param(trial, name, value, operation["distribution"])

    def set_trial_state_values(self, operation: _Operation) -> None:
        """A trial that runs cannot be started again."""
        trial, state = self._open_trial(operation), _STATES[_natural(operation["state"])]
        if trial is None or state == self._states[trial] == "RUNNING":
            return
        if state == "RUNNING":
            self.connection.execute(_STARTED, (_utc(operation["datetime_start"]), trial))
        elif state != "WAITING":
            self.connection.execute(_ENDED, (_utc(operation["datetime_complete"]), trial))
        self._states[trial] = state
        self.connection.execute("UPDATE trials SET state = ? WHERE trial_id = ?", (state, trial))
        self._set_values(trial, operation["values"])

    def set_trial_intermediate_value(self, operation: _Operation) -> None:
        """Set or replace the value of a step."""
        if (trial := self._open_trial(operation)) is not None:
            self._set_report(trial, operation["step"], operation["intermediate_value"])

    def set_trial_user_attr(self, operation: _Operation) -> None:
        """Set or replace."""
        if (trial := self._open_trial(operation)) is not None:
            self._set_attributes("trial", "user", trial, operation["user_attr"])

    def set_trial_system_attr(self, operation: _Operation) -> None:
        """Set or replace."""
        if (trial := self._open_trial(operation)) is not None:
            self._set_attributes("trial", "system", trial, operation["system_attr"])

    def discard_trials(self, operation: _Operation) -> None:
        """Ignored, as Optuna ignores it."""

    def _open_trial(self, operation: _Operation) -> int | None:
        """Return a trial that can still change; None if it has ended or was never made."""
        trial = _natural(operation["trial_id"])
        is_open = trial < len(self._states) and self._states[trial] in ("RUNNING", "WAITING")
        return trial if is_open else None

    def _set_study_attr(self, kind: str, operation: _Operation) -> None:
        study = _natural(operation["study_id"])
        if study in self._studies:
            self._set_attributes("study", kind, study, operation[f"{kind}_attr"])

    def _set_attributes(self, owner: str, kind: str, which: int, attributes: Mapping[str, Json]) -> None:
        for key, value in attributes.items():
            self.connection.execute(_ATTRIBUTES[owner, kind], (which, key, json.dumps(value)))

    def _set_values(self, trial: int, values: Json) -> None:
        for place, value in enumerate(values or ()):
            self.connection.execute(_VALUE, (trial, place, *_typed(value)))

    def _set_param(self, trial: int, name: str, value: Json, distribution: Json) -> None:
        kind = _kind(distribution)
        if self._kinds.setdefault((self._study_of[trial], name), kind) == kind:
            self.connection.execute(_PARAM, (trial, name, _number(value), distribution))

    def _set_report(self, trial: int, step: Json, value: Json) -> None:
        kind = "NAN" if math.isnan(_number(value)) else _typed(value)[1]
        shown = _number(value) if kind == "FINITE" else None
        self.connection.execute(_REPORT, (trial, _natural(step), shown, kind))


_OPERATIONS = (
    *(Replay.create_study, Replay.delete_study, Replay.set_study_user_attr, Replay.set_study_system_attr),
    *(Replay.create_trial, Replay.set_trial_param, Replay.set_trial_state_values),
    *(Replay.set_trial_intermediate_value, Replay.set_trial_user_attr, Replay.set_trial_system_attr),
    Replay.discard_trials,
)
"""The operations; the place of each is its code."""


def _values(operation: _Operation) -> Json:
    """Return the values of a trial that was made elsewhere; one alone has a key of its own."""
    values, value = operation.get("values"), operation.get("value")
    return [value] if values is None and value is not None else values


def _typed(value: Json) -> tuple[float | None, str]:
    """Return a value as Optuna's tables have it: infinity is a type."""
    number = _number(value)
    if math.isinf(number):
        return None, "INF_POS" if number > 0 else "INF_NEG"
    return number, "FINITE"


def _kind(distribution: Json) -> object:
    """Return the name of a distribution, of a categorical one with its choices."""
    stored = json.loads(_text(distribution))
    choices = stored["attributes"].get("choices")
    return stored["name"], None if choices is None else json.dumps(choices)


def _utc(moment: Json) -> str | None:
    """Return a moment in UTC without its zone, as in Optuna's tables; one without a zone is local time."""
    if moment is None:
        return None
    utc = datetime.datetime.fromisoformat(_text(moment)).astimezone(datetime.UTC)
    return utc.replace(tzinfo=None).isoformat(sep=" ")


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _natural(value: Json) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{value!r:.40} is no number of a study, trial, step or state")
    return value


def _number(value: Json) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)
