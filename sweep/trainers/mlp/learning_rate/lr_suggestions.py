"""Suggest learning rates from the curve of a range test.

These are pure functions of losses over learning rates. Each rule of thumb has a specific name, because
finders disagree on the meaning of "steepest".
"""

from collections.abc import Sequence

import numpy as np

from sweep.errors import RangeTestError

FLAT = 1e-4
"""Change of the loss, in nats per character, that counts as rounding of float32."""

Curve = Sequence[float] | np.ndarray


def steepest_lr(lrs: Curve, losses: Curve) -> float:
    """Return the learning rate after which the loss falls fastest per decade.

    The slope of a segment is (loss[i+1] - loss[i]) / (log10 lr[i+1] - log10 lr[i]); ties go to
    the lower learning rate.

    Args:
        lrs: Learning rates, strictly increasing, shape (N,).
        losses: Smoothed training loss at each rate, nats per character, shape (N,).

    Returns:
        The lower end of the steepest segment; one of ``lrs``.

    Raises:
        RangeTestError: If N is below 2, or the loss never falls.

    Examples:
        >>> steepest_lr([1e-4, 1e-3, 1e-2, 1e-1], [3.3, 3.2, 2.6, 2.4])
        0.001

    References:
        Smith, "Cyclical Learning Rates for Training Neural Networks", 2015.
    """
    lrs, losses = _checked(lrs, losses)
    slopes = np.diff(losses) / np.diff(np.log10(lrs))
    return float(lrs[_refuse_rising(slopes).argmin()])


def minimum_lr(lrs: Curve, losses: Curve) -> float:
    """Return the learning rate at which the loss is lowest.

    It is too high for a constant rate, but about right for a rate that a schedule lowers later. Ties go to
    the lower learning rate.

    Args:
        lrs: Learning rates, strictly increasing, shape (N,).
        losses: Smoothed training loss at each rate, nats per character, shape (N,).

    Returns:
        One of ``lrs``.

    Raises:
        RangeTestError: If N is below 2, or the loss never falls below its first value.

    Examples:
        >>> minimum_lr([1e-3, 1e-2, 1e-1, 1.0], [3.3, 2.8, 2.4, 2.9])
        0.1

    References:
        Smith, "Cyclical Learning Rates for Training Neural Networks", 2015 (the upper bound).
    """
    lrs, losses = _checked(lrs, losses)
    lowest = int(losses.argmin())
    if lowest == 0:
        raise RangeTestError(f"the loss is lowest at the first learning rate, {lrs[0]:.3g}, and then rises")
    return float(lrs[lowest])


def minimum_over_ten_lr(lrs: Curve, losses: Curve) -> float:
    """Return a tenth of the learning rate at which the loss is lowest.

    At the minimum, the loss is about to rise, so that rate is too high; a tenth is the customary margin. The
    result may be below the tested range. Ties go to the lower learning rate.

    Args:
        lrs: Learning rates, strictly increasing, shape (N,).
        losses: Smoothed training loss at each rate, nats per character, shape (N,).

    Raises:
        RangeTestError: If N is below 2, or the loss never falls below its first value.

    Examples:
        >>> minimum_over_ten_lr([1e-3, 1e-2, 1e-1, 1.0], [3.3, 2.8, 2.4, 2.9])
        0.01

    References:
        Howard, Gugger, "fastai: A Layered API for Deep Learning", 2020 (rule ``minimum``).
    """
    return minimum_lr(lrs, losses) / 10


def valley_lr(lrs: Curve, losses: Curve) -> float:
    """Return the learning rate in the middle of the longest interval in which the loss falls.

    The longest strictly falling subsequence of the losses (noise between its points does not interrupt it)
    has k points and ends at index e; of several of equal length, the one that ends first counts. The interval
    is the indices e - k + 1 to e, and the result is the rate at its middle, rounded down, on a log scale.

    fastai's ``valley`` starts the interval one index earlier and rounds the middle as a third plus a sixth;
    the results differ by at most two points of the curve.

    Args:
        lrs: Learning rates, strictly increasing, shape (N,).
        losses: Smoothed training loss at each rate, nats per character, shape (N,).

    Returns:
        One of ``lrs``.

    Raises:
        RangeTestError: If N is below 2, or the loss never falls.

    Examples:
        >>> valley_lr([1e-4, 1e-3, 1e-2, 1e-1, 1.0], [3.3, 3.2, 2.6, 2.4, 2.9])
        0.001

    References:
        Howard, Gugger, "fastai: A Layered API for Deep Learning", 2020 (rule ``valley``).
    """
    lrs, losses = _checked(lrs, losses)
    _refuse_rising(np.diff(losses))
    lengths = _falling_lengths(losses)
    end = int(lengths.argmax())
    start = end - int(lengths[end]) + 1
    return float(lrs[(start + end) // 2])


RULES = {
    "steepest": steepest_lr,
    "minimum_over_ten": minimum_over_ten_lr,
    "valley": valley_lr,
    "minimum": minimum_lr,
}
"""Name -> function (learning rates, smoothed losses) -> learning rate."""

DEFINITIONS = {
    "steepest": "the learning rate after which the smoothed loss falls fastest per decade",
    "minimum_over_ten": "a tenth of the learning rate at which the smoothed loss is lowest",
    "valley": "the middle of the longest interval in which the smoothed loss falls",
    "minimum": "the learning rate at which the smoothed loss is lowest",
}
"""Name -> definition in one line, for users."""


def _checked(lrs: Curve, losses: Curve) -> tuple[np.ndarray, np.ndarray]:
    rates, values = np.asarray(lrs, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if rates.shape != values.shape or rates.ndim != 1:
        raise RangeTestError(f"a loss is needed for each learning rate, got {values.size} for {rates.size}")
    if len(rates) < 2:
        raise RangeTestError(f"a range test needs at least 2 points, got {len(rates)}")
    if not (np.isfinite(rates).all() and np.isfinite(values).all()):
        raise RangeTestError("learning rates and losses must be finite")
    if rates[0] <= 0 or (np.diff(rates) <= 0).any():
        raise RangeTestError("learning rates must be above 0 and strictly increasing")
    if np.ptp(values) < FLAT:
        span = f"learning rate {rates[0]:.3g} to {rates[-1]:.3g}"
        raise RangeTestError(f"the loss is flat: it stays at {values[0]:.4g} from {span}")
    return rates, values


def _refuse_rising(slopes: np.ndarray) -> np.ndarray:
    if slopes.min() >= 0:
        raise RangeTestError("the loss never falls")
    return slopes


def _falling_lengths(losses: np.ndarray) -> np.ndarray:
    """Return, for each index, the length of the longest falling subsequence that ends there."""
    lengths = np.ones(len(losses), dtype=np.int64)
    for i in range(1, len(losses)):
        before = lengths[:i][losses[:i] > losses[i]]
        lengths[i] = 1 + before.max(initial=0)
    return lengths
