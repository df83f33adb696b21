"""Run a learning rate range test.

The test trains a new model while the learning rate grows geometrically, on several seeds, and returns each
step's raw loss beside a smoothed copy. Nothing is drawn here.

References:
    Smith, "Cyclical Learning Rates for Training Neural Networks", 2015.
"""

import math

import numpy as np

from sweep.definition.seeds import derive_seed
from sweep.errors import RangeTestError
from sweep.smoothing import smooth
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.engines.devices import default_engine
from sweep.trainers.mlp.learning_rate.range_curve import (
    RangeCurve,
    RangeTest,
    end_of,
    range_curve,
    smoothing_window,
)
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import train_examples
from sweep.trainers.mlp.words.corpus import Corpus

RATE_RANGES = {"sgd": (1e-3, 1.0), "adamw": (1e-5, 0.1)}
"""Optimizer -> default rates of the first and last step. AdamW's steps do not shrink with the gradient, so
its rates are about a hundredth of SGD's."""

_CHUNK = 50
"""Number of steps between two checks for divergence."""


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
    """Train from the beginning with growing learning rates, once per seed.

    A seed stops when its smoothed loss exceeds four times its lowest so far, or is not finite.

    Args:
        config: The configuration; ``num_steps``, ``learning_rate`` and the schedule are ignored.
        corpus: The data; only the train part is used.
        seeds: Number of runs; seed k is a hash of the configuration's seed and k.
        low: Learning rate of the first step; by default that of ``RATE_RANGES``.
        high: Learning rate of the last step; by default that of ``RATE_RANGES``.
        steps: Number of steps of a run.
        engine: One of ``ENGINES``; None means the device's default.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        RangeTestError: If the range is invalid, or half of the seeds diverge within 2 steps.
    """
    usual_low, usual_high = RATE_RANGES[config.optimizer]
    rates = _learning_rates(usual_low if low is None else low, usual_high if high is None else high, steps)
    engine = engine or default_engine(device)
    curve = _tested_curve(config, corpus, rates, seeds, engine=engine, device=device)
    return RangeTest(
        curve=curve,
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
    """Train one seed until it diverges; return its raw losses, NaN after the divergence."""
    examples = train_examples(corpus, config.block_size)
    state = TrainState.initial(config, corpus.vocabulary_size)
    window, end = smoothing_window(len(rates)), 0
    raw = np.full(len(rates), np.nan)
    for first in range(0, len(rates), _CHUNK):
        until = min(first + _CHUNK, len(rates))
        chunk = rates[first:until].astype(np.float32)
        state, raw[first:until] = ENGINES[engine](config, examples, state, chunk, device)
        end = end_of(smooth(raw[:until], window))
        if end < until:
            break
    raw[end + 1 :] = np.nan
    raw[~np.isfinite(raw)] = np.nan
    return raw
