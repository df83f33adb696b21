"""Studies of which something can be said."""

from typing import Any

from sweep.definition.dimension import Dimension, Range
from sweep.definition.records import SegmentRecord, StudyRecord
from sweep.reporting.advice.checks import checks_of
from sweep.reporting.advice.configurations import ranked_configurations
from tests.support.study_evidence import made_study, made_trial

RATE = {"learning_rate": Range(0.01, 1.0, log=True)}


def searched(
    params: list[dict[str, Any]], space: dict[str, Dimension] | None = None, **identity: Any
) -> StudyRecord:
    """Return a study whose trials have these parameters, each a little worse than the one before."""
    trials = [made_trial(k, 2.0 + 0.1 * k, params=values) for k, values in enumerate(params)]
    return changed(made_study(*trials, space=RATE if space is None else space), **identity)


def changed(study: StudyRecord, **identity: Any) -> StudyRecord:
    """Return the study with some of its identity changed, in place: it was made for one test."""
    study.identity.update(identity)
    return study


def find(check: str, study: StudyRecord) -> Any:
    """Return what a check finds."""
    return checks_of(study)[check].find(study, ranked_configurations(study))


def say(check: str, study: StudyRecord) -> str:
    """Return the sentence of a check that finds something."""
    return checks_of(study)[check].say(find(check, study))


def segment(step: int, dev_loss: float) -> SegmentRecord:
    """Return a stored segment that ends at a step."""
    return SegmentRecord(step=step, percent=None, dev_loss=dev_loss, seconds=1.0, state_sha256="0" * 64)
