"""Find out how many of some test units were already evaluated, in this database or by this user.

Looks are compared by sketches of their units, so that slightly changed data still count as used. A look
without a comparable sketch is recognised by its hash only.
"""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sweep.certify.test_split.ledger import read_ledger
from sweep.errors import DataError, TestSplitError
from sweep.storage.database import Reader
from sweep.storage.looks.stored_looks import TestLook, count_looks, read_looks
from sweep.storage.looks.unit_sketch import Overlap, UnitSketch, estimate_overlap, key_id, unit_hashes
from sweep.task import CountsTestUnits
from sweep.values import Toml

REPEATED = 0.2
"""Share of earlier evaluated test units from which a look counts as repeated."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestPart:
    """The test part of the data that a ``[data]`` section names."""

    __test__ = False  # pytest would collect it as a test class because of its name

    task: CountsTestUnits
    section: Mapping[str, Toml]
    units: Sequence[str]

    @classmethod
    def load(cls, task: CountsTestUnits, section: Mapping[str, Toml]) -> "TestPart":
        """Read the test part; raises ``DataError``."""
        return cls(task=task, section=section, units=task.load_test_units(section))

    @property
    def keys(self) -> set[str]:
        """The keys of the distinct units; see ``CountsTestUnits.unit_key``."""
        return set(map(self.task.unit_key, self.units))

    @property
    def is_guarded(self) -> bool:
        """Whether the units are known, so that a repeated look can be detected."""
        return bool(self.units)

    @property
    def sha256(self) -> str:
        """Hash of the units, 64 hex digits; empty if they are unknown."""
        return hash_units(self.units) if self.is_guarded else ""

    def sketch(self, key: bytes) -> UnitSketch | None:
        """Return the sketch of the units that a look stores; None if they are unknown."""
        return UnitSketch.of(self.keys, key) if self.is_guarded else None

    def all_cuts(self) -> Iterator["TestPart"]:
        """Yield the test part of every split of the same source."""
        for section in self.task.same_source(self.section):
            with contextlib.suppress(DataError):  # too few units are left
                yield self.load(self.task, section)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLooks:
    """Earlier looks at some test units."""

    unit: str
    """Name of a unit."""
    looks: tuple[TestLook, ...]
    """Looks at some of the units, oldest first."""
    overlap: Overlap
    """Overlap of the units with all these looks together."""
    is_same: bool
    """Whether one look was at exactly these units."""
    not_comparable: int
    """Number of other looks, which cannot be compared."""
    is_guarded: bool = True
    """Whether the units are known."""
    noun: str = "loss"
    """Name of the metric."""

    @property
    def are_repeated(self) -> bool:
        """Whether another look would be a repeated look at these units."""
        return self.is_same or self.overlap.share >= REPEATED

    @property
    def number(self) -> int:
        """Number that another look would get, from 1; 0 if the units are unknown."""
        if not self.is_guarded:
            return 0
        return 1 + count_looks(self.looks) if self.are_repeated else 1

    def check(self, again: str) -> None:
        """Refuse a repeated look without a reason.

        Raises:
            TestSplitError: If the units are repeated and ``again`` is empty.
        """
        if self.are_repeated and not again:
            last = self.looks[-1].describe(self.noun)
            raise TestSplitError(
                f"{self._what()} were looked at before ({last}); on a further look, the {self.noun} is no "
                f'longer that of unseen {self.unit}s. To look again, give a reason: --again "why"'
            )

    def sentences(self) -> Iterator[str]:
        """Yield the notes for a user before another look."""
        if not self.is_guarded:
            yield (
                "not guarded: the study does not name the files that the test reads (data.test_files), so "
                "sweep cannot detect other looks at them"
            )
        if self.looks:
            counts = f"look {self.number}" if self.are_repeated else f"below {REPEATED:.0%}, so a first look"
            yield f"{self._what()} were looked at before ({self.looks[-1].describe(self.noun)}): {counts}"
        if self.not_comparable:
            yield (
                f"earlier looks whose {self.unit}s cannot be compared with these: {self.not_comparable} (by "
                f"another user, with another key, or by a release that kept no sketch of the {self.unit}s)"
            )

    def _what(self) -> str:
        if self.is_same:
            return f"these test {self.unit}s"
        share, compared, units = self.overlap
        if compared == units:
            return f"{share:.1%} of these test {self.unit}s"
        return f"about {share:.1%} of these test {self.unit}s (estimated from {compared:,} of {units:,})"


def hash_units(units: Iterable[str]) -> str:
    """Return a hash of units that does not depend on their order, 64 hex digits."""
    return hashlib.sha256("\n".join(sorted(units)).encode()).hexdigest()


def all_looks(reader: Reader) -> list[TestLook]:
    """Return every look in this database or this user's ledger, oldest first."""
    found = sorted([*read_ledger(), *read_looks(reader)], key=lambda look: look.sketch is not None)
    return sorted({look.look_id: look for look in found}.values(), key=lambda look: look.started)


def find_earlier_looks(part: TestPart, looks: Sequence[TestLook], key: bytes) -> EarlierLooks:
    """Compare a test part with the earlier looks.

    Args:
        part: The test part; other splits of its source recover the units of looks without sketch.
        looks: Earlier looks, oldest first.
        key: Key of this user's sketches.
    """
    if not part.is_guarded:
        nothing = Overlap(0.0, 0, 0)
        return EarlierLooks(
            unit=part.task.unit, looks=(), overlap=nothing, is_same=False, not_comparable=0, is_guarded=False
        )
    looks = [look for look in looks if look.test_sha256]
    hashes, sha256 = unit_hashes(part.keys, key), part.sha256
    pairs = [(look, sketch) for look, sketch in _sketches(part, looks, key) if sketch is not None]
    overlap = estimate_overlap(hashes, [sketch for _, sketch in pairs])
    return EarlierLooks(
        unit=part.task.unit,
        looks=tuple(look for look, sketch in pairs if hashes & sketch.hashes),
        overlap=overlap,
        is_same=any(look.test_sha256 == sha256 for look in looks),
        not_comparable=len(looks) - (len(pairs) if overlap.compared else 0),
        noun=part.task.metric.noun,
    )


def _sketches(
    part: TestPart, looks: Sequence[TestLook], key: bytes
) -> Iterator[tuple[TestLook, UnitSketch | None]]:
    """Yield each look with a sketch of its units under this key, or None if its units are unknown."""
    here = key_id(key)
    missing = any(look.sketch is None or look.sketch.key_id != here for look in looks)
    known = {cut.sha256: cut for cut in part.all_cuts()} if missing else {}
    for look in looks:
        if look.sketch is not None and look.sketch.key_id == here:
            yield look, look.sketch
        else:
            cut = known.get(look.test_sha256)
            yield look, cut.sketch(key) if cut else None
