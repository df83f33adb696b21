"""Which of a study's configurations stand on its Pareto front, and what did the front come to?

Costs are compared by their logarithm wherever distances count, since ten per cent more parameters
are the same step for small and for large models.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from sweep.definition.pareto import Point, front_ranks, hypervolume, knee
from sweep.definition.ranking import RANKED, Rows
from sweep.definition.records import StudyRecord
from sweep.reporting.table.columns import cell
from sweep.reporting.units import difference_unit, words_of
from sweep.task import Metric


class Configuration(NamedTuple):
    """One ranked row, seen as a cost and a loss."""

    cost: float
    loss: float
    """Mean of its replicates in its loss form."""
    trial: int
    """The first of them."""
    dev_loss: float
    """The mean as it is shown."""

    @property
    def point(self) -> Point:
        """The cost in decades, and the loss."""
        return math.log10(self.cost), self.loss


def pareto_front(rows: Rows, cost: str, metric: Metric) -> list[Configuration]:
    """Return the ranked rows that no other beats in both, cheapest first.

    Args:
        rows: From ``rank_trials``, of a study with whatever objectives.
        cost: A column; rows without a cost above 0 are left out.
        metric: What the rows are ranked by.
    """
    ranked = rows.where(lambda row: row["state"] == RANKED)
    columns = zip(ranked[cost], ranked["value"], ranked["trial"], strict=True)
    found = sorted(
        Configuration(at, metric.as_loss(value), trial, value) for at, value, trial in columns if at
    )
    ranks = front_ranks([(one.cost, one.loss) for one in found])
    return [one for one, rank in zip(found, ranks, strict=True) if rank == 1]


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
    front = pareto_front(rows, study.cost, study.metric)
    what = "knowing nothing"
    if worst_loss is None:
        worst_loss, what = max(ranked["value"], key=study.as_loss), "the worst here"
    costliest = max((cost for cost in ranked[study.cost] if cost), default=1)
    return [
        count,
        _describe_area(front, study.metric, study.cost, costliest, (worst_loss, what)),
        *_describe_knee(front, study.metric, study.cost),
    ]


def _describe_area(
    front: Sequence[Configuration], metric: Metric, cost: str, costliest: float, worst: tuple[float, str]
) -> str:
    worst_loss, what = worst
    area = hypervolume([one.point for one in front], (math.log10(costliest), metric.as_loss(worst_loss)))
    unit = " x ".join(filter(None, (difference_unit(metric), f"decades of {cost}")))
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
