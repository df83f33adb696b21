"""A trial as it is stored -> a ``TrialRecord``, compared with its seal. ``study_writer`` writes them."""

import datetime
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from sweep.definition.plain import as_read
from sweep.definition.records import CODE_CHANGED, STATES, SegmentRecord, TrialRecord
from sweep.storage import stored_kinds
from sweep.storage.study_writer import SEAL, SEGMENTS

_OPTUNA_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def trial_record(trial: FrozenTrial) -> TrialRecord:
    """Return a stored trial as plain data."""
    attrs = trial.user_attrs
    segments = trial.system_attrs.get(SEGMENTS, attrs.get("segments", []))  # the latter in older databases
    reason = attrs.get("reason")
    state = _OPTUNA_STATES.get(trial.state) or _given_up_as(reason)
    record = TrialRecord(
        number=trial.number,
        state=state,
        params={name: as_read(value) for name, value in trial.params.items()},
        seed=attrs["seed"],
        dev_loss=trial.values[0] if state == "complete" and trial.values else None,
        segments=tuple(_segment_record(row) for row in stored_kinds.entries_of(segments, "segments")),
        reason=reason,
        facts=stored_kinds.facts_among(attrs),
        labels={key: attrs[key] for key in stored_kinds.LABELS if key in attrs},
        found=attrs.get("found", {}),
        code_changed=attrs.get(CODE_CHANGED),
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
