"""Find out whether the seeds are enough to order the first ranks."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence

from sweep.certify.statistics.explosions import explosion_bound
from sweep.definition.ranking import trials_since
from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration, top_group
from sweep.reporting.contributions import contributions_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotToldApart:
    """Rank 1 to ``ranks`` may be in another order on other seeds; values in the metric's unit."""

    study: str
    ranks: int
    margin: float
    """They lie within this of the first: two standard errors of a difference, or ``seed_noise``."""
    spread: float | None
    """Standard deviation between seeds, pooled over the top group; None where each has one seed."""
    seeds: int
    """Of the first."""


def find_seeds(study: StudyRecord, ranked: Sequence[Configuration]) -> NotToldApart | None:
    """Return how many ranks the seeds leave open, if more than the first and no confirmation has begun.

    With one seed each, nothing is known unless the trainer states how much seeds commonly differ.
    """
    spread = pooled_spread(_without_explosions(top_group(ranked), study.metric.matters or 0.0))
    noise = contributions_of(study).seed_noise
    if len(ranked) < 2 or _is_being_confirmed(study) or (spread is None and noise is None):
        return None
    best, margin = ranked[0], functools.partial(_margin, ranked[0], spread=spread, noise=noise or 0.0)
    close = list(itertools.takewhile(lambda c: c.loss - best.loss <= margin(c), ranked))
    if len(close) < 2:
        return None
    return NotToldApart(
        study=study.name,
        ranks=len(close),
        margin=margin(close[-1]),
        spread=spread,
        seeds=len(best.trials),
    )


def _is_being_confirmed(study: StudyRecord) -> bool:
    return bool(study.plans) and not trials_since(study)


def _without_explosions(group: Sequence[Configuration], matters: float) -> list[Configuration]:
    """Return the configurations without an exploded replicate, whose spread says nothing of the others."""
    if not group:
        return []
    bound = explosion_bound([c.loss for c in group], matters)
    return [c for c in group if c.loss <= bound]


def pooled_spread(group: Sequence[Configuration]) -> float | None:
    """Return the root of the mean variance between seeds, weighted by degrees of freedom."""
    pairs = [(len(c.trials) - 1, c.spread) for c in group if c.spread is not None]
    freedom = sum(degrees for degrees, _ in pairs)
    return math.sqrt(sum(n * sd**2 for n, sd in pairs) / freedom) if freedom else None


def _margin(best: Configuration, other: Configuration, *, spread: float | None, noise: float) -> float:
    if spread is None:
        return noise
    return 2 * spread * math.sqrt(1 / len(best.trials) + 1 / len(other.trials))
