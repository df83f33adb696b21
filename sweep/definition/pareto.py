"""Compute Pareto fronts, hypervolume and knee of points with two objectives; the first two also for more.

Pure functions; lower is better on every axis. A point *dominates* another if it is nowhere higher and
somewhere lower; equal points do not dominate each other.

References:
    Deb, Pratap, Agarwal, Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
    2002 (fronts by nondominated sorting). Jensen, "Reducing the Run-Time Complexity of
    Multiobjective EAs", 2003 (in the order n log n for two objectives).
    Zhang, Tian, Cheng, Jin, "An Efficient Approach to Nondominated Sorting for Evolutionary Multiobjective
    Optimization", 2015 (for more).
"""

import bisect
import itertools
import operator
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


def front_ranks_of_many(points: Sequence[tuple[float, ...]]) -> list[int]:
    """Return each point's front, as ``front_ranks`` does, for any number of objectives.

    In lexicographic order no point dominates an earlier one. A front that dominates a point is itself
    dominated by the fronts before it, so the first front that does not is found by halving.

    Examples:
        >>> front_ranks_of_many([(1, 2, 3), (3, 2, 1), (3, 3, 3), (1, 2, 3), (4, 4, 4)])
        [1, 1, 2, 1, 3]
    """
    fronts: list[list[tuple[float, ...]]] = []
    ranks: dict[tuple[float, ...], int] = {}
    for point in sorted(set(points)):
        place = bisect.bisect_left(fronts, True, key=lambda front: not _dominated(point, front))
        if place == len(fronts):
            fronts.append([])
        fronts[place].append(point)
        ranks[point] = place + 1
    return [ranks[point] for point in points]


def _dominated(point: tuple[float, ...], front: Sequence[tuple[float, ...]]) -> bool:
    """Return whether a point of a front, none of which equals ``point``, is nowhere higher."""
    return any(all(map(operator.le, other, point)) for other in reversed(front))


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


def hypervolume_of_many(points: Sequence[tuple[float, ...]], reference: tuple[float, ...]) -> float:
    """Return the exact volume that points of two or more objectives dominate, bounded by the reference.

    The space is cut along the last objective at each point; a slice's base has one objective less.

    Examples:
        >>> hypervolume_of_many([(1, 1, 1), (0, 2, 2)], reference=(3, 3, 3))
        9.0
    """
    inside = [p for p in set(points) if all(map(operator.lt, p, reference))]
    if len(reference) == 2:
        return hypervolume([(p[0], p[1]) for p in inside], (reference[0], reference[1]))
    heights = sorted({p[-1] for p in inside})
    volume = 0.0
    for low, high in itertools.pairwise([*heights, reference[-1]]):
        base = [p[:-1] for p in inside if p[-1] <= low]
        volume += (high - low) * hypervolume_of_many(base, reference[:-1])
    return volume


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
