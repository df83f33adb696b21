"""Finds out how many of some test words were looked at before, in this database or by this user.

Looks are compared by the sketches of their words, so that a list which was changed a little does not
make a used test split unused. A look without a sketch that can be compared is known by its hash alone.
"""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from sweep.certify.ledger import read_ledger
from sweep.errors import DataError, TestSplitError
from sweep.storage.database import Storage
from sweep.storage.test_looks import TestLook, read_looks
from sweep.storage.word_sketch import Overlap, WordSketch, estimate_overlap, key_id, word_hashes
from sweep.tasks.mlp.corpus import load_test_words
from sweep.tasks.mlp.words_file import NORMALIZED, Dedupe

REPEATED = 0.2
"""Part of the test words looked at before from which a look counts as a further one."""

_DEDUPES: tuple[Dedupe, ...] = (False, True, NORMALIZED)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLooks:
    """What is known of earlier looks at some test words."""

    looks: tuple[TestLook, ...]
    """Those that hold some of the words, oldest first."""
    overlap: Overlap
    """How many of the words they hold together."""
    is_same: bool
    """Whether one of them was at exactly these words."""
    not_comparable: int
    """Other looks, of which nothing can be said."""

    @property
    def are_repeated(self) -> bool:
        """Whether another look is a further look at the same words."""
        return self.is_same or self.overlap.share >= REPEATED

    @property
    def number(self) -> int:
        """Number of another look, 1 for a first one."""
        return 1 + len(self.looks) if self.are_repeated else 1

    def check(self, again: str) -> None:
        """Refuse a further look without a reason.

        Raises:
            TestSplitError: If the words are repeated and ``again`` is empty.
        """
        if self.are_repeated and not again:
            raise TestSplitError(
                f"{self._what()} were looked at before ({self.looks[-1].describe()}); the loss of a further "
                f'look is no longer that of unseen words. If you must, give a reason: --again "why"'
            )

    def sentences(self) -> Iterator[str]:
        """Yield what a user should know before another look."""
        if self.looks:
            counts = f"look {self.number}" if self.are_repeated else f"below {REPEATED:.0%}, so a first look"
            yield f"{self._what()} were looked at before ({self.looks[-1].describe()}): {counts}"
        if self.not_comparable:
            yield (
                f"earlier looks whose words cannot be compared with these: {self.not_comparable} (by another "
                "user, with another key, or by a release that kept no sketch of the words)"
            )

    def _what(self) -> str:
        if self.is_same:
            return "these test words"
        share, compared, words = self.overlap
        if compared == words:
            return f"{share:.1%} of these test words"
        return f"about {share:.1%} of these test words (estimated from {compared:,} of {words:,})"


def hash_words(words: Iterable[str]) -> str:
    """Return the hash of some words in any order, 64 hex digits."""
    return hashlib.sha256("\n".join(sorted(words)).encode()).hexdigest()


def all_looks(storage: Storage) -> list[TestLook]:
    """Return every look that this database or this user's ledger knows, oldest first."""
    found = sorted([*read_ledger(), *read_looks(storage)], key=lambda look: look.sketch is not None)
    return sorted({look.look_id: look for look in found}.values(), key=lambda look: look.started)


def find_earlier_looks(
    test_words: Sequence[str], path: str, looks: Sequence[TestLook], key: bytes
) -> EarlierLooks:
    """Compare test words with those of earlier looks.

    Args:
        test_words: The test part of a words file.
        path: Of the file; its other test parts, under other ``dedupe``, tell the words of looks that have
            no sketch.
        looks: The earlier ones, oldest first.
        key: Of this user's sketches.
    """
    hashes, sha256 = word_hashes(test_words, key), hash_words(test_words)
    pairs = [(look, sketch) for look, sketch in _sketches(looks, path, key) if sketch is not None]
    overlap = estimate_overlap(hashes, [sketch for _, sketch in pairs])
    return EarlierLooks(
        looks=tuple(look for look, sketch in pairs if hashes & sketch.hashes),
        overlap=overlap,
        is_same=any(look.test_sha256 == sha256 for look in looks),
        not_comparable=len(looks) - (len(pairs) if overlap.compared else 0),
    )


def _sketches(
    looks: Sequence[TestLook], path: str, key: bytes
) -> Iterator[tuple[TestLook, WordSketch | None]]:
    """Yield each look with a sketch of its words under this key, None where its words are not known."""
    here = key_id(key)
    missing = any(look.sketch is None or look.sketch.key_id != here for look in looks)
    known = dict(_test_parts(path)) if missing else {}
    for look in looks:
        if look.sketch is not None and look.sketch.key_id == here:
            yield look, look.sketch
        else:
            words = known.get(look.test_sha256)
            yield look, WordSketch.of(words, key) if words else None


def _test_parts(path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each test part of a words file with its hash."""
    for dedupe in _DEDUPES:
        with contextlib.suppress(DataError):  # too few distinct words
            words = load_test_words(path, dedupe=dedupe)
            yield hash_words(words), words
