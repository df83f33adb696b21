"""Find out whether the program of a study changed, or gave other values when it trained again."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.notes import NotReproducible
from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCode:
    """Trials that later versions of the program trained."""

    trials: dict[str, list[int]]
    """Why the program was changed -> numbers of the trials since."""


def find_changed_code(study: StudyRecord, ranked: Sequence[Configuration]) -> ChangedCode | None:
    """Return the trials that another version of the program than the first trained, if there are any."""
    trials: dict[str, list[int]] = {}
    for trial in study.trials:
        if trial.code_changed is not None:
            trials.setdefault(trial.code_changed, []).append(trial.number)
    return ChangedCode(trials=trials) if trials else None


def find_not_reproducible(study: StudyRecord, ranked: Sequence[Configuration]) -> NotReproducible | None:
    """Return the trial that had another value when it was trained again, if one is noted."""
    return study.note(NotReproducible)
