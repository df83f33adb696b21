"""Rank a study: a row for each configuration with a final value, and one for each trial without."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from sweep.definition.pareto import front_ranks, front_ranks_of_many
from sweep.definition.records import CODE_CHANGED, STATES, StudyRecord, TrialRecord
from sweep.metric import as_loss
from sweep.task import TRAIN_SECONDS, AnyTask, described_facts
from sweep.values import Json, Value, key_of

RANKED = STATES[0]
OWN_COLUMNS = frozenset(
    {
        *("rank", "front", "trial", "trials", "state", "value", "value_sd", "n", "seeds", "train_seconds"),
        *("engine", "device", "reason", "logged", "diff"),
    }
)
"""Reserved column names; a reported figure with one of these names gets a prefix."""

TAKEN = OWN_COLUMNS.union(
    ("mean", "sd", "tied", "ci_low", "ci_high", "search_loss", "search_value", "optimism", "unseen"),
    ("certified", "certified_mean", "certified_sd", "certified_n", "losses", "values", "seconds"),
    ("seed", CODE_CHANGED),
)
"""Names that mean something else in a table; a hyperparameter with one of these names gets a prefix."""

BLOCKS = STATES[1:]
"""States that never rank, in the order of their rows after the ranked ones."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rows:
    """Rows of plain values with the same columns; pandas is needed only for a DataFrame of them."""

    columns: tuple[str, ...]
    records: list[dict[str, Json]]
    """The rows; each has all columns, in their order."""

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, column: str) -> list[Json]:
        return [record[column] for record in self.records]

    def where(self, holds: Callable[[dict[str, Json]], bool]) -> "Rows":
        """Return the rows that satisfy a condition."""
        return Rows(self.columns, [record for record in self.records if holds(record)])

    def first(self, count: int | None) -> "Rows":
        """Return the first rows; all of them if ``count`` is None."""
        return Rows(self.columns, self.records[:count])

    def says(self, column: str) -> bool:
        """Return whether any row has a value in a column."""
        return any(record[column] is not None for record in self.records)

    def extended(self, column: str, value: Callable[[dict[str, Json]], Json]) -> "Rows":
        """Return the rows with one more column."""
        return Rows((*self.columns, column), [{**each, column: value(each)} for each in self.records])

    def renamed(self, rename: Callable[[str], str]) -> "Rows":
        """Return the rows with renamed columns."""
        names = {name: rename(name) for name in self.columns}
        records = [{names[name]: value for name, value in record.items()} for record in self.records]
        return Rows(tuple(names.values()), records)


class Replicates(NamedTuple):
    """The complete trials of one configuration."""

    trials: tuple[TrialRecord, ...]
    """Trials in order of number."""
    value: float
    """Mean over its trials, in the metric's unit."""
    front: int | None
    """Number of its Pareto front, from 1; None for one objective."""

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over the trials; None for a single one."""
        n = len(self.trials)
        return math.dist(_values(self.trials), [self.value] * n) / math.sqrt(n - 1) if n > 1 else None


def ranked_replicates(study: StudyRecord) -> list[Replicates]:
    """Return the configurations with a finite value, best first; see ``rank_trials``."""
    pools: dict[tuple[Value, ...], list[TrialRecord]] = {}
    for trial in sorted(study.trials, key=lambda trial: trial.number):
        if _state(trial) == RANKED:
            pools.setdefault(_pooled_by(study, trial), []).append(trial)
    means = [(trials, statistics.fmean(_values(trials))) for trials in pools.values()]
    fronts = _fronts(study, means)
    ranked = [
        Replicates(tuple(trials), value, front) for (trials, value), front in zip(means, fronts, strict=True)
    ]
    return sorted(
        ranked, key=lambda group: (group.front or 0, study.as_loss(group.value), group.trials[0].number)
    )


def _pooled_by(study: StudyRecord, trial: TrialRecord) -> tuple[Value, ...]:
    """Return what trials of one row have in common; each trial of a guest has a row, as Optuna ranks them."""
    return (trial.number,) if study.is_guest else key_of(trial.params)


def trials_since(study: StudyRecord) -> int:
    """Return the number of complete trials that the last confirmation did not see; 0 if there is none."""
    return len(study.complete_trials()) - study.plans[-1]["trials_seen"] if study.plans else 0


def rank_trials(study: StudyRecord) -> Rows:
    """Pool the replicates of each configuration and rank them by their mean value, best first.

    Trials with equal searched hyperparameters are replicates. The complete ones share one ranked row; every
    other trial gets its own row, without rank, in the block of its state. Ties go to the lower trial number.
    With two objectives, the rows of the Pareto front come first, then those of the second front, and so on.
    A trial whose stored value is not finite counts as diverged.

    Returns:
        One row for each configuration or trial; the columns are ``table_columns(study)``. Cells are
        plain Python values, or None if missing, and every number is finite.
        A hyperparameter that is inactive in a trial is None, because its default was not
        searched. ``value`` is the mean over the ``n`` complete replicates, ``value_sd`` their sample
        standard deviation (None for n = 1), ``train_seconds`` the mean of one trial, ``trial``
        the lowest of the pooled ``trials``; ``front`` is 1 on the Pareto front of two objectives;
        ``diff`` is ``value`` minus ``logged``.
    """
    columns, sources = table_columns(study), _Sources.of(study)
    rows = []
    for rank, group in enumerate(ranked_replicates(study), start=1):
        outcome = {"value": group.value, "value_sd": group.spread, "n": len(group.trials)}
        row = _row(study, group.trials, RANKED, sources)
        rows.append({**row, **outcome, "rank": rank, "front": group.front, **_logged(study, group)})
    blocks: dict[str, list[TrialRecord]] = {state: [] for state in BLOCKS}
    for trial in sorted(study.trials, key=lambda trial: trial.number):
        if (state := _state(trial)) != RANKED:
            blocks[state].append(trial)
    for state, trials in blocks.items():
        rows += [{**_row(study, [trial], state, sources), "n": 0} for trial in trials]
    return Rows(tuple(columns), [{name: row.get(name) for name in columns} for row in rows])


def column_of(name: str, task: AnyTask) -> str:
    """Return the column of a hyperparameter, its name or ``param.NAME``; the seed is no hyperparameter."""
    is_taken = (name in TAKEN and name != "seed") or name in described_facts(task)
    return f"param.{name}" if is_taken else name


def searched_columns(study: StudyRecord) -> list[str]:
    """Return the columns of the searched hyperparameters, and of those found for each configuration."""
    return [column_of(name, study.task) for name in dict.fromkeys((*study.searched, *study.found))]


def table_columns(study: StudyRecord) -> list[str]:
    """Return the names of a study's columns, in order."""
    shown = study.task.shown
    others = [name for name in searched_columns(study) if name not in shown]
    log = ["logged", "diff"] if study.logged else []
    runs = () if study.is_guest else ("seeds",)
    places = () if study.is_guest else ("engine", "device")
    return [
        *(("rank",) if study.cost is None else ("rank", "front")),
        *("trial", "trials", "state", *shown, *others, "value", "value_sd", "n", *runs),
        *described_facts(study.task),
        *figure_columns(study),
        *attribute_columns(study),
        *("train_seconds", *places, "reason", *log),
        *((CODE_CHANGED,) if any(trial.code_changed is not None for trial in study.trials) else ()),
    ]


def figure_columns(study: StudyRecord) -> dict[str, str]:
    """Return column -> name of each reported figure besides the metric, in order of appearance."""
    own = (*OWN_COLUMNS, study.metric.key, f"{study.metric.key}_sd")
    taken = {*own, *study.task.shown, *searched_columns(study), *described_facts(study.task)}
    names = dict.fromkeys(name for trial in study.trials for name in trial.figures)
    return {f"figure.{name}" if name in taken else name: name for name in names}


def attribute_columns(study: StudyRecord) -> dict[str, str]:
    """Return column -> name of each user attribute of a guest's trials, in order of appearance."""
    taken = {*OWN_COLUMNS, *study.searched, *described_facts(study.task)}
    names = dict.fromkeys(name for trial in study.trials for name in trial.attributes)
    return {f"attribute.{name}" if name in taken else name: name for name in names}


def _fronts(study: StudyRecord, means: Sequence[tuple[Sequence[TrialRecord], float]]) -> Sequence[int | None]:
    """Return the front of each configuration; one of unknown cost counts as the costliest."""
    if study.cost is None:
        return [None] * len(means)
    costs = [_costs(study, name, [trials for trials, _ in means]) for name in study.objectives[1:]]
    losses = [study.as_loss(value) for _, value in means]
    if len(costs) == 1:
        return front_ranks(list(zip(costs[0], losses, strict=True)))
    return front_ranks_of_many(list(zip(losses, *costs, strict=True)))


def _costs(study: StudyRecord, name: str, pools: Sequence[Sequence[TrialRecord]]) -> list[float]:
    """Return an objective beside the metric as a loss, for each configuration."""
    if name == TRAIN_SECONDS:
        found = [_seconds(trials) for trials in pools]
    else:
        found = [trials[0].facts.get(name) for trials in pools]
    direction = study.directions[name]
    return [math.inf if cost is None else as_loss(direction, cost) for cost in found]


def _state(trial: TrialRecord) -> str:
    return "diverged" if trial.state == RANKED and not trial.is_scored else trial.state


class _Sources(NamedTuple):
    """Where columns beside those of every study come from."""

    facts: tuple[str, ...]
    figures: Mapping[str, str]
    """Column -> name of the figure; likewise the attributes."""
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, study: StudyRecord) -> Self:
        """Return those of a study."""
        return cls(tuple(described_facts(study.task)), figure_columns(study), attribute_columns(study))


def _row(study: StudyRecord, pool: Sequence[TrialRecord], state: str, sources: _Sources) -> dict[str, Json]:
    """Return the columns of some trials of one configuration, except its outcome."""
    first = pool[0]
    return {
        **shown_values(study, first),
        "rank": None,
        "front": None,
        "trial": first.number,
        "trials": [trial.number for trial in pool],
        "state": state,
        "value": None,
        "value_sd": None,
        "seeds": [trial.seed for trial in pool],
        **{name: first.facts.get(name) for name in sources.facts},
        **{column: _mean_figure(pool, name) for column, name in sources.figures.items()},
        **{column: first.attributes.get(name) for column, name in sources.attributes.items()},
        "train_seconds": _seconds(pool),
        "engine": _distinct(trial.engine for trial in pool),
        "device": _distinct(trial.device for trial in pool),
        "reason": _reason(study, first, state),
        CODE_CHANGED: _distinct(t.code_changed for t in pool if t.code_changed is not None) or None,
        "logged": _logged_value(study, first.params),
        "diff": None,
    }


def shown_values(study: StudyRecord, trial: TrialRecord) -> dict[str, Value | None]:
    """Return column -> value of each hyperparameter of a trial; None if it is not active."""
    values = study.config_values(trial) | {n: None for n in study.searched if n not in trial.params}
    return {column_of(name, study.task): value for name, value in values.items()}


def _values(trials: Sequence[TrialRecord]) -> list[float]:
    return [trial.dev_loss for trial in trials if trial.dev_loss is not None]


def _seconds(trials: Sequence[TrialRecord]) -> float | None:
    return _finite(statistics.fmean(trial.train_seconds for trial in trials))


def _mean_figure(pool: Sequence[TrialRecord], name: str) -> float | None:
    """Return the mean of a figure over the trials that have it."""
    values = [trial.figures[name] for trial in pool if name in trial.figures]
    return _finite(statistics.fmean(values)) if values else None


def _reason(study: StudyRecord, trial: TrialRecord, state: str) -> str | None:
    what = study.objectives[0].removeprefix("dev_")
    return f"the stored {what} is not finite" if state != trial.state and not trial.reason else trial.reason


def _logged(study: StudyRecord, group: Replicates) -> dict[str, float]:
    """Return by how much a configuration differs from its log, if it was logged."""
    logged = _logged_value(study, group.trials[0].params)
    return {} if logged is None else {"diff": group.value - logged}


def _logged_value(study: StudyRecord, params: dict[str, Value]) -> float | None:
    """Return the logged value of the listed configuration with these hyperparameters."""
    for listed, logged in zip(study.listed, study.logged, strict=False):
        if listed == params and _finite(logged) is not None:
            return logged
    return None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _distinct(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
