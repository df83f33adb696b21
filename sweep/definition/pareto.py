"""Compute Pareto fronts, hypervolume and knee of points with two objectives.

Pure functions; lower is better on both axes. A point *dominates* another if it is nowhere higher and
somewhere lower; equal points do not dominate each other.

References:
    Deb, Pratap, Agarwal, Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
    2002 (fronts by nondominated sorting). Jensen, "Reducing the Run-Time Complexity of
    Multiobjective EAs", 2003 (in the order n log n for two objectives).
"""

import bisect
from collections.abc import Sequence

Point = tuple[float, float]
"""A cost and a loss."""


def front_ranks(points: Sequence[Point]) -> list[int]:
    """Return each point's front: 1 if no point dominates it, 2 if only points of front 1 do, and so on.

    In order of rising cost, then loss, a front dominates a point exactly if the front's lowest loss so far
    is not above the point's loss. These lowest losses rise with the front's number.

    Examples:
        >>> front_ranks([(10, 2.5), (20, 2.6), (20, 2.4), (30, 2.6), (10, 2.5)])
        [1, 2, 1, 3, 1]
    """
    lowest: list[float] = []
    ranks: dict[Point, int] = {}
    for point in sorted(set(points)):
        place = bisect.bisect_right(lowest, point[1])
        lowest[place : place + 1] = [point[1]]
        ranks[point] = place + 1
    return [ranks[point] for point in points]


def hypervolume(points: Sequence[Point], reference: Point) -> float:
    """Return the exact area that the points dominate, bounded by the reference.

    Examples:
        >>> hypervolume([(1, 3), (2, 1), (3, 2)], reference=(4, 4))
        7.0

    References:
        Zitzler, Thiele, "Multiobjective Optimization Using Evolutionary Algorithms", 1998.
    """
    area, lowest = 0.0, reference[1]
    for cost, loss in sorted(points):
        if cost < reference[0] and loss < lowest:
            area += (reference[0] - cost) * (lowest - loss)
            lowest = loss
    return area


def knee(front: Sequence[Point]) -> Point | None:
    """Return the point of a front that lies farthest below the line between the front's ends.

    Both axes are scaled to the front's extent. Return None if no point lies below the line.

    Examples:
        >>> knee([(0, 10), (1, 4), (5, 3), (10, 0)])
        (1, 4)

    References:
        Das, "On Characterizing the Knee of the Pareto Curve Based on Normal-Boundary
        Intersection", 1999.
    """
    (cheap, high), (dear, low) = min(front), max(front)
    if cheap == dear or high == low:
        return None

    def depth(point: Point) -> float:
        return 1 - (point[0] - cheap) / (dear - cheap) - (point[1] - low) / (high - low)

    deepest = max(sorted(front), key=depth)
    return deepest if depth(deepest) > 0 else None
