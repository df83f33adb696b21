"""Estimate the memory of a process that trains a configuration.

The estimate uses only shapes, so that a configuration that cannot fit is refused before training. It is the
sum of the permanent arrays and the largest temporary ones. ``tests/benchmarks/bench_memory.py`` compares it
with the measured peak for several shapes: they differ by at most a factor of 1.5.

With V symbols, T ``block_size``, D ``embedding_dim``, H ``hidden_neurons`` and B ``batch_size``:

    stays   the libraries; the examples of both splits; the state as received, and as arrays
    steps   padded parameters, gradients, momentum or moments, W2 once more, the new state, and a minibatch's
            arrays, with two more for each further hidden layer
    loss    the parameters as tensors; ``ROWS_AT_ONCE`` rows of T D, H and V numbers
    result  the new state as bytes, twice, because it is sent to another process
    build   integer arrays over the examples, before all of that

Examples of other block sizes that a process keeps (``training.KEPT_BYTES``) are not included.
"""

import math

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.words.corpus import BYTE_SYMBOLS, Corpus, EncodedWords

LIBRARIES = 440_000_000
"""Python, torch, Numba and the compiled engine, measured after one step on ``data/names.txt``."""

ROWS_AT_ONCE = 4_096
"""Equal to ``evaluation.ROWS_AT_ONCE``; repeated here, because importing that module loads torch."""

_LONGEST_SEGMENT = 0.6
"""Fraction of a run's steps in its longest segment."""

_BYTES_A_STEP = 32
"""Bytes per step of learning rates, step numbers and losses."""


def worker_bytes(config: TrainConfig, corpus: Corpus, *, device: str) -> int:
    """Return the peak memory of a process on this machine that trains a configuration.

    Args:
        config: The configuration; its seed and rates are ignored.
        corpus: The data.
        device: On a GPU, the arrays of the steps and of the loss are in the GPU's memory and not counted.
    """
    n = config.n_params(corpus.vocabulary_size)
    state = 4 * n * (2 + _buffers(config))  # parameters, average of snapshots, optimizer state
    stays = LIBRARIES + _example_bytes(config, corpus) + 2 * state
    passing = [_build_bytes(config, corpus), 2 * state]
    if device == "cpu":
        passing += [_step_bytes(config, corpus), _loss_bytes(config, corpus)]
    return stays + max(passing) + int(_LONGEST_SEGMENT * config.num_steps * _BYTES_A_STEP)


def _example_bytes(config: TrainConfig, corpus: Corpus) -> int:
    """Return the bytes of the examples of both splits; dev has three numbers for each pair."""
    rows = corpus.train.n_examples + corpus.dev.n_examples
    return rows * (config.block_size + 1) * _symbol_bytes(corpus) + 24 * corpus.dev.n_examples


def _build_bytes(config: TrainConfig, corpus: Corpus) -> int:
    """Return the temporary bytes of building the examples: indices of targets, sorted copies of dev."""

    def places(words: EncodedWords) -> int:
        return 48 * words.n_examples + len(words.lengths) * config.block_size * _symbol_bytes(corpus)

    row = (config.block_size + 1) * _symbol_bytes(corpus)
    return max(places(corpus.train), places(corpus.dev) + 4 * corpus.dev.n_examples * row)


def _step_bytes(config: TrainConfig, corpus: Corpus) -> int:
    """Return the bytes of ``engines.fused``'s arrays: the model's and a minibatch's."""
    shapes = config.parameter_shapes(corpus.vocabulary_size)
    padded = sum(math.prod(map(_whole, shape)) for shape in shapes.values())
    new_state = config.n_params(corpus.vocabulary_size) * (1 + _buffers(config))
    model = padded * (2 + _buffers(config)) + math.prod(map(_whole, shapes["W2"])) + new_state
    present = config.block_size * min(config.batch_size, corpus.vocabulary_size)
    widths = [_whole(n) for n in (config.embedding_dim, config.hidden_neurons, corpus.vocabulary_size)]
    a_row = 2 * config.hidden_layers * widths[1] + widths[2] + 2 * config.block_size
    return 4 * (model + config.batch_size * a_row + present * (2 * widths[0] + widths[1]))


def _loss_bytes(config: TrainConfig, corpus: Corpus) -> int:
    """Return the bytes of ``evaluation``'s arrays: at most three layers exist at a time."""
    rows = min(ROWS_AT_ONCE, corpus.dev.n_examples)
    inputs = config.block_size * config.embedding_dim
    residual = 4 * config.hidden_neurons if config.hidden_layers > 1 else 0
    a_row = max(inputs + 2 * config.hidden_neurons, residual, config.hidden_neurons + corpus.vocabulary_size)
    return 4 * (config.n_params(corpus.vocabulary_size) + rows * a_row)


def _buffers(config: TrainConfig) -> int:
    """Return the number of values that an optimizer keeps for each parameter."""
    return 2 if config.optimizer == "adamw" else int(config.momentum > 0)


def _symbol_bytes(corpus: Corpus) -> int:
    return 1 if corpus.vocabulary_size <= BYTE_SYMBOLS else 2


def _whole(n: int) -> int:
    """Return a length as the fused engine pads it, to a multiple of 16."""
    return -(-n // 16) * 16
