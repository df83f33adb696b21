"""Read the trials of a study as records, and compare them with their seals.

``study_writer`` writes them. Reading takes five statements for any number of trials.
"""

import collections
import dataclasses
import datetime
import functools
import json
import math
from typing import Any

from sweep.definition.dimension import Dimension, stored_dimension
from sweep.definition.plain import check_kind
from sweep.definition.records import CODE_CHANGED, STATES, SegmentRecord, TrialRecord
from sweep.storage import stored_kinds
from sweep.storage.database import Snapshot
from sweep.storage.database.schema import TrialStatements
from sweep.values import Json, Value

SEGMENTS = "sweep:segments"
"""System attribute of a trial: the stored segments."""

SEAL = "sweep:seal"
"""System attribute of a trial: ``TrialRecord.seal``."""

_OPTUNA_STATES = {"COMPLETE": "complete", "FAIL": "failed", "RUNNING": "running", "WAITING": "waiting"}
"""Optuna's state -> sweep's state; the reason of a ``PRUNED`` trial begins with its state."""


_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """The stored parts of one trial, except intermediate values, which the segments contain."""

    trial_id: int
    number: int
    state: str
    """Optuna's name of the state, in capitals."""
    values: list[float]
    """Values of the objectives; empty if there are none."""
    params: dict[str, Value]
    user_attrs: dict[str, Json]
    system_attrs: dict[str, Json]
    started: datetime.datetime | None
    """Local time."""
    ended: datetime.datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether the trial will not change any more."""
        return self.state not in ("RUNNING", "WAITING")


def read_trials(snapshot: Snapshot, which: TrialStatements, named: object) -> list[StoredTrial]:
    """Return trials in the order in which they were stored.

    Args:
        snapshot: Snapshot of the database.
        which: ``schema.OF_STUDY`` or ``schema.OF_TRIALS``.
        named: The study's id, or a list of trial ids.

    Raises:
        ValueError: If a stored value is invalid; likewise LookupError, TypeError.
    """
    # Read first: if a trial ends meanwhile, outside of a snapshot, an old state with new parts is harmless.
    rows = snapshot.rows(which.trials, named)
    values: dict[int, list[float]] = collections.defaultdict(list)
    for trial_id, value, kind in snapshot.rows(which.values, named):
        values[trial_id].append(_value(value, kind))
    params: dict[int, dict[str, Value]] = collections.defaultdict(dict)
    for trial_id, name, stored, distribution in snapshot.rows(which.parameters, named):
        params[trial_id][name] = _dimension(distribution).external(stored)
    user_attrs = _attributes(snapshot, which.attributes, named)
    system_attrs = _attributes(snapshot, which.hidden_attributes, named)
    return [
        StoredTrial(
            trial_id=trial_id,
            number=number,
            state=_known_state(state),
            values=values.get(trial_id, []),
            params=params.get(trial_id, {}),
            user_attrs=user_attrs.get(trial_id, {}),
            system_attrs=system_attrs.get(trial_id, {}),
            started=_local(started),
            ended=_local(ended),
        )
        for trial_id, number, state, started, ended in rows
    ]


def _value(value: float | None, kind: str) -> float:
    """Return the value of an objective; Optuna stores infinity as a separate type."""
    if kind == "FINITE":
        if type(value) is not float:
            raise ValueError(f"a value is {value!r:.50}")
        return value
    return {"INF_POS": math.inf, "INF_NEG": -math.inf}[kind]


@functools.lru_cache(maxsize=1024)
def _dimension(distribution: str) -> Dimension:
    """Return the dimension of a stored distribution; cached, because trials share distributions."""
    return stored_dimension(json.loads(distribution))


def _attributes(snapshot: Snapshot, statement: str, named: object) -> dict[int, dict[str, Json]]:
    """Return trial id -> attributes by key."""
    attrs: dict[int, dict[str, Json]] = collections.defaultdict(dict)
    for trial_id, key, text in snapshot.rows(statement, named):
        attrs[trial_id][key] = _parsed(text)
    return attrs


def _parsed(text: str) -> Any:
    """Return ``json.loads(text)`` in half its time, most of which it takes to look for blanks."""
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else json.loads(text)


def _known_state(state: str) -> str:
    if state not in _OPTUNA_STATES and state != "PRUNED":
        raise ValueError(f"the state of a trial is {state!r:.50}")
    return state


def _local(stored: str | datetime.datetime | None) -> datetime.datetime | None:
    """Return the local time of a moment stored as UTC without a time zone, in SQLite as text."""
    if stored is None:
        return None
    moment = datetime.datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return moment.replace(tzinfo=datetime.UTC).astimezone()


def trial_record(trial: StoredTrial) -> TrialRecord:
    """Return a stored trial as plain data."""
    attrs = trial.user_attrs
    segments: Json = trial.system_attrs.get(SEGMENTS, attrs.get("segments", []))  # an older database
    check_kind(segments, list, "segments")
    reason = attrs.get("reason")
    state = _OPTUNA_STATES.get(trial.state) or _given_up_as(reason)
    record = TrialRecord(
        number=trial.number,
        state=state,
        params=trial.params,
        seed=attrs["seed"],
        dev_loss=trial.values[0] if state == "complete" and trial.values else None,
        segments=tuple(_segment_record(row) for row in segments),
        reason=reason,
        facts={**stored_kinds.facts_among(attrs)},
        labels={key: attrs[key] for key in stored_kinds.LABELS if key in attrs},
        found=attrs.get("found", {}),
        code_changed=attrs.get(CODE_CHANGED),
        figures=attrs.get("figures", {}),
        engine=attrs["engine"],
        device=attrs["device"],
        started=trial.started,
        ended=trial.ended,
    )
    if trial.system_attrs.get(SEAL, "") not in ("", record.seal()):  # older databases have none
        raise ValueError(f"trial {record.number} was changed after it was stored")
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
