"""Small examples for engines, and the comparison of two states."""

import string

import numpy as np

from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.corpus import encode_words
from sweep.trainers.mlp.words.examples import Examples, build_examples


def small_examples(block_size: int, n_symbols: int = 27, n_words: int = 60) -> Examples:
    """Return the examples of random words over ``n_symbols`` symbols, the end mark included."""
    alphabet = (string.ascii_lowercase + "".join(map(chr, range(0x400, 0x800))))[: n_symbols - 1]
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list(alphabet), draw.integers(1, 9))) for _ in range(n_words)]
    return build_examples(encode_words(words, (".", *alphabet)), block_size)


def assert_equal_states(left: TrainState, right: TrainState) -> None:
    assert left.step == right.step
    assert len(left.moments) == len(right.moments)
    pairs = ((left.parameters, right.parameters), (left.velocity, right.velocity))
    for one, other in (*pairs, *zip(left.moments, right.moments, strict=True)):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
