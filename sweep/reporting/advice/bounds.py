"""Find bounds of the space at which the best values lie.

The check uses the whole top group, or else the best two, because a single winner at a bound may be luck. It
ignores a bound that the trainer itself sets, such as no size below 1, because nobody can move it.
"""

import dataclasses
import math
from collections.abc import Sequence

from sweep.definition.dimension import is_number
from sweep.definition.records import StudyRecord
from sweep.errors import ConfigError
from sweep.reporting.advice.configurations import MIN_TOP, Configuration, top_group
from sweep.reporting.advice.edges import Edge, edges
from sweep.task import AnyTask
from sweep.values import Value

MIN_RANKED = 10
"""Fewest ranked configurations for this check; with fewer, five would be most of them."""

BEST = 2
"""Best configurations that are enough for this check if all of them are at a bound."""

CHANCE = 0.05
"""A bound is reported if random draws would put as many there at most this often."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AtBound:
    """Many of the best lie at one end of one hyperparameter's range."""

    name: str
    edge: Edge
    count: int
    top: int
    """Configurations of the top group that have the hyperparameter."""


def find_bounds(study: StudyRecord, ranked: Sequence[Configuration]) -> list[AtBound] | None:
    """Return the ends at which more of the top group lies than chance would put there.

    A list of known configurations has no bounds.
    """
    if study.sampler == "listed" or len(ranked) < MIN_RANKED:
        return None
    top, found = top_group(ranked), []
    for name, dimension in study.space.items():
        values = [c.params[name] for c in top if is_number(c.params.get(name))]
        for edge in edges(dimension):
            hits = [_hit(name, edge, values), _hit(name, edge, values[:BEST])]
            hit = next(filter(_stands_out, hits), None)
            if hit and _can_move(study.task, study.config_values(top[0].trials[0]), name, edge):
                found.append(hit)
    return found or None


def _hit(name: str, edge: Edge, values: Sequence[float]) -> AtBound:
    return AtBound(name=name, edge=edge, count=sum(map(edge.holds, values)), top=len(values))


def _stands_out(hit: AtBound) -> bool:
    """Return whether half of the top group, or all of the best two, lie there, and hardly by chance."""
    is_group = hit.top >= MIN_TOP and 2 * hit.count >= hit.top
    if not is_group and not hit.count == hit.top == BEST:
        return False
    return binomial_tail(hit.count, hit.top, hit.edge.share) <= CHANCE


def binomial_tail(count: int, n: int, share: float) -> float:
    """Return the chance of ``count`` or more among ``n`` draws that each hit with chance ``share``.

    Examples:
        >>> round(binomial_tail(4, 5, 0.25), 6) == round(5 * 0.25**4 * 0.75 + 0.25**5, 6)
        True
    """
    if count <= 0 or share >= 1:
        return 1.0
    logs = math.log(share), math.log1p(-share)
    return sum(math.exp(log_ways(n, k) + k * logs[0] + (n - k) * logs[1]) for k in range(count, n + 1))


def log_ways(n: int, k: int) -> float:
    """Return the logarithm of the number of ways to choose ``k`` of ``n``; of thousands it is no float.

    Examples:
        >>> round(math.exp(log_ways(5, 2)), 9)
        10.0
    """
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _can_move(task: AnyTask, values: dict[str, Value], name: str, edge: Edge) -> bool:
    """Return whether the trainer takes values beyond the bound."""
    sign = 1 if edge.is_upper else -1
    by = 1 if isinstance(edge.bound, int) else 0.01 * abs(edge.bound) or 0.01
    try:
        task.make_config({**values, name: edge.bound + sign * by})
    except ConfigError:
        return False
    return True
