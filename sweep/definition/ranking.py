"""Rank the configurations of a study.

Turns a study's record into rows: one for each configuration with a final value, and one for each trial
without. ``formats`` writes the rows.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

import pandas

from sweep.definition.pareto import front_ranks
from sweep.definition.records import CODE_CHANGED, STATES, StudyRecord, TrialRecord
from sweep.task import described_facts

RANKED = STATES[0]
_OWN_COLUMNS = {
    *("rank", "front", "trial", "trials", "state", "value", "value_sd", "n", "seeds", "train_seconds"),
    *("engine", "device", "reason", "logged", "diff"),
}
"""Reserved column names; a reported figure with one of these names gets a prefix."""

BLOCKS = STATES[1:]
"""States that never rank, in the order of their rows after the ranked ones."""


def rank_trials(study: StudyRecord) -> pandas.DataFrame:
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
    rows = [_row(study, pool, RANKED) for pool in _pools(study)]
    if study.cost is not None:
        _rank_fronts(rows, study, study.cost)
    rows.sort(key=lambda row: (row["front"] or 0, study.as_loss(row["value"]), row["trial"]))
    for rank, row in enumerate(rows, start=1):
        row["rank"] = rank
    for state in BLOCKS:
        block = [trial for trial in study.trials if _state(trial) == state]
        rows += [_row(study, [trial], state) for trial in sorted(block, key=lambda trial: trial.number)]
    columns = table_columns(study)
    cells = [[row.get(name) for name in columns] for row in rows]
    return pandas.DataFrame(cells, columns=columns, dtype=object)


def table_columns(study: StudyRecord) -> list[str]:
    """Return the names of a study's columns, in order."""
    shown = study.task.shown
    others = [name for name in (*study.searched, *study.found) if name not in shown]
    log = ["logged", "diff"] if study.logged else []
    return [
        *(("rank",) if study.cost is None else ("rank", "front")),
        *("trial", "trials", "state", *shown, *others, "value", "value_sd", "n", "seeds"),
        *described_facts(study.task),
        *figure_columns(study),
        *("train_seconds", "engine", "device", "reason", *log),
        *((CODE_CHANGED,) if any(trial.code_changed is not None for trial in study.trials) else ()),
    ]


def figure_columns(study: StudyRecord) -> dict[str, str]:
    """Return column -> name of each reported figure besides the metric, in order of appearance."""
    own = (*_OWN_COLUMNS, study.metric.key, f"{study.metric.key}_sd")
    taken = {*own, *study.task.shown, *study.searched, *study.found, *described_facts(study.task)}
    names = dict.fromkeys(name for trial in study.trials for name in trial.figures)
    return {f"figure.{name}" if name in taken else name: name for name in names}


def _rank_fronts(rows: Sequence[dict[str, Any]], study: StudyRecord, cost: str) -> None:
    """Set each ranked row's front; a row of unknown cost counts as the costliest."""
    costs = [math.inf if row[cost] is None else row[cost] for row in rows]
    losses = [study.as_loss(row["value"]) for row in rows]
    for row, front in zip(rows, front_ranks(list(zip(costs, losses, strict=True))), strict=True):
        row["front"] = front


def _state(trial: TrialRecord) -> str:
    return "diverged" if trial.state == RANKED and not trial.is_scored else trial.state


def _pools(study: StudyRecord) -> list[list[TrialRecord]]:
    """Group the complete trials by equal hyperparameters, in order of number."""
    pools: dict[tuple[Any, ...], list[TrialRecord]] = {}
    for trial in sorted(study.trials, key=lambda trial: trial.number):
        if _state(trial) == RANKED:
            pools.setdefault(tuple(sorted(trial.params.items())), []).append(trial)
    return list(pools.values())


def _row(study: StudyRecord, pool: Sequence[TrialRecord], state: str) -> dict[str, Any]:
    first, losses = pool[0], [trial.dev_loss for trial in pool if trial.dev_loss is not None]
    if state != RANKED:
        losses = []
    value = statistics.fmean(losses) if losses else None
    logged = _logged(study, first.params)
    return {
        **study.config_values(first),
        **{name: None for name in study.searched if name not in first.params},  # not active
        "rank": None,
        "front": None,
        "trial": first.number,
        "trials": [trial.number for trial in pool],
        "state": state,
        "value": value,
        "value_sd": statistics.stdev(losses) if len(losses) > 1 else None,
        "n": len(losses),
        "seeds": [trial.seed for trial in pool],
        **{name: first.facts.get(name) for name in described_facts(study.task)},
        **{column: _mean_figure(pool, name) for column, name in figure_columns(study).items()},
        "train_seconds": _finite(statistics.fmean(trial.train_seconds for trial in pool)),
        "engine": _distinct(trial.engine for trial in pool),
        "device": _distinct(trial.device for trial in pool),
        "reason": _reason(study, first, state),
        CODE_CHANGED: _distinct(t.code_changed for t in pool if t.code_changed is not None) or None,
        "logged": logged,
        "diff": value - logged if value is not None and logged is not None else None,
    }


def _mean_figure(pool: Sequence[TrialRecord], name: str) -> float | None:
    """Return the mean of a figure over the trials that have it."""
    values = [trial.figures[name] for trial in pool if name in trial.figures]
    return _finite(statistics.fmean(values)) if values else None


def _reason(study: StudyRecord, trial: TrialRecord, state: str) -> str | None:
    what = study.objectives[0].removeprefix("dev_")
    return f"the stored {what} is not finite" if state != trial.state and not trial.reason else trial.reason


def _logged(study: StudyRecord, params: dict[str, Any]) -> float | None:
    """Return the logged value of the listed configuration with these hyperparameters."""
    for listed, logged in zip(study.listed, study.logged, strict=False):
        if listed == params and _finite(logged) is not None:
            return logged
    return None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _distinct(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
