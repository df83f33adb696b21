"""Choose an engine, a function that trains steps; all give the same results up to rounding.

An engine is a function ``(config, examples, state, learning_rates, device) -> (state, losses)`` that trains
one step for each learning rate, from ``state.step`` on, and returns the new state and the minibatch loss of
each step (nats per character, float32). It does not change its arguments. Each is loaded when it is first
called, so that a driver, which trains nothing, loads none.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import DeviceError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples

if TYPE_CHECKING:
    from sweep.trainers.mlp.engines.batch import Job

Engine = Callable[[TrainConfig, Examples, TrainState, np.ndarray, str], tuple[TrainState, np.ndarray]]


def _autograd(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Run ``autograd.train``, which loads torch."""
    from sweep.trainers.mlp.engines import autograd

    return autograd.train(config, examples, state, learning_rates, device)


def _fused(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Run ``fused.train``; Numba is loaded with it."""
    from sweep.trainers.mlp.engines import fused

    return fused.train(config, examples, state, learning_rates, device)


def _population(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Run ``population.train``, which loads Numba."""
    from sweep.trainers.mlp.engines import population

    return population.train(config, examples, state, learning_rates, device)


def _population_batch(jobs: "Sequence[Job]", device: str) -> list[tuple[TrainState, np.ndarray]]:
    """Run ``population.train_batch``."""
    from sweep.trainers.mlp.engines import population

    return population.train_batch(jobs, device)


ENGINES: dict[str, Engine] = {"autograd": _autograd, "fused": _fused, "population": _population}

BATCH_ENGINES = {"population": _population_batch}
"""Engines that can train many runs at a time."""

GPU_PLACES = 128
"""Number of segments on a GPU at a time: one block each, one per multiprocessor (an H100 has 132)."""

DEFAULT_ENGINE = {"cpu": "fused", "cuda": "autograd"}
"""Kind of device -> default engine.

``population`` has not been measured on a GPU yet, so it is not the default there.
"""


def check_engine(name: str, device: str) -> None:
    """Refuse an engine that does not exist or does not run on a device.

    Raises:
        DeviceError: If the engine is refused, or a library that it needs is not installed.
    """
    if name not in ENGINES:
        raise DeviceError(f"unknown engine {name!r}; known: {', '.join(ENGINES)}", key="no-engine")
    if name == DEFAULT_ENGINE["cpu"] and device != "cpu":
        raise DeviceError(f"engine {name} does not run on {device}; use --device cpu")
    if name in BATCH_ENGINES and device != "cpu":
        from sweep.trainers.mlp.engines.gpu import check_installed

        check_installed()
