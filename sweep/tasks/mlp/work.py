"""How much work is a training? Compared among configurations before any of them is trained."""

from sweep.tasks.mlp.config import TrainConfig

_FIXED_WORK = 140_000
"""Multiply-adds that take as long as the part of a step that does not depend on any shape."""


def multiply_adds(config: TrainConfig, vocabulary_size: int) -> float:
    """Return multiply-adds over all steps, with those that a step's fixed part is worth.

    The first layer is factored through the vocabulary, as in engine ``fused``: a table of T D H V, then
    T H to look up and 2 H V for the logits and back, for each example. Against 36 measured shapes, from
    7 to 180 microseconds a step, the estimate is within a factor of 1.6, at the root mean square 1.18.
    """
    t, h, v = config.block_size, config.hidden_neurons, vocabulary_size
    step = config.batch_size * h * (t + 2 * v) + t * config.embedding_dim * h * v
    return config.num_steps * (_FIXED_WORK + step)
