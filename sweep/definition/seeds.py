"""Derive the seeds of runs and the keys of their streams of random numbers.

All randomness in a run is a pure function of its seed, so that the results do not depend on interruptions or
on which process ran it.
"""

import hashlib

PARTS = ("search", "choice", "certify")
"""Parts of the work, each with its own range of seeds."""


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


def _digest(parts: tuple[object, ...]) -> bytes:
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
