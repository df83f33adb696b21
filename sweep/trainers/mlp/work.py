"""How much work is a training? Compared among configurations before any of them is trained."""

from sweep.trainers.mlp.config import TrainConfig

_FIXED_WORK = 140_000
"""Multiply-adds that take as long as the part of a step that does not depend on any shape."""

_RESIDUAL = 1.4
"""Multiply-adds that the B H^2 of a residual layer are worth: three products, but at a higher rate."""

_UPDATE = 14
"""Multiply-adds that AdamW's update of one parameter is worth: a root, a division, six numbers moved."""


def multiply_adds(config: TrainConfig, vocabulary_size: int) -> float:
    """Return multiply-adds over all steps, with those that a step's fixed part is worth.

    The first layer is factored through the vocabulary, as in engine ``fused``: a table of T D H V, then
    T H to look up and 2 H V for the logits and back, for each example. Against 36 measured shapes, from
    7 to 180 microseconds a step, the estimate is within a factor of 1.6, at the root mean square 1.18. What
    further layers and AdamW add was fitted to ten more (``tests/benchmarks/bench_optimizers.py``).
    """
    t, h, v = config.block_size, config.hidden_neurons, vocabulary_size
    step = config.batch_size * h * (t + 2 * v) + t * config.embedding_dim * h * v
    further = _RESIDUAL * (config.hidden_layers - 1) * config.batch_size * h**2
    update = _UPDATE * config.n_params(vocabulary_size) if config.optimizer == "adamw" else 0
    return config.num_steps * (_FIXED_WORK + step + further + update)
