"""What did a study of two objectives come to, in a few lines?"""

import math

import pandas

from sweep.results.columns import cell, heading
from sweep.results.pareto import Point, hypervolume, knee
from sweep.search.records import StudyRecord


def row_points(rows: pandas.DataFrame, cost: str) -> list[Point]:
    """Return the ranked rows as points: the logarithm of the cost to base 10, and the mean dev loss.

    In decades, since what a tenth more parameters buys is the question for small and large models
    alike. Rows without a cost above 0 are left out.
    """
    pairs = zip(rows[cost], rows["dev_loss"], strict=True)
    return [(math.log10(cost), loss) for cost, loss in pairs if loss is not None and cost]


def describe_front(rows: pandas.DataFrame, study: StudyRecord, worst_loss: float) -> list[str]:
    """Return what a study of two objectives came to, in lines for a person; none for other studies.

    Args:
        rows: From ``rank_trials``.
        study: What they are the rows of.
        worst_loss: Dev loss of knowing nothing, where the hypervolume's reference point lies.
    """
    ranked = rows[rows["rank"].notna()]
    if study.cost is None or ranked.empty:
        return []
    front = ranked[ranked["front"] == 1]
    costliest = max((cost for cost in ranked[study.cost] if cost), default=1)
    area = hypervolume(row_points(front, study.cost), (math.log10(costliest), worst_loss))
    trials = sum(len(trials) for trials in front["trials"])
    unit = heading(study.cost)
    return [
        f"Pareto front: {len(front):,} of {len(ranked):,} configurations ({trials:,} trials) are beaten by "
        f"none in dev_loss and {study.cost}",
        f"hypervolume: {area:.3f} nats x decades of {unit}, reference point {worst_loss:.4f} (uniform) and "
        f"{cell(study.cost, costliest)} {unit} (the costliest here)",
        *_describe_knee(front, study.cost),
    ]


def _describe_knee(front: pandas.DataFrame, cost: str) -> list[str]:
    points = row_points(front, cost)
    found = knee(points) if points else None
    if found is None:
        return []
    row = front.iloc[points.index(found)]
    return [
        f"knee, farthest below the line between the front's ends: trial {row['trial']}, dev loss "
        f"{row['dev_loss']:.4f}, {cell(cost, row[cost])} {heading(cost)}"
    ]
