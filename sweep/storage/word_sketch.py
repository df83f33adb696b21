"""Summarises a set of words so that its overlap with another set can be estimated later, without the words.

A sketch holds the lowest ``SIZE`` of the words' keyed 64-bit hashes. Whoever lacks the key cannot test
whether a word was among them.

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

from sweep.tasks.mlp.spelling import normalized

SIZE = 1024
"""Hashes that a sketch holds at most."""

KEY_BYTES = 32

_BYTES = 8
_HIGHEST = 2**64 - 1


class Overlap(NamedTuple):
    """How much of a set of words other sets hold."""

    share: float
    """Part of the words, from 0 to 1."""
    compared: int
    """Words that the share was estimated from; it is exact if that is all of them."""
    words: int
    """Distinct words of the set."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WordSketch:
    """The lowest hashes of a set of words.

    Raises:
        ValueError: If the fields do not belong together.
    """

    key_id: str
    """16 hex digits; sketches of different keys cannot be compared."""
    words: int
    """Distinct words of the set."""
    lowest: str
    """The hashes, ascending, 8 bytes each, big-endian, in base64."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9a-f]{16}", self.key_id):
            raise ValueError("key_id must be 16 hex digits")
        if len(self.hashes) != min(self.words, SIZE):
            raise ValueError(f"a sketch of {self.words} words holds {len(self.hashes)} hashes")

    @property
    def hashes(self) -> frozenset[int]:
        """The hashes as numbers."""
        raw = base64.b64decode(self.lowest, validate=True)
        return frozenset(np.frombuffer(raw, ">u8").tolist())

    @property
    def limit(self) -> int:
        """The hash up to which the sketch holds every word of the set."""
        return max(self.hashes) if self.words > SIZE else _HIGHEST

    @classmethod
    def of(cls, words: Iterable[str], key: bytes) -> Self:
        """Return the sketch of some words, of each spelling once."""
        hashes = word_hashes(words, key)
        lowest = np.array(sorted(hashes)[:SIZE], ">u8").tobytes()
        return cls(key_id=key_id(key), words=len(hashes), lowest=base64.b64encode(lowest).decode())


def key_id(key: bytes) -> str:
    """Return what tells keys apart and does not give them away."""
    return hashlib.blake2b(key=key, digest_size=_BYTES, person=b"sweep key id").hexdigest()


def word_hashes(words: Iterable[str], key: bytes) -> set[int]:
    """Return the keyed hash of each word; words that ``spelling.normalized`` makes equal have one."""
    return {_hash(word, key) for word in set(map(normalized, words))}


def estimate_overlap(hashes: set[int], sketches: Sequence[WordSketch]) -> Overlap:
    """Return how many of some words occur in at least one of the sketched sets.

    Up to the lowest limit of some sketches it is known of each word whether it does; the share among those
    words is the estimate. A sketch of a large set has a low limit, so the estimate is also made without the
    largest sets, one after the other, which finds at most as much, from more words; the highest counts.

    Args:
        hashes: ``word_hashes`` of the words, at least one, with the key of the sketches.
        sketches: Of the other sets.
    """
    finest_first = sorted(sketches, key=lambda sketch: sketch.limit, reverse=True)
    known = set[int]()
    best = Overlap(0.0, len(hashes), len(hashes))
    for sketch in finest_first:
        known |= sketch.hashes
        compared = {each for each in hashes if each <= sketch.limit}
        share = len(compared & known) / max(len(compared), 1)
        if share > best.share or sketch is finest_first[0]:
            best = Overlap(share, len(compared), len(hashes))
    return best


def _hash(word: str, key: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(word.encode(), key=key, digest_size=_BYTES).digest())
