"""Compute the learning rate of each step.

A schedule is a pure function of the configuration and the step, so a run can be cut and resumed anywhere.
"""

import math

import numpy as np

from sweep.trainers.mlp.config import TrainConfig


def step_schedule(config: TrainConfig, steps: np.ndarray) -> np.ndarray:
    """Return ``learning_rate`` before ``decay_step``, and ``final_learning_rate`` from that step on.

    Examples:
        >>> config = TrainConfig(num_steps=10, decay_at=0.5)
        >>> step_schedule(config, np.array([0, 4, 5, 9])).tolist()
        [0.1, 0.1, 0.01, 0.01]
    """
    return np.where(steps < config.decay_step, config.learning_rate, config.final_learning_rate)


def cosine_schedule(config: TrainConfig, steps: np.ndarray) -> np.ndarray:
    """Return half a cosine from ``learning_rate`` at step 0 to ``final_learning_rate`` at the end.

    lr(s) = final + (first - final) (1 + cos(pi s / num_steps)) / 2.

    Examples:
        >>> config = TrainConfig(num_steps=10, learning_rate=0.2, final_learning_rate=0.1)
        >>> cosine_schedule(config, np.array([0, 5, 10])).round(3).tolist()
        [0.2, 0.15, 0.1]

    References:
        Loshchilov, Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
    """
    share = (1 + np.cos(math.pi * steps / config.num_steps)) / 2
    return config.final_learning_rate + (config.learning_rate - config.final_learning_rate) * share


SCHEDULE_FUNCTIONS = {"step": step_schedule, "cosine": cosine_schedule}


def learning_rates(config: TrainConfig, first_step: int, until_step: int) -> np.ndarray:
    """Return the learning rates of steps ``first_step`` to ``until_step - 1``, float32."""
    steps = np.arange(first_step, until_step)
    rates = SCHEDULE_FUNCTIONS[config.schedule](config, steps)
    return (rates * warmup_factors(config, steps) if config.warmup else rates).astype(np.float32)


def warmup_factors(config: TrainConfig, steps: np.ndarray) -> np.ndarray:
    """Return the factors of the schedule's rates: (s + 1) / (warmup num_steps), at most 1.

    Examples:
        >>> config = TrainConfig(num_steps=40, warmup=0.1)
        >>> warmup_factors(config, np.array([0, 1, 3, 20])).tolist()
        [0.25, 0.5, 1.0, 1.0]

    References:
        Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.
    """
    return np.minimum(1.0, (steps + 1) / (config.warmup * config.num_steps))
