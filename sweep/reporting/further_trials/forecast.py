"""Forecast the best value after further trials of the same sampler.

The values that the sampler's latest proposals gave are taken as independent draws, and their low tail as
a generalised Pareto distribution. A metric that is smooth at its optimum is quadratic there, so the share
of a space of D dimensions within e of the lowest loss grows as e^(D/2): the tail of shape -2/D. Its end
follows from the lowest loss. A sampler that learns is judged by the latter half of its trials, since the
first ones were proposed with less knowledge.

References:
    Pickands, "Statistical Inference Using Extreme Order Statistics", 1975 (the tail). Zhigljavsky, "Theory of
    Global Random Search", 1991 (its shape from the dimension).
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

INDEPENDENT = ("random", "qmc", "grid", "listed")
"""Samplers that learn nothing, so that all their trials are alike."""

MIN_DRAWS = 8
"""Values that the tail is estimated from, or there is no forecast."""

_TAIL = 1 / 3
"""Share of the draws that is the low tail."""

_GRID = 200


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The low tail of one trial's loss."""

    start: float
    """Loss below which the tail begins."""
    share: float
    """Chance that a trial falls into it."""
    scale: float
    shape: float
    """Below 0: the tail ends at ``lowest``."""

    @property
    def lowest(self) -> float:
        """The lowest loss that the tail allows."""
        return self.start + self.scale / self.shape

    def chance_below(self, losses: np.ndarray) -> np.ndarray:
        """Return the chance that one trial is below each loss, all of them at most ``start``."""
        left = np.maximum(1 + self.shape * (self.start - losses) / self.scale, 0)
        chance: np.ndarray = self.share * left ** (-1 / self.shape)
        return chance

    def expected_best(self, best: float, trials: int) -> float:
        """Return the expected lowest of ``best`` and so many further trials."""
        losses = np.linspace(self.lowest, min(best, self.start), _GRID)
        below = 1 - (1 - self.chance_below(losses)) ** trials
        return best - float(np.trapezoid(below, losses)) if best > self.lowest else best

    def quantile_of_best(self, best: float, trials: int, quantile: float) -> float:
        """Return the loss that the lowest stays at or below in so large a share of cases."""
        one = (1 - (1 - quantile) ** (1 / trials)) / self.share
        if one >= 1:
            return best
        return float(min(best, self.start + self.scale * (1 - one**-self.shape) / self.shape))


def latest(losses: Sequence[float], sampler: str) -> Sequence[float]:
    """Return the losses that a further trial of the sampler is expected to resemble."""
    return losses if sampler in INDEPENDENT else losses[len(losses) // 2 :]


def tail_of(losses: Sequence[float], dimensions: int) -> Tail | None:
    """Return the low tail of independent losses.

    Of n losses in a tail, the lowest is expected to leave a share 1 / (n + 1) of it below, which gives
    its end.

    Args:
        losses: In loss form: lower is better.
        dimensions: Of the search space, at least 1.

    Returns:
        None if there are fewer than ``MIN_DRAWS`` losses, or those of the tail are all equal.
    """
    ordered = np.sort(np.asarray(losses, dtype=np.float64))
    if len(ordered) < MIN_DRAWS:
        return None
    count, shape = int(len(ordered) * _TAIL), -2 / max(dimensions, 1)
    depth = float(ordered[count] - ordered[0])
    if depth <= 0:
        return None
    whole = depth / (1 - (count + 1) ** shape)
    return Tail(start=float(ordered[count]), share=count / len(ordered), scale=-shape * whole, shape=shape)
