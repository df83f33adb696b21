"""Train the configurations of failed trials again, as further trials with numbers and seeds of their own."""

import collections

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError
from sweep.values import key_of


def failed_trials(study: StudyRecord) -> list[TrialRecord]:
    """Return the latest failed trials, as many as a configuration lacks to have all its replicates."""
    sound = collections.Counter(key_of(trial.params) for trial in study.trials if trial.state != "failed")
    found = []
    for trial in sorted(study.trials, key=lambda trial: -trial.number):
        if trial.state == "failed" and sound[key_of(trial.params)] < study.replicates:
            sound[key_of(trial.params)] += 1
            found.append(trial)
    return found[::-1]


def with_retries(spec: StudySpec, study: StudyRecord) -> StudySpec:
    """Return a study that also trains the configurations of its failed trials again.

    Raises:
        NotFoundError: If no trial has failed that was not trained again, and no retry is interrupted.
    """
    failed = failed_trials(study)
    are_interrupted = any(trial.retries is not None and not trial.is_finished for trial in study.trials)
    if not failed and not are_interrupted:
        raise NotFoundError(f"--retry-failed: no trial of study {study.name!r} failed, or all were retried")
    return spec.replace(retried={trial.number: dict(trial.params) for trial in failed})


def retry_hint(study: StudyRecord) -> str:
    """Return a line on the failed trials of an earlier version of the program; empty if there are none."""
    now = study.code[-1]["why"] if study.code else None
    count = sum(trial.code_changed != now for trial in failed_trials(study))
    if not count:
        return ""
    of = (
        "1 trial failed with an earlier version"
        if count == 1
        else f"{count} trials failed with earlier versions"
    )
    return f"{of} of the program; `sweep run {study.name} --retry-failed` trains the configurations again"
