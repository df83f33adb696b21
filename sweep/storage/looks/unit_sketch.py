"""Summarises a set of units so that its overlap with another set can be estimated later, without the units.

A unit is a text, such as a word; units that count as the same must be written alike. A sketch holds the
lowest ``SIZE`` of the units' keyed 64-bit hashes. Whoever lacks the key cannot test whether a unit was
among them.

References:
    Bar-Yossef, Jayram, Kumar, Sivakumar, Trevisan, "Counting Distinct Elements in a Data Stream", 2002.
    Beyer, Haas, Reinwald, Sismanis, Gemulla, "On Synopses for Distinct-Value Estimation", 2007.
"""

import base64
import dataclasses
import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import numpy as np

SIZE = 1024
"""Hashes that a sketch holds at most."""

KEY_BYTES = 32

_BYTES = 8
_HIGHEST = 2**64 - 1


class Overlap(NamedTuple):
    """How much of a set of units other sets hold."""

    share: float
    """Part of the units, from 0 to 1."""
    compared: int
    """Units that the share was estimated from; it is exact if that is all of them."""
    units: int
    """Distinct units of the set."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitSketch:
    """The lowest hashes of a set of units.

    Raises:
        ValueError: If the fields do not belong together.
    """

    key_id: str
    """16 hex digits; sketches of different keys cannot be compared."""
    words: int
    """Distinct units of the set, under the name that databases and ledgers store."""
    lowest: str
    """The hashes, ascending, 8 bytes each, big-endian, in base64."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{16}", self.key_id):
            raise ValueError("key_id must be 16 hex digits")
        if len(self.hashes) != min(self.words, SIZE):
            raise ValueError(f"a sketch of {self.words} units holds {len(self.hashes)} hashes")

    @property
    def hashes(self) -> frozenset[int]:
        """The hashes as numbers."""
        raw = base64.b64decode(self.lowest, validate=True)
        return frozenset(np.frombuffer(raw, ">u8").tolist())

    @property
    def limit(self) -> int:
        """The hash up to which the sketch holds every unit of the set."""
        return max(self.hashes) if self.words > SIZE else _HIGHEST

    @classmethod
    def of(cls, units: Iterable[str], key: bytes) -> Self:
        """Return the sketch of some units; repeats count once."""
        hashes = unit_hashes(units, key)
        lowest = np.array(sorted(hashes)[:SIZE], ">u8").tobytes()
        return cls(key_id=key_id(key), words=len(hashes), lowest=base64.b64encode(lowest).decode())


def key_id(key: bytes) -> str:
    """Return what tells keys apart and does not give them away."""
    return hashlib.blake2b(key=key, digest_size=_BYTES, person=b"sweep key id").hexdigest()


def unit_hashes(units: Iterable[str], key: bytes) -> set[int]:
    """Return the keyed hash of each distinct unit."""
    return {_hash(unit, key) for unit in set(units)}


def estimate_overlap(hashes: set[int], sketches: Sequence[UnitSketch]) -> Overlap:
    """Return how many of some units occur in at least one of the sketched sets.

    Up to the lowest limit of some sketches it is known of each unit whether it does; the share among those
    units is the estimate. A sketch of a large set has a low limit, so the estimate is also made without the
    largest sets, one after the other, which finds at most as much, from more units; the highest counts.

    Args:
        hashes: ``unit_hashes`` of the units, at least one, with the key of the sketches.
        sketches: Of the other sets.
    """
    finest_first = sorted(sketches, key=lambda sketch: sketch.limit, reverse=True)
    known = set[int]()
    best = Overlap(0.0, len(hashes), len(hashes))
    for sketch in finest_first:
        known |= sketch.hashes
        limit = sketch.limit  # which decodes the sketch
        compared = {each for each in hashes if each <= limit}
        share = len(compared & known) / max(len(compared), 1)
        if share > best.share or sketch is finest_first[0]:
            best = Overlap(share, len(compared), len(hashes))
    return best


def _hash(unit: str, key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(unit.encode(), key=key, digest_size=_BYTES).digest())
