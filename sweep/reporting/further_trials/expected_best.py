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

from collections.abc import Sequence

import numpy as np

from sweep.definition.records import StudyRecord

_ROUNDING = 1e-12


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
    ordered = np.sort(np.asarray(losses, dtype=np.float64))
    return float(ordered[0] + (_above(len(ordered), k)[:-1] * np.diff(ordered)).sum())


def draws(study: StudyRecord) -> list[float]:
    """Return one value in loss form for each finished configuration that the sampler proposed.

    Replicates count as one draw, their mean; a trial without a final loss as the worst loss.
    """
    losses: dict[tuple[tuple[str, object], ...], list[float]] = {}
    for trial in study.trials:
        if trial.is_finished and trial.params not in study.listed:
            seen = losses.setdefault(tuple(sorted(trial.params.items())), [])
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
    reached = 1 - _above(len(losses), k)
    return sorted(losses)[int(np.argmax(reached >= quantile - _ROUNDING))]


def _above(n: int, k: int) -> np.ndarray:
    """Return the chance that the lowest of k among n is above the i-th lowest, i from 1 to n, shape (n,)."""
    i = np.arange(n)
    return np.cumprod(np.maximum(n - k - i, 0) / (n - i))
