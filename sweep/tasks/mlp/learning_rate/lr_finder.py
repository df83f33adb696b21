"""How high may the learning rate be?

The range test trains a fresh model while the learning rate grows geometrically, on several
seeds, and keeps each step's raw loss. What is smoothed is a copy. Nothing is drawn here.

References:
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2015.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from sweep.definition.seeds import derive_seed
from sweep.errors import RangeTestError
from sweep.smoothing import smooth
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.engines import ENGINES
from sweep.tasks.mlp.engines.devices import default_engine
from sweep.tasks.mlp.learning_rate.lr_suggestions import RULES
from sweep.tasks.mlp.state import TrainState
from sweep.tasks.mlp.training import train_examples
from sweep.tasks.mlp.words.corpus import Corpus

DIVERGED = 4.0
"""A seed stops when its smoothed loss is above so many times its best so far."""

SMOOTHED_SHARE = 0.05
"""Part of the range that the moving average looks back on."""

NOISE = 3.0
"""The curve must move by so many times the typical band between the seeds' quartiles: that of
a few seeds that learn nothing moves by about twice the band."""

RATE_RANGES = {"sgd": (1e-3, 1.0), "adamw": (1e-5, 0.1)}
"""Optimizer -> rates of the first and last step if none are given: AdamW's steps do not shrink with the
gradient, so its rates are about a hundredth of SGD's."""

_CHUNK = 50
"""Steps between two looks at whether a seed has diverged."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeCurve:
    """Raw losses of a range test, and the curve made from them.

    ``median``, ``lower`` and ``upper`` are taken at each step over the seeds' smoothed losses,
    a stopped seed counting as infinitely high, so the seeds that are left cannot make the curve
    look better. The curve ends (NaN) where half of the seeds have stopped.
    """

    learning_rates: np.ndarray
    """Rate of each step, growing geometrically, float64 (rounded to float32 to train), shape (N,)."""
    seeds: tuple[int, ...]
    """Seed of each run, S of them."""
    raw: np.ndarray
    """Minibatch loss, nats per character, NaN after a seed stopped, float64, shape (S, N)."""
    median: np.ndarray
    """Median over the seeds of the smoothed loss, shape (N,)."""
    lower: np.ndarray
    """Lower quartile over the seeds: a measured value, the nearest below, shape (N,)."""
    upper: np.ndarray
    """Upper quartile over the seeds: a measured value, the nearest above; NaN once a seed that
    it needs has stopped, shape (N,)."""

    @property
    def points(self) -> int:
        """Steps that the curve covers."""
        return int(np.isfinite(self.median).sum())

    @property
    def window(self) -> int:
        """Steps that the moving average looks back on."""
        return smoothing_window(len(self.learning_rates))

    @property
    def stopped(self) -> int:
        """How many seeds diverged before the last step."""
        return int(np.isnan(self.raw[:, -1]).sum())


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RangeTest(RangeCurve):
    """A range test: its curve, and what was tested where."""

    config: TrainConfig
    """The configuration; its learning rate and schedule play no part."""
    data_sha256: str
    """Hash of the words file."""
    engine: str
    device: str


def range_test(
    config: TrainConfig,
    corpus: Corpus,
    *,
    seeds: int = 5,
    low: float | None = None,
    high: float | None = None,
    steps: int = 1_000,
    engine: str | None = None,
    device: str = "cpu",
) -> RangeTest:
    """Train from the beginning with growing learning rates, once a seed.

    A seed stops when its smoothed loss exceeds four times its best so far or is not finite.

    Args:
        config: What is trained; ``num_steps``, ``learning_rate`` and the schedule play no part.
        corpus: Only its train part is used.
        seeds: How many runs; seed k is a hash of the configuration's seed and k.
        low: Learning rate of the first step; None takes that of ``RATE_RANGES``.
        high: The same of the last step.
        steps: Steps of a run.
        engine: One of ``ENGINES``; None takes the device's default.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        RangeTestError: If the range breaks a rule, or half of the seeds diverge within 2 steps.
    """
    usual_low, usual_high = RATE_RANGES[config.optimizer]
    rates = _learning_rates(usual_low if low is None else low, usual_high if high is None else high, steps)
    engine = engine or default_engine(device)
    curve = _tested_curve(config, corpus, rates, seeds, engine=engine, device=device)
    return RangeTest(
        **{field.name: getattr(curve, field.name) for field in dataclasses.fields(curve)},
        config=config,
        data_sha256=corpus.sha256,
        engine=engine,
        device=device,
    )


def _tested_curve(
    config: TrainConfig, corpus: Corpus, rates: np.ndarray, seeds: int, *, engine: str, device: str
) -> RangeCurve:
    """Train each seed; refuse a curve that ends before its second point."""
    if seeds < 1:
        raise RangeTestError(f"seeds must be at least 1, got {seeds}")
    roots = tuple(derive_seed(config.seed, "lr-find", k) for k in range(seeds))
    runs = [_run(config.replace(seed=seed), corpus, rates, engine, device) for seed in roots]
    curve = range_curve(rates, roots, np.stack(runs))
    if curve.points < 2:
        raise RangeTestError(
            f"training diverged at once: fewer than 2 finite losses from learning rate {rates[0]:.3g} on; "
            "lower the start of the range"
        )
    return curve


def range_curve(rates: np.ndarray, seeds: tuple[int, ...], raw: np.ndarray) -> RangeCurve:
    """Make the curve of raw losses.

    Args:
        rates: Learning rate of each step, growing geometrically, shape (N,).
        seeds: Seed of each run, S of them.
        raw: Minibatch loss of each seed and step, NaN after a seed stopped, shape (S, N).
    """
    window = smoothing_window(len(rates))
    smoothed = np.stack([smooth(losses, window) for losses in raw])
    for line in smoothed:
        line[_end_of(line) :] = np.inf
    median, lower, upper = _summary(smoothed)
    return RangeCurve(learning_rates=rates, seeds=seeds, raw=raw, median=median, lower=lower, upper=upper)


def suggestions(test: RangeCurve) -> dict[str, tuple[float | None, str]]:
    """Return what each rule suggests: name -> (learning rate or None, why).

    The rules read the median once a smoothing window, from the end of the first one on: points
    that are closer share most of their minibatches, and the slope between them is noise.
    """
    lrs, losses = settled_curve(test)
    silence = _silence(test, lrs, losses)
    if silence:
        return dict.fromkeys(RULES, (None, silence))
    return {name: _suggest(test, rule, lrs, losses) for name, rule in RULES.items()}


def settled_curve(test: RangeCurve) -> tuple[np.ndarray, np.ndarray]:
    """Return the median at the end of each smoothing window, as far as the curve goes."""
    ends = slice(test.window - 1, test.points, test.window)
    return test.learning_rates[ends], test.median[ends]


def smoothing_window(steps: int) -> int:
    """Return how many steps ``SMOOTHED_SHARE`` of a run is, at least 1 (no smoothing)."""
    return max(1, int(steps * SMOOTHED_SHARE))


def _learning_rates(low: float, high: float, steps: int) -> np.ndarray:
    if steps < 2:
        raise RangeTestError(f"a range test needs at least 2 steps, got {steps}")
    for name, rate in (("start", low), ("end", high)):
        if not (math.isfinite(rate) and rate > 0):
            raise RangeTestError(f"the {name} of the range must be above 0 and finite, got {rate}")
    if low >= high:
        raise RangeTestError(f"the range must start below its end, got {low:g} to {high:g}")
    with np.errstate(over="ignore", under="ignore"):
        rates = np.geomspace(low, high, steps)
        trained = rates.astype(np.float32)
    if trained[0] == 0 or not np.isfinite(trained[-1]) or (np.diff(trained) <= 0).any():
        raise RangeTestError(
            f"float32 cannot tell {steps:,} rates from {low:g} to {high:g} apart; widen the range"
        )
    return rates


def _run(config: TrainConfig, corpus: Corpus, rates: np.ndarray, engine: str, device: str) -> np.ndarray:
    """Train one seed until it diverges; return its raw losses, NaN after the one at which it did."""
    examples = train_examples(corpus, config.block_size)
    state = TrainState.initial(config, corpus.vocabulary_size)
    window, end = smoothing_window(len(rates)), 0
    raw = np.full(len(rates), np.nan)
    for first in range(0, len(rates), _CHUNK):
        until = min(first + _CHUNK, len(rates))
        chunk = rates[first:until].astype(np.float32)
        state, raw[first:until] = ENGINES[engine](config, examples, state, chunk, device)
        end = _end_of(smooth(raw[:until], window))
        if end < until:
            break
    raw[end + 1 :] = np.nan
    raw[~np.isfinite(raw)] = np.nan
    return raw


def _end_of(smoothed: np.ndarray) -> int:
    """Return how many steps come before the run diverged: all, if it did not."""
    over = ~np.isfinite(smoothed) | (smoothed > DIVERGED * np.minimum.accumulate(smoothed))
    return int(over.argmax()) if over.any() else len(smoothed)


def _summary(smoothed: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return median, lower and upper quartile over the seeds, NaN where the median is infinite.

    The quartiles are measured values, the nearest outside: of five seeds the second and fourth.
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
    """Return why the curve says nothing, or None if it does."""
    if len(lrs) < 2:
        last = test.learning_rates[test.points - 1]
        why = f"training diverged after {test.points} steps, at learning rate {last:.3g}"
        return f"{why}; lower the start of the range"
    spread = (test.upper - test.lower)[test.window - 1 : test.points : test.window]
    known = spread[np.isfinite(spread)]
    noise = float(np.median(known)) if len(known) else 0.0
    fall = float(np.max(losses) - np.min(losses))
    if fall < NOISE * noise:
        why = f"the loss moves by {fall:.2g} nats, too little beside the {noise:.2g} between seeds"
        return f"{why}; raise the end of the range or take more steps"
    return None


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
