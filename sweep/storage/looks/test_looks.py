"""Read who looked at the test split, when, and what they saw.

Tables of our own in the studies' database; ``look_writer`` writes them.
"""

import dataclasses
import datetime
import hashlib
from collections.abc import Sequence
from typing import Any, Self

from sweep.definition.records import StudyRecord
from sweep.errors import StorageError
from sweep.storage.database import Reader, Snapshot, storage_errors
from sweep.storage.looks.unit_sketch import UnitSketch

_OF_NOTHING = hashlib.sha256().hexdigest()
"""Hash of the data of a study that names no files."""

LOOKS, SEEDS, SKETCHES = "sweep_test_looks", "sweep_test_look_seeds", "sweep_test_look_sketches"
"""Tables of ours in the studies' database; ``look_writer`` makes them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeedLook:
    """One of the models that a look evaluates together: the same configuration on another seed."""

    seed: int
    dev_loss: float
    """In the metric's unit."""
    test_loss: float | None
    """In the metric's unit; None where the look died before its end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestLook:
    """One evaluation of the test split."""

    __test__ = False  # not a test class, whatever its name says to pytest

    look_id: str
    """32 hex digits."""
    started: str
    """UTC, ISO 8601."""
    test_sha256: str
    """Hash of the set of test units."""
    data_sha256: str
    """Hash of the data's source."""
    config_sha256: str
    """Hash of the hyperparameters, the first seed included."""
    study: str
    trial: int
    dev_loss: float
    """In the metric's unit, of the models of this look; the mean over seeds."""
    test_loss: float | None
    """In the metric's unit, the mean over seeds; None where the look died before its end."""
    why: str
    """Reason given for looking again; empty for the first look."""
    version: str
    """Version of sweep."""
    seeds: tuple[SeedLook, ...] = ()
    """Each seed's losses, where several were evaluated."""
    sketch: UnitSketch | None = None
    """Of the test units; None for a look of a release that kept none."""

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Build a look from plain values.

        Raises:
            TypeError: If a field is missing, unknown or of another kind.
            ValueError: If ``started`` is no time.
        """
        if not isinstance(values, dict):
            raise TypeError("a look is a table of values")
        seeds = tuple(SeedLook(**seed) for seed in values.get("seeds", ()))
        sketch = values.get("sketch")
        look = cls(**{**values, "seeds": seeds, "sketch": sketch and UnitSketch(**sketch)})
        for field in dataclasses.fields(cls):
            if field.name != "seeds" and not isinstance(getattr(look, field.name), field.type):  # type: ignore[arg-type]
                raise TypeError(f"{field.name} is of another kind")
        datetime.datetime.fromisoformat(look.started)
        return look

    @property
    def is_of_ensemble(self) -> bool:
        """Whether the models were evaluated together only: no seed has a test loss of its own."""
        return self.test_loss is not None and any(self.seeds) and all(s.test_loss is None for s in self.seeds)

    def describe(self, noun: str = "loss") -> str:
        """Return the look as one line; ``noun`` is what the metric is called."""
        loss = "unknown, it did not end" if self.test_loss is None else f"{self.test_loss:.4f}"
        what = "ensemble" if self.is_of_ensemble else "mean"
        loss += f" ({what} of {len(self.seeds)} seeds)" if self.seeds else ""
        when = datetime.datetime.fromisoformat(self.started).astimezone().strftime("%Y-%m-%d %H:%M")
        why = f", again because {self.why!r}" if self.why else ""
        return f"{when}, trial {self.trial} of {self.study!r}: test {noun} {loss}{why}"


def read_looks(reader: Reader) -> list[TestLook]:
    """Return all looks, oldest first."""
    with storage_errors("database"), reader.snapshot() as snapshot:
        seeds = _read_seeds(snapshot)
        sketches = _read_sketches(snapshot)
        return [
            TestLook(**row, seeds=tuple(seeds.get(row["look_id"], ())), sketch=sketches.get(row["look_id"]))
            for row in _rows(snapshot, LOOKS, _LOOKS, _LOOK)
        ]


def looks_of_study(study: StudyRecord, reader: Reader) -> list[TestLook]:
    """Return every recorded look at the test units of a study's data.

    Where it is not known what the data are, those of this study alone.
    """
    looks = [look for look in read_looks(reader) if look.data_sha256 == study.data_sha256]
    is_known = study.data_sha256 != _OF_NOTHING
    return [look for look in looks if is_known or look.study == study.name]


_LOOK = tuple(field.name for field in dataclasses.fields(TestLook) if field.name not in ("seeds", "sketch"))
_SEED, _SKETCH = ("look_id", "seed", "dev_loss", "test_loss"), ("look_id", "key_id", "words", "lowest")

_LOOKS = """
SELECT look_id, started, test_sha256, data_sha256, config_sha256, study, trial, dev_loss, test_loss, why,
       version
FROM sweep_test_looks ORDER BY started
"""
_SEEDS = "SELECT look_id, seed, dev_loss, test_loss FROM sweep_test_look_seeds ORDER BY seed"
_SKETCHES = "SELECT look_id, key_id, words, lowest FROM sweep_test_look_sketches ORDER BY look_id"


def _rows(snapshot: Snapshot, table: str, statement: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows of one of our tables; none if it was never made."""
    if not snapshot.has_table(table):
        return []
    return [dict(zip(columns, row, strict=True)) for row in snapshot.rows(statement)]


def _read_seeds(snapshot: Snapshot) -> dict[str, list[SeedLook]]:
    seeds: dict[str, list[SeedLook]] = {}
    for row in _rows(snapshot, SEEDS, _SEEDS, _SEED):
        seeds.setdefault(row.pop("look_id"), []).append(SeedLook(**row))
    return seeds


def _read_sketches(snapshot: Snapshot) -> dict[str, UnitSketch]:
    sketches: dict[str, UnitSketch] = {}
    for row in _rows(snapshot, SKETCHES, _SKETCHES, _SKETCH):
        look_id = row.pop("look_id")
        try:
            sketches[look_id] = UnitSketch(**row)
        except (ValueError, TypeError) as error:
            raise StorageError(
                f"the database's sketch of test look {look_id} is damaged; restore a copy"
            ) from error
    return sketches
