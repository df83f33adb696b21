"""Compute the expected best value of k trials.

The trials are treated as independent draws from one distribution, which is correct for the samplers
``random`` and ``qmc``; the configurations that a study lists are left out. For samplers that learn, the curve
shows the result of random draws from their proposals.

References:
    Dodge, Gururangan, Card, Schwartz, Smith, "Show Your Work: Improved Reporting of Experimental
    Results", 2019 (the curve, with a biased estimate).
    Tang, Lee, Xin, Liu, Yu, Lin, "Showing Your Work Doesn't Always Work", 2020 (its bias, and
    the unbiased estimate: draws without replacement).
"""

import itertools
import operator
from collections.abc import Iterator, Sequence

from sweep.definition.records import StudyRecord
from sweep.values import key_of

_ROUNDING = 1e-12

_NEVER = 1e-20
"""A chance that changes no sum."""


def expected_best(losses: Sequence[float], k: int) -> float:
    """Return the expected lowest of ``k`` losses drawn without replacement; unbiased.

    With losses sorted, x_1 <= … <= x_N, the lowest of k is above x_i with probability
    C(N-i, k) / C(N, k), so the expectation is x_1 + sum over i of that times (x_(i+1) - x_i).

    Args:
        losses: Of independent trials.
        k: 1 to ``len(losses)``.

    Examples:
        >>> expected_best([2.0, 4.0, 3.0], 1), expected_best([2.0, 4.0, 3.0], 3)
        (3.0, 2.0)
        >>> round(expected_best([2.0, 4.0, 3.0], 2), 12) == round((2 + 2 + 3) / 3, 12)
        True
    """
    ordered = sorted(losses)
    steps = (after - before for before, after in itertools.pairwise(ordered))
    further: float = sum(map(operator.mul, _above(len(losses), k), steps))
    return ordered[0] + further


def draws(study: StudyRecord) -> list[float]:
    """Return one value in loss form for each finished configuration that the sampler proposed.

    Replicates count as one draw, their mean; a trial without a final loss as the worst loss.
    """
    losses: dict[tuple[tuple[str, object], ...], list[float]] = {}
    for trial in study.trials:
        if trial.is_finished and trial.params not in study.listed:
            seen = losses.setdefault(key_of(trial.params), [])
            if trial.dev_loss is not None and trial.is_scored:
                seen.append(study.as_loss(trial.dev_loss))
    means = [sum(seen) / len(seen) if seen else None for seen in losses.values()]
    worst = max((mean for mean in means if mean is not None), default=0.0)
    return [] if not any(losses.values()) else [worst if mean is None else mean for mean in means]


def quantile_of_best(losses: Sequence[float], k: int, quantile: float) -> float:
    """Return the loss that the lowest of ``k`` losses drawn without replacement stays at or below so often.

    Args:
        losses: Of independent trials.
        k: 1 to ``len(losses)``.
        quantile: Above 0, at most 1.

    Examples:
        >>> quantile_of_best([2.0, 4.0, 3.0], 2, 0.6), quantile_of_best([2.0, 4.0, 3.0], 2, 0.7)
        (2.0, 3.0)
    """
    chances = itertools.chain(_above(len(losses), k), itertools.repeat(0.0))
    reached = (1 - chance >= quantile - _ROUNDING for chance in chances)
    return next(itertools.compress(sorted(losses), reached))


def _above(n: int, k: int) -> Iterator[float]:
    """Yield the chance that the lowest of k among n is above the i-th lowest, from i = 1 until it is 0."""
    factors = ((n - k - i) / (n - i) for i in range(n - k))
    return itertools.takewhile(lambda chance: chance > _NEVER, itertools.accumulate(factors, operator.mul))
