"""Estimate the work of a training, to compare configurations before they are trained."""

from sweep.trainers.mlp.config import TrainConfig

_FIXED_WORK = 140_000
"""Multiply-adds that take as long as the constant part of a step."""

_RESIDUAL = 1.4
"""Equivalent multiply-adds per B H^2 of a residual layer: three products, but at a higher rate."""

_UPDATE = 14
"""Equivalent multiply-adds of AdamW's update of one parameter: a root, a division, six memory accesses."""


def multiply_adds(config: TrainConfig, vocabulary_size: int) -> float:
    """Return the multiply-adds of all steps, including the equivalent of each step's constant part.

    The first layer is factored through the vocabulary, as in engine ``fused``: a table of T D H V, then T H
    for lookup and 2 H V for the logits and their gradient, for each example. For 36 measured shapes, from 7
    to 180 microseconds per step, the estimate is within a factor of 1.6, with a root mean square of 1.18. The
    terms of further layers and AdamW were fitted to ten more (``tests/benchmarks/bench_optimizers.py``).
    """
    t, h, v = config.block_size, config.hidden_neurons, vocabulary_size
    step = config.batch_size * h * (t + 2 * v) + t * config.embedding_dim * h * v
    further = _RESIDUAL * (config.hidden_layers - 1) * config.batch_size * h**2
    update = _UPDATE * config.n_params(vocabulary_size) if config.optimizer == "adamw" else 0
    return config.num_steps * (_FIXED_WORK + step + further + update)
