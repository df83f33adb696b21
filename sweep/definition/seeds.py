"""Derive seeds and random numbers of runs.

All randomness in a run is a pure function of its seed, so that the results do not depend on interruptions or
on which process ran it. Minibatches come from SplitMix64, whose k-th output is a mix of ``key + k * GAMMA``:
a counter-based generator with random access.

References:
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
"""

import hashlib

import numpy as np

PARTS = ("search", "choice", "certify")
"""Parts of the work, each with its own range of seeds."""

GAMMA = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)


def derive_seed(*parts: object) -> int:
    """Return a hash of ``parts`` as a seed from 0 to 2**32 - 1, equal on every machine."""
    return int.from_bytes(_digest(parts)[:4], "big")


def part_seed(bound: int, part: str, *names: object) -> int:
    """Return a seed below ``bound`` in the range of one part; equal ``names`` give equal seeds.

    The ranges are equal thirds, so that a confirmation never reuses a seed of the search.

    Args:
        bound: Exclusive upper bound of the trainer's seeds.
        part: One of ``PARTS``.
        names: Purpose of the seed.

    Examples:
        >>> part_seed(3 * 2**32, "choice", "5f", 0) >= 2**32
        True
    """
    size = bound // len(PARTS)
    return size * PARTS.index(part) + derive_seed(*names) % size


def stream_key(seed: int, stream: str) -> int:
    """Return the 64-bit key of one named stream (``"init"``, ``"batch"``, ...) of a seed."""
    return int.from_bytes(_digest((stream, seed))[:8], "big")


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


def _digest(parts: tuple[object, ...]) -> bytes:
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
