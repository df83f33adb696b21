"""Choose the tanh units that a step drops.

A unit's random number is a hash of (seed, step, layer, example of the minibatch, unit), so a run can be cut
and resumed anywhere, and every engine drops the same units. The 64-bit key of a row of units is an output of
SplitMix64; within the row, 32-bit numbers suffice and are fast to vectorise.
"""

import numpy as np

from sweep.definition.seeds import splitmix64

STRIDE = 0x9E3779B9
"""Difference between the numbers of neighbouring units: 2**32 / golden ratio, odd."""

MIX = (0x7FEB352D, 0x846CA68B)
"""Multipliers of the 32-bit mix.

References:
    Wellons, "Prospecting for Hash Functions", 2018 (``lowbias32``).
"""


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
    z = high[:, None] + np.arange(units, dtype=np.uint32) * np.uint32(STRIDE)
    z = (z ^ (z >> np.uint32(16))) * np.uint32(MIX[0]) ^ low[:, None]
    z = (z ^ (z >> np.uint32(15))) * np.uint32(MIX[1])
    kept: np.ndarray = (z ^ (z >> np.uint32(16))) >= np.uint32(drop_limit(dropout))
    return kept
