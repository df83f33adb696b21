"""Summarise each stored study in one line: state, trials, direction and best value."""

import collections
import dataclasses
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sweep.definition.records import StudyRecord
from sweep.errors import StorageError
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell
from sweep.storage.database import Reader
from sweep.storage.guests.reader import load_shown_study
from sweep.storage.study_names import study_names

EMPTY, OPEN, FINISHED = "empty", "open", "finished"
"""States of a study: no trial yet; some trials have not ended or not started; all have ended."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Summary of a stored study; if the study cannot be read, its name and the reason."""

    name: str
    state: str | None = None
    made_by: str | None = None
    """``sweep``, or ``optuna`` for a guest."""
    finished: int = 0
    """Trials that have ended."""
    total: int = 0
    """Number of trials when all have ended; for a guest, the number of stored trials."""
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    """State -> number of trials."""
    directions: dict[str, str] = dataclasses.field(default_factory=dict)
    """Objective -> direction, the metric first."""
    best: float | None = None
    """Best value of the metric."""
    best_trial: int | None = None
    goal: str = ""
    error: str | None = None


def summaries(reader: Reader) -> Iterator[Summary]:
    """Yield each stored study, oldest first."""
    for name in study_names(reader):
        try:
            yield summarise(load_shown_study(reader, name))
        except StorageError as error:
            yield Summary(name=name, error=str(error))


def summarise(study: StudyRecord) -> Summary:
    """Return the summary of a study."""
    complete = study.complete_trials()
    finished = sum(trial.is_finished for trial in study.trials)
    states = EMPTY if not study.trials else FINISHED if finished >= study.trials_in_all else OPEN
    return Summary(
        name=study.name,
        state=states,
        made_by="optuna" if study.is_guest else "sweep",
        finished=finished,
        total=study.trials_in_all,
        counts=dict(collections.Counter(trial.state for trial in study.trials)),
        directions=study.directions,
        best=complete[0].dev_loss if complete else None,
        best_trial=complete[0].number if complete else None,
        goal=study.goal,
    )


def format_list(found: Sequence[Summary]) -> str:
    """Return a line for each study, for a person."""
    return "\n".join(map(_line, found))


def _line(study: Summary) -> str:
    name = printable(study.name if shlex.quote(study.name) == study.name else repr(study.name))
    if study.error is not None:
        return f"{name:<24}  {printable(study.error)}"
    metric, direction = next(iter(study.directions.items()))
    what = metric.removeprefix("dev_")
    best = f"no {printable(what)} yet" if study.best is None else f"best {cell('value', study.best)}"
    done = f"{study.finished:>4} of {study.total:>4} trials"
    way = f"+{len(study.directions) - 1}" if len(study.directions) > 1 else ""
    about = "made by Optuna" if study.made_by == "optuna" else printable(study.goal)
    return f"{name:<24}  {study.state:<8}  {done}  {direction + way:<10}  {best:<12}  {about}".rstrip()


def format_json(found: Sequence[Summary]) -> str:
    """Return a list of objects for programs."""
    return json.dumps([dataclasses.asdict(each) for each in found], indent=2, allow_nan=False)


LIST_FORMATS: dict[str, Callable[[Sequence[Any]], str]] = {"text": format_list, "json": format_json}
"""Name on the command line -> function."""
