"""Draw the random numbers of a run: initial weights, minibatches and dropped units.

Minibatches come from SplitMix64, whose k-th output is a mix of ``key + k * GAMMA``: a counter-based generator
with random access. A unit's number is a hash of (seed, step, layer, example of the minibatch, unit). So a
run can be cut and resumed anywhere, and every engine draws the same numbers. The 64-bit key of a row of units
is an output of SplitMix64; within the row, 32-bit numbers suffice and are fast to vectorise.

References:
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
"""

import numpy as np

from sweep.definition.seeds import stream_key

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
"""Increment and multipliers of SplitMix64."""

UNIT_STRIDE = 0x9E3779B9
"""Difference between the numbers of neighbouring units: 2**32 / golden ratio, odd."""

UNIT_MIX = (0x7FEB352D, 0x846CA68B)
"""Multipliers of the 32-bit mix.

References:
    Wellons, "Prospecting for Hash Functions", 2018 (``lowbias32``).
"""


def splitmix64(key: int, counters: np.ndarray) -> np.ndarray:
    """Return the outputs at ``counters`` of the SplitMix64 sequence that starts at ``key``.

    Args:
        key: State of the generator before its first output, 64 bits.
        counters: Indices of the outputs, from 0, uint64, any shape.

    Returns:
        Uniform 64-bit integers, same shape.
    """
    with np.errstate(over="ignore"):
        z = np.uint64(key) + (counters + np.uint64(1)) * GAMMA
        z = (z ^ (z >> np.uint64(30))) * MIX_1
        z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


def minibatch_indices(key: int, first_step: int, steps: int, batch_size: int, n: int) -> np.ndarray:
    """Draw the training examples of consecutive steps, uniformly with replacement.

    The top 32 bits are scaled to ``[0, n)``, with a bias below n / 2**32.

    Args:
        key: ``stream_key(seed, "batch")``.
        first_step: First step, from 0.
        steps: Number of steps.
        batch_size: Examples per step.
        n: Number of training examples, below 2**32.

    Returns:
        Indices below ``n``, int64, shape (steps, batch_size).
    """
    first = first_step * batch_size
    counters = np.arange(first, first + steps * batch_size, dtype=np.uint64)
    high = splitmix64(key, counters) >> np.uint64(32)
    return ((high * np.uint64(n)) >> np.uint64(32)).astype(np.int64).reshape(steps, batch_size)


def generator(seed: int, stream: str) -> np.random.Generator:
    """Return NumPy's Philox generator for one named stream of a seed."""
    return np.random.Generator(np.random.Philox(key=stream_key(seed, stream)))


def first_row(step: int, layer: int, batch_size: int, hidden_layers: int) -> int:
    """Return the index of a layer's first row of units, counted over examples, layers and steps."""
    return (step * hidden_layers + layer - 1) * batch_size


def drop_limit(dropout: float) -> int:
    """Return the 32-bit limit: units with numbers below it are dropped."""
    return int(dropout * 2**32)


def kept_units(key: int, first: int, shape: tuple[int, int], dropout: float) -> np.ndarray:
    """Return which units are kept, bool, shape (B, H).

    Args:
        key: ``stream_key(seed, "dropout")``.
        first: ``first_row`` of the step and layer.
        shape: Examples B and units H.
        dropout: Probability that a unit is dropped.
    """
    size, units = shape
    rows = splitmix64(key, np.arange(first, first + size, dtype=np.uint64))
    high, low = (rows >> np.uint64(32)).astype(np.uint32), rows.astype(np.uint32)
    z = high[:, None] + np.arange(units, dtype=np.uint32) * np.uint32(UNIT_STRIDE)
    z = (z ^ (z >> np.uint32(16))) * np.uint32(UNIT_MIX[0]) ^ low[:, None]
    z = (z ^ (z >> np.uint32(15))) * np.uint32(UNIT_MIX[1])
    kept: np.ndarray = (z ^ (z >> np.uint32(16))) >= np.uint32(drop_limit(dropout))
    return kept
