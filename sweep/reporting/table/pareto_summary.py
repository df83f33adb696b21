"""Find the configurations on a study's Pareto front, and describe the front.

Costs are compared by their logarithm wherever distances count, since ten per cent more parameters
are the same step for small and for large models; other objectives by their differences.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from sweep.definition.pareto import Point, front_ranks, hypervolume, knee
from sweep.definition.ranking import RANKED, Rows
from sweep.definition.records import StudyRecord
from sweep.reporting.table.columns import cell
from sweep.reporting.units import difference_unit, words_of
from sweep.task import Fact, Metric, costs_of


class Configuration(NamedTuple):
    """One ranked row, seen as a cost and a loss."""

    cost: float
    """As it is shown."""
    cost_loss: float
    """In its loss form, and in decades if ratios count."""
    loss: float
    """Mean of its replicates in its loss form."""
    trial: int
    """The first of them."""
    dev_loss: float
    """The mean as it is shown."""

    @property
    def point(self) -> Point:
        """The cost and the loss, as distances count."""
        return self.cost_loss, self.loss


def pareto_front(rows: Rows, cost: str, metric: Metric, fact: Fact) -> list[Configuration]:
    """Return the ranked rows that no other beats in both, cheapest first.

    Args:
        rows: From ``rank_trials``, of a study with whatever objectives.
        cost: A column; rows without a cost, or with none above 0 if ratios count, are left out.
        metric: What the rows are ranked by.
        fact: What the cost is.
    """
    ranked = rows.where(lambda row: row["state"] == RANKED)
    columns = zip(ranked[cost], ranked["value"], ranked["trial"], strict=True)
    found = sorted(
        (
            Configuration(at, _distance(fact, at), metric.as_loss(value), trial, value)
            for at, value, trial in columns
            if has_place(fact, at)
        ),
        key=lambda one: (fact.as_loss(one.cost), one.loss, one.trial),
    )
    ranks = front_ranks([(fact.as_loss(one.cost), one.loss) for one in found])
    return [one for one, rank in zip(found, ranks, strict=True) if rank == 1]


def has_place(fact: Fact, cost: float | None) -> bool:
    """Return whether a cost has a place on its axis, which is logarithmic if ratios count."""
    return cost is not None and (fact.is_linear or cost > 0)


def _distance(fact: Fact, cost: float) -> float:
    return fact.as_loss(cost if fact.is_linear else math.log10(cost))


def knee_of(front: Sequence[Configuration]) -> Configuration | None:
    """Return the configuration at the knee of a front, or None where it has none."""
    by_point = {one.point: one for one in front}
    found = knee(list(by_point)) if by_point else None
    return None if found is None else by_point[found]


def describe_front(rows: Rows, study: StudyRecord, worst_loss: float | None) -> list[str]:
    """Return what a study of two objectives came to, in lines for a person; none for other studies.

    Args:
        rows: From ``rank_trials``.
        study: What they are the rows of.
        worst_loss: Value of knowing nothing, where the hypervolume's reference point lies; None takes the
            worst value of the rows.
    """
    ranked = rows.where(lambda row: row["state"] == RANKED)
    if study.cost is None or not len(ranked):
        return []
    first = ranked.where(lambda row: row["front"] == 1)
    trials = sum(len(trials) for trials in first["trials"])
    count = (
        f"Pareto front: {len(first):,} of {len(ranked):,} configurations ({trials:,} trials) are beaten by "
        f"none in {study.metric.name} and {study.cost}"
    )
    fact = costs_of(study.task)[study.cost]
    front = pareto_front(rows, study.cost, study.metric, fact)
    what = "knowing nothing"
    if worst_loss is None:
        worst_loss, what = max(ranked["value"], key=study.as_loss), "the worst here"
    costs = [cost for cost in ranked[study.cost] if has_place(fact, cost)]
    costliest = max(costs, key=fact.as_loss, default=1.0)
    return [
        count,
        _describe_area(front, study, fact, costliest, (worst_loss, what)),
        *_describe_knee(front, study.metric, study.cost),
    ]


def _describe_area(
    front: Sequence[Configuration],
    study: StudyRecord,
    fact: Fact,
    costliest: float,
    worst: tuple[float, str],
) -> str:
    cost, metric, (worst_loss, what) = study.cost, study.metric, worst
    assert cost is not None, "a front has two objectives"
    corner = _distance(fact, costliest), metric.as_loss(worst_loss)
    area = hypervolume([one.point for one in front], corner)
    of_cost = cost if fact.is_linear else f"decades of {cost}"
    unit = " x ".join(filter(None, (difference_unit(metric), of_cost)))
    return (
        f"hypervolume: {area:.3f} {unit}, reference point {metric.name} {worst_loss:.4f} ({what}), "
        f"{cost} {cell(cost, costliest)} (the costliest here)"
    )


def _describe_knee(front: Sequence[Configuration], metric: Metric, cost: str) -> list[str]:
    found = knee_of(front)
    if found is None:
        return []
    return [
        f"knee, farthest {words_of(metric)['below']} the line between the front's ends: trial {found.trial}, "
        f"{metric.name} {found.dev_loss:.4f}, {cost} {cell(cost, found.cost)}"
    ]
