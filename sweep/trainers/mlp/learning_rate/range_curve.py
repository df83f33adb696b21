"""Compute the curve of a range test and its suggestions from raw losses, without torch.

``lr_finder`` trains.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from sweep.errors import RangeTestError
from sweep.smoothing import smooth
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_suggestions import RULES

DIVERGED = 4.0
"""Multiple of its lowest smoothed loss above which a seed stops."""

SMOOTHED_SHARE = 0.05
"""Fraction of the range that the moving average covers."""

NOISE = 3.0
"""Multiple of the typical band between the seeds' quartiles by which the curve must change. The curve of a
few seeds that learn nothing changes by about twice the band."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeCurve:
    """Raw losses of a range test, and the curve made from them.

    ``median``, ``lower`` and ``upper`` are computed at each step over the seeds' smoothed losses. A stopped
    seed counts as infinitely high, so that the remaining seeds do not make the curve look better. The curve
    ends (NaN) when half of the seeds have stopped.
    """

    learning_rates: np.ndarray
    """Rate of each step, growing geometrically, float64 (rounded to float32 to train), shape (N,)."""
    seeds: tuple[int, ...]
    """Seeds of the S runs."""
    raw: np.ndarray
    """Minibatch loss, nats per character, NaN after a seed stopped, float64, shape (S, N)."""
    median: np.ndarray
    """Median over the seeds of the smoothed loss, shape (N,)."""
    lower: np.ndarray
    """Lower quartile over the seeds: a measured value, the nearest below, shape (N,)."""
    upper: np.ndarray
    """Upper quartile over the seeds: a measured value, the nearest above; NaN once a required seed has
    stopped, shape (N,)."""

    @property
    def points(self) -> int:
        """Number of steps that the curve covers."""
        return int(np.isfinite(self.median).sum())

    @property
    def window(self) -> int:
        """Number of steps that the moving average covers."""
        return smoothing_window(len(self.learning_rates))

    @property
    def stopped(self) -> int:
        """Number of seeds that diverged before the last step."""
        return int(np.isnan(self.raw[:, -1]).sum())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest:
    """A range test: its curve, and the tested configuration and data."""

    curve: RangeCurve
    config: TrainConfig
    """The configuration; its learning rate and schedule are ignored."""
    data_sha256: str
    """Hash of the words file."""
    engine: str
    device: str


def range_curve(rates: np.ndarray, seeds: tuple[int, ...], raw: np.ndarray) -> RangeCurve:
    """Compute the curve of raw losses.

    Args:
        rates: Learning rate of each step, growing geometrically, shape (N,).
        seeds: Seeds of the S runs.
        raw: Minibatch loss of each seed and step, NaN after a seed stopped, shape (S, N).
    """
    window = smoothing_window(len(rates))
    smoothed = np.stack([smooth(losses, window) for losses in raw])
    for line in smoothed:
        line[end_of(line) :] = np.inf
    median, lower, upper = _summary(smoothed)
    return RangeCurve(learning_rates=rates, seeds=seeds, raw=raw, median=median, lower=lower, upper=upper)


def suggestions(test: RangeCurve) -> dict[str, tuple[float | None, str]]:
    """Return the suggestion of each rule: name -> (learning rate or None, reason).

    The rules use one point of the median per smoothing window, from the end of the first window on. Closer
    points share most of their minibatches, so the slope between them is noise.
    """
    lrs, losses = settled_curve(test)
    silence = _silence(test, lrs, losses)
    if silence:
        return dict.fromkeys(RULES, (None, silence))
    return {name: _suggest(test, rule, lrs, losses) for name, rule in RULES.items()}


def flat_stretch(test: RangeCurve) -> tuple[float, float] | None:
    """Return the lowest and the highest rate around the minimum whose loss is within the noise of it.

    The noise is the typical band between the seeds' quartiles. The rates between the two are all within it,
    and both are the same if only the minimum is, as with a single seed. None if the curve supports no
    suggestion.
    """
    lrs, losses = settled_curve(test)
    if _silence(test, lrs, losses):
        return None
    near = losses <= losses.min() + _noise(test)
    lowest = int(losses.argmin())
    first = lowest + 1 - _leading(near[lowest::-1])
    last = lowest - 1 + _leading(near[lowest:])
    return float(lrs[first]), float(lrs[last])


def _leading(flags: np.ndarray) -> int:
    """Return the number of true flags before the first false one."""
    return int(np.minimum.accumulate(flags).sum())


def settled_curve(test: RangeCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return the rates and the median at the end of each smoothing window of the curve."""
    ends = slice(test.window - 1, test.points, test.window)
    return test.learning_rates[ends], test.median[ends]


def smoothing_window(steps: int) -> int:
    """Return the number of steps in ``SMOOTHED_SHARE`` of a run, at least 1 (no smoothing)."""
    return max(1, int(steps * SMOOTHED_SHARE))


def end_of(smoothed: np.ndarray) -> int:
    """Return the number of steps before the run diverged, or all steps if it did not."""
    over = ~np.isfinite(smoothed) | (smoothed > DIVERGED * np.minimum.accumulate(smoothed))
    return int(over.argmax()) if over.any() else len(smoothed)


def _summary(smoothed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return median, lower and upper quartile over the seeds, NaN if the median is infinite.

    The quartiles are the nearest measured values outside: for five seeds, the second and fourth.
    """
    ordered = np.sort(smoothed, axis=0)
    seeds = len(ordered)
    median = (ordered[(seeds - 1) // 2] + ordered[seeds // 2]) / 2
    lower, upper = ordered[(seeds - 1) // 4], ordered[seeds - 1 - (seeds - 1) // 4]
    upper = np.where(np.isfinite(upper), upper, np.nan)
    ended = ~np.isfinite(median)
    for line in (median, lower, upper):
        line[ended] = np.nan
    return median, lower, upper


def _silence(test: RangeCurve, lrs: np.ndarray, losses: np.ndarray) -> str | None:
    """Return the reason why the curve supports no suggestion, or None if it does."""
    if len(lrs) < 2:
        last = test.learning_rates[test.points - 1]
        why = f"training diverged after {test.points} steps, at learning rate {last:.3g}"
        return f"{why}; lower the start of the range"
    noise = _noise(test)
    fall = float(np.max(losses) - np.min(losses))
    if fall < NOISE * noise:
        why = f"the loss changes by {fall:.2g} nats, too little compared to {noise:.2g} between seeds"
        return f"{why}; raise the end of the range or use more steps"
    return None


def _noise(test: RangeCurve) -> float:
    """Return the typical band between the seeds' quartiles, nats per character."""
    spread = (test.upper - test.lower)[test.window - 1 : test.points : test.window]
    known = spread[np.isfinite(spread)]
    return float(np.median(known)) if len(known) else 0.0


def _suggest(
    test: RangeCurve, rule: Callable[[np.ndarray, np.ndarray], float], lrs: np.ndarray, losses: np.ndarray
) -> tuple[float | None, str]:
    try:
        rate = rule(lrs, losses)
    except RangeTestError as error:
        return None, str(error)
    if rate < test.learning_rates[0]:
        return rate, "below the tested range; lower its start to see the loss there"
    if losses.argmin() == len(losses) - 1 and not test.stopped:
        return rate, "the loss still falls at the end of the range; a higher end may change this"
    seeds = len(test.seeds)
    return rate, f"from the median of {seeds} seeds" if seeds > 1 else "from one seed"
