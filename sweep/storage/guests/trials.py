"""Make records of a guest's trials: its states, objectives, constraints and intermediate values."""

import dataclasses
import datetime
import math
from collections.abc import Mapping, Sequence

from sweep.definition.records import SegmentRecord, TrialRecord
from sweep.storage.guests.values import shown_attribute, shown_params
from sweep.storage.stored_trials import StoredTrial
from sweep.values import Json

MOST_REPORTS = 100
"""Intermediate values that are kept of a trial; more are thinned evenly, and the last one stays."""

_CONSTRAINTS = "constraints"
"""System attribute with a list of constraints; Optuna 5 also has ``constraints:NAME`` for each."""

Report = tuple[int, float]
"""A step and the value that a trial reported there."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShownNames:
    """Names of a guest -> how they are shown, in order."""

    objectives: tuple[str, ...]
    params: Mapping[str, str]


def guest_trial(
    trial: StoredTrial, reports: Sequence[Report], names: ShownNames, *, has_local_times: bool
) -> TrialRecord:
    """Return a trial as the record that tables and figures take.

    A trial whose objectives are not all finite has diverged, and one that breaks a constraint is infeasible,
    as in sweep's own studies.

    Args:
        trial: The trial as it is stored.
        reports: Its finite intermediate values.
        names: How names are shown.
        has_local_times: Whether the database has local times; else they are UTC.

    Raises:
        ValueError: If a complete trial lacks an objective.
    """
    state, reason = _outcome(trial, reports, names.objectives)
    is_complete = state == "complete"
    started, ended = trial.started, trial.ended
    if has_local_times:
        started, ended = _wall_clock(started), _wall_clock(ended)
    return TrialRecord(
        number=trial.number,
        state=state,
        params=shown_params(trial.params, names.params),
        seed=0,
        dev_loss=trial.values[0] if is_complete else None,
        segments=tuple(_segment(report) for report in _thinned(reports)),
        reason=reason,
        facts=dict(zip(names.objectives[1:], trial.values[1:], strict=True)) if is_complete else {},
        attributes={name: shown_attribute(value) for name, value in trial.user_attrs.items()},
        lasted=_seconds(trial),
        engine="",
        device="",
        started=started,
        ended=ended,
    )


def _outcome(
    trial: StoredTrial, reports: Sequence[Report], objectives: Sequence[str]
) -> tuple[str, str | None]:
    """Return the state of a trial, and why it has no final value."""
    if trial.state == "FAIL":
        return "failed", "no reason is stored"
    if trial.state != "COMPLETE":
        return trial.state.lower(), _last(reports) if reports else None
    return _outcome_of_complete(trial, objectives)


def _outcome_of_complete(trial: StoredTrial, objectives: Sequence[str]) -> tuple[str, str | None]:
    if len(trial.values) != len(objectives):
        raise ValueError(
            f"trial {trial.number} has {len(trial.values)} values for {len(objectives)} objectives"
        )
    shown = dict(zip(objectives, trial.values, strict=True))
    if infinite := [f"{name} is {value}" for name, value in shown.items() if not math.isfinite(value)]:
        return "diverged", ", ".join(infinite)
    if broken := [f"constraint {name} is {value:.4g}" for name, value in _broken(trial.system_attrs)]:
        values = ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
        return "infeasible", f"{', '.join(broken)}, above 0; {values}"
    return "complete", None


def _broken(attrs: Mapping[str, Json]) -> list[tuple[str, float]]:
    """Return the constraints that a trial does not keep: those whose value is not 0 or below."""
    listed = attrs.get(_CONSTRAINTS) or ()
    found = {str(place): value for place, value in enumerate(listed)}
    prefix = f"{_CONSTRAINTS}:"
    found |= {key.removeprefix(prefix): value for key, value in attrs.items() if key.startswith(prefix)}
    return [(name, float(value)) for name, value in found.items() if not value <= 0]


def _last(reports: Sequence[Report]) -> str:
    step, value = reports[-1]
    return f"at step {step:,}: {value:.4g}"


def _thinned(reports: Sequence[Report]) -> Sequence[Report]:
    every = -(-len(reports) // MOST_REPORTS) or 1
    return [*reports[:-1:every], *reports[-1:]]


def _segment(report: Report) -> SegmentRecord:
    step, value = report
    return SegmentRecord(step=step, percent=None, dev_loss=value, seconds=0.0, state_sha256="")


def _seconds(trial: StoredTrial) -> float:
    """Return the time from a trial's start to its end; 0 if one of them is not stored."""
    if trial.started is None or trial.ended is None:
        return 0.0
    return max(0.0, (trial.ended - trial.started).total_seconds())


def _wall_clock(moment: datetime.datetime | None) -> datetime.datetime | None:
    """Return a moment that was stored as the local time of its machine, taken as that of this one."""
    if moment is None:
        return None
    return moment.astimezone(datetime.UTC).replace(tzinfo=None).astimezone()
