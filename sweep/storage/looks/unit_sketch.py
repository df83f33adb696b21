"""Summarise a set of units so that its overlap with another set can be estimated later, without the units.

A unit is a text, such as a word; equal units must be spelled the same. A sketch contains the lowest ``SIZE``
of the units' keyed 64-bit hashes. Without the key, nobody can test whether a unit is in the set.

References:
    Bar-Yossef, Jayram, Kumar, Sivakumar, Trevisan, "Counting Distinct Elements in a Data Stream", 2002.
    Beyer, Haas, Reinwald, Sismanis, Gemulla, "On Synopses for Distinct-Value Estimation", 2007.
"""

import base64
import dataclasses
import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

SIZE = 1024
"""Most hashes in a sketch."""

KEY_BYTES = 32

_BYTES = 8
_HIGHEST = 2**64 - 1


class Overlap(NamedTuple):
    """The overlap of a set of units with other sets."""

    share: float
    """Fraction of the units, from 0 to 1."""
    compared: int
    """Number of units used for the estimate, which is exact if it used all of them."""
    units: int
    """Number of distinct units of the set."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitSketch:
    """The lowest hashes of a set of units.

    Raises:
        ValueError: If the fields are inconsistent.
    """

    key_id: str
    """16 hex digits; sketches of different keys cannot be compared."""
    words: int
    """Number of distinct units of the set; databases and ledgers store it by this name."""
    lowest: str
    """The hashes, ascending, 8 bytes each, big-endian, in base64."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{16}", self.key_id):
            raise ValueError("key_id must be 16 hex digits")
        if len(self.hashes) != min(self.words, SIZE):
            raise ValueError(f"a sketch of {self.words} units has {len(self.hashes)} hashes")

    @property
    def hashes(self) -> frozenset[int]:
        """The hashes as numbers."""
        raw = base64.b64decode(self.lowest, validate=True)
        if len(raw) % _BYTES:
            raise ValueError(f"{len(raw)} bytes are no whole number of hashes")
        return frozenset(struct.unpack(f">{len(raw) // _BYTES}Q", raw))

    @property
    def limit(self) -> int:
        """The hash up to which the sketch contains every unit of the set."""
        return max(self.hashes) if self.words > SIZE else _HIGHEST

    @classmethod
    def of(cls, units: Iterable[str], key: bytes) -> Self:
        """Return the sketch of some units; duplicates count once."""
        hashes = unit_hashes(units, key)
        kept = sorted(hashes)[:SIZE]
        lowest = struct.pack(f">{len(kept)}Q", *kept)
        return cls(key_id=key_id(key), words=len(hashes), lowest=base64.b64encode(lowest).decode())


def key_id(key: bytes) -> str:
    """Return an identifier of a key that does not reveal it."""
    return hashlib.blake2b(key=key, digest_size=_BYTES, person=b"sweep key id").hexdigest()


def unit_hashes(units: Iterable[str], key: bytes) -> set[int]:
    """Return the keyed hash of each distinct unit."""
    return {_hash(unit, key) for unit in set(units)}


def estimate_overlap(hashes: set[int], sketches: Sequence[UnitSketch]) -> Overlap:
    """Return the overlap of some units with the union of the sketched sets.

    For units with hashes up to the lowest limit of the sketches, membership is known; their share is the
    estimate. A sketch of a large set has a low limit. So the largest sets are omitted one after another,
    which uses more units and underestimates the overlap, and the highest estimate is returned.

    Args:
        hashes: ``unit_hashes`` of the units, at least one, with the key of the sketches.
        sketches: Sketches of the other sets.
    """
    finest_first = sorted(sketches, key=lambda sketch: sketch.limit, reverse=True)
    known = set[int]()
    best = Overlap(0.0, len(hashes), len(hashes))
    for sketch in finest_first:
        known |= sketch.hashes
        limit = sketch.limit  # decodes the sketch
        compared = {each for each in hashes if each <= limit}
        share = len(compared & known) / max(len(compared), 1)
        if share > best.share or sketch is finest_first[0]:
            best = Overlap(share, len(compared), len(hashes))
    return best


def _hash(unit: str, key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(unit.encode(), key=key, digest_size=_BYTES).digest())
