"""Compare two or more studies of one metric: a row each, and what their search spaces share.

The numbers come from the stored records alone, so studies of any trainer can be compared. Values are also
read after as many trials, and as many training seconds, as the study with the fewest has.
"""

import dataclasses
from collections.abc import Sequence

from sweep.definition.dimension import spoken_value
from sweep.definition.ranking import Rows, ranked_replicates
from sweep.definition.records import StudyRecord
from sweep.errors import ConfigError
from sweep.metric import Metric
from sweep.reporting.compare.progress import Progress, progress_of
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.configuration import allowed_values
from sweep.values import Json

COLUMNS = (
    *("study", "value", "trial", "certified", "trials", "complete", "seconds"),
    *("found_trials", "found_seconds", "equal_trials", "equal_seconds", "sampler", "pruner"),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyComparison:
    """Studies side by side, in the order in which they were named."""

    studies: list[StudyRecord]
    rows: Rows
    """One row a study; the columns are ``COLUMNS``."""
    progress: list[Progress]
    trials: int
    """Trials after which ``equal_trials`` is read: the fewest that a study has finished."""
    seconds: float
    """Training after which ``equal_seconds`` is read: the least that a study has spent."""
    same: dict[str, str]
    """Hyperparameter -> what it may be, if that is the same in all studies."""
    different: dict[str, list[str]]
    """Hyperparameter -> what it may be in each study; empty where a study lacks it."""
    warnings: list[str]
    """Reasons why the values of these studies may not be comparable."""


def compare(evidence: Sequence[Evidence]) -> StudyComparison:
    """Return a comparison of two or more studies.

    Raises:
        ConfigError: If there are fewer than two, one is named twice, or their metrics differ.
    """
    studies = [each.study for each in evidence]
    _check(studies)
    progress = [progress_of(study) for study in studies]
    trials = min(len(each.best) for each in progress)
    seconds = min((each.seconds[-1] if each.seconds else 0.0) for each in progress)
    records = [
        {
            **_row(one, each),
            "equal_trials": each.after_trials(trials),
            "equal_seconds": each.after_seconds(seconds),
        }
        for one, each in zip(evidence, progress, strict=True)
    ]
    same, different = _spaces(studies)
    return StudyComparison(
        studies=studies,
        rows=Rows(COLUMNS, [{name: record[name] for name in COLUMNS} for record in records]),
        progress=progress,
        trials=trials,
        seconds=seconds,
        same=same,
        different=different,
        warnings=_warnings(studies),
    )


def _check(studies: Sequence[StudyRecord]) -> None:
    names = [study.name for study in studies]
    if len(set(names)) < max(2, len(names)):
        raise ConfigError(f"compare needs two or more different studies, got {', '.join(names) or 'none'}")
    metrics = {study.name: study.metric for study in studies}
    first, *others = metrics.items()
    for name, metric in others:
        if (metric.name, metric.direction, metric.unit) != (first[1].name, first[1].direction, first[1].unit):
            raise ConfigError(
                f"{first[0]!r} and {name!r} cannot be compared: their metrics differ "
                f"({_spoken(first[1])}, {_spoken(metric)}); name studies of one metric"
            )


def _spoken(metric: Metric) -> str:
    return f"{metric.name} to {metric.direction}" + (f" in {metric.unit}" if metric.unit else "")


def _row(evidence: Evidence, progress: Progress) -> dict[str, Json]:
    study = evidence.study
    best = next(iter(ranked_replicates(study)), None)
    found = progress.found_after or (None, None)
    return {
        "study": study.name,
        "value": best.value if best else None,
        "trial": best.trials[0].number if best else None,
        "certified": evidence.confirmed.certificate.mean if evidence.confirmed else None,
        "trials": len(progress.best),
        "complete": sum(trial.is_scored for trial in study.trials),
        "seconds": progress.seconds[-1] if progress.seconds else 0.0,
        "found_trials": found[0],
        "found_seconds": found[1],
        "sampler": study.sampler,
        "pruner": study.pruner,
    }


def _spaces(studies: Sequence[StudyRecord]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the hyperparameters that may be the same in all studies, and the others with each study's."""
    allowed = [_described(study) for study in studies]
    names = dict.fromkeys(name for each in allowed for name in each)
    columns = {name: [each.get(name, "") for each in allowed] for name in names}
    same = {name: texts[0] for name, texts in columns.items() if len(set(texts)) == 1}
    return same, {name: texts for name, texts in columns.items() if name not in same}


def _described(study: StudyRecord) -> dict[str, str]:
    """Return what each hyperparameter may be; a fixed one with its value."""
    return {
        name: f"fixed at {spoken_value(study.fixed[name])}" if allowed == "fixed" else allowed
        for name, allowed in allowed_values(study).items()
    }


def _warnings(studies: Sequence[StudyRecord]) -> list[str]:
    differences: dict[str, set[str | int]] = {
        "were trained on different data": {study.data_sha256 for study in studies},
        "split their data differently": {study.split for study in studies},
        "have different trainers": {study.trainer for study in studies},
        "define their programs differently": {str(study.program) for study in studies},
        "have trainers of different versions": {study.trainer_version for study in studies},
        "average over different numbers of seeds": {study.replicates for study in studies},
    }
    return [
        f"the studies {what}, which may explain a difference between their values"
        for what, found in differences.items()
        if len(found) > 1
    ]
