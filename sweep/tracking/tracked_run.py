"""Describe a finished trial as trackers log it: one run with parameters, values, numbers and tags."""

import dataclasses
import datetime
import hashlib
import math
from collections.abc import Mapping

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.execution.one_program import read_versions
from sweep.storage.checkpoints import Checkpoints
from sweep.task import NO_DATA, RunsPrograms
from sweep.values import Json, Value


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """One trial, as plain values."""

    key: str
    """Identifies the trial: 16 hex digits, the same whenever and wherever it is logged."""
    study: str
    name: str
    """Shown by the tracker."""
    state: str
    """One of ``records.STATES``."""
    params: dict[str, Value]
    """Every hyperparameter, the seed included."""
    metric: str
    """Name of the metric."""
    values: tuple[tuple[int, float], ...]
    """(step, value of the metric) on the way, steps not decreasing."""
    numbers: dict[str, float]
    """The final value, by the metric's name, and the trial's other figures; all finite."""
    tags: dict[str, str]
    """Where the trial comes from: study, number, seed, state, code, data, device and environment."""
    started: datetime.datetime | None
    """Local time."""
    ended: datetime.datetime | None

    @property
    def last_step(self) -> int:
        """Step of the last value; 0 if there is none."""
        return self.values[-1][0] if self.values else 0


def run_key(study: StudyRecord, trial: TrialRecord) -> str:
    """Return ``TrackedRun.key`` of a trial; that of a study that was deleted and run again differs."""
    start = trial.started.astimezone(datetime.UTC).isoformat(timespec="seconds") if trial.started else ""
    known = f"{study.name}\n{study.fingerprint}\n{trial.number}\n{trial.seed}\n{start}"
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def tracked_run(study: StudyRecord, trial: TrialRecord, files: Checkpoints) -> TrackedRun:
    """Return a finished trial as a run.

    Args:
        study: The study.
        trial: One of its finished trials.
        files: Holds the values that a program reported.
    """
    return TrackedRun(
        key=run_key(study, trial),
        study=study.name,
        name=f"{study.name} {trial.number}",
        state=trial.state,
        params=study.config_values(trial),
        metric=study.metric.name,
        values=_values(study, trial, files),
        numbers=_numbers(study, trial),
        tags=_tags(study, trial),
        started=trial.started,
        ended=trial.ended,
    )


def _values(study: StudyRecord, trial: TrialRecord, files: Checkpoints) -> tuple[tuple[int, float], ...]:
    """Return what a program reported, else the values at the ends of the segments."""
    measured = [(segment.step, segment.dev_loss) for segment in trial.segments]
    if isinstance(study.task, RunsPrograms):
        steps, values = files.read_curve(trial.number)
        counted = (steps + 1).tolist()  # stored from 0
        measured = list(zip(counted, values.tolist(), strict=True)) or measured
    return tuple((step, value) for step, value in sorted(measured) if math.isfinite(value))


def _numbers(study: StudyRecord, trial: TrialRecord) -> dict[str, float]:
    final = {} if trial.dev_loss is None else {study.metric.name: trial.dev_loss}
    found = {**trial.figures, **trial.facts, "train_seconds": trial.train_seconds, **final}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _tags(study: StudyRecord, trial: TrialRecord) -> dict[str, str]:
    known = {
        "key": run_key(study, trial),
        "study": study.name,
        "goal": study.goal,
        "trial": trial.number,
        "seed": trial.seed,
        "state": trial.state,
        "reason": trial.reason,
        "trainer": study.trainer,
        "engine": trial.engine,
        "device": trial.device,
        "sampler": study.sampler,
        "data_sha256": study.data_sha256,
        "fingerprint": study.fingerprint,
        **_code(study, trial),
        **{f"environment.{name}": text for name, text in study.environment.items()},
    }
    return {f"sweep.{name}": str(value) for name, value in known.items() if value not in (None, "", NO_DATA)}


def _code(study: StudyRecord, trial: TrialRecord) -> Mapping[str, Json]:
    """Return the version of the program that trained a trial: its hash and git commit; empty if unknown."""
    versions = read_versions(study.name, study.code)
    used = [version.code for version in versions if version.why == trial.code_changed]
    if not used:
        return {}
    return {"code": used[-1].hash, "git_commit": used[-1].commit, "git_is_dirty": used[-1].is_dirty}
