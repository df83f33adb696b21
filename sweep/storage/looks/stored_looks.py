"""Read the recorded evaluations of the test split ("looks").

They are in separate tables of the studies' database, which ``look_writer`` writes.
"""

import dataclasses
import datetime
import hashlib
from collections.abc import Sequence
from typing import Self

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import ConfigError, StorageError
from sweep.storage.database import Reader, Snapshot, storage_errors
from sweep.storage.looks.unit_sketch import UnitSketch
from sweep.values import Json

_OF_NOTHING = hashlib.sha256().hexdigest()
"""The data's hash for a study that names no files."""

LOOKS, SEEDS, SKETCHES = "sweep_test_looks", "sweep_test_look_seeds", "sweep_test_look_sketches"
GROUPS = "sweep_test_look_groups"
"""Tables in the studies' database that ``look_writer`` creates."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SeedLook:
    """One of the models that a look evaluates together: the same configuration with another seed."""

    seed: int
    dev_loss: float
    """Dev loss, in the metric's unit."""
    test_loss: float | None
    """Test loss, in the metric's unit; None if the look was interrupted."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestLook:
    """One evaluation of the test split."""

    __test__ = False  # not a test class for pytest

    look_id: str
    """Identifier of the look, 32 hex digits."""
    started: str
    """Start, UTC, ISO 8601."""
    test_sha256: str
    """Hash of the set of test units."""
    data_sha256: str
    """Hash of the data's source."""
    config_sha256: str
    """Hash of the hyperparameters, including the first seed."""
    study: str
    trial: int
    dev_loss: float
    """Dev loss of this look's models, mean over seeds, in the metric's unit."""
    test_loss: float | None
    """Test loss, mean over seeds, in the metric's unit; None if the look was interrupted."""
    why: str
    """The user's reason for another look; empty for the first look."""
    version: str
    """Version of sweep."""
    seeds: tuple[SeedLook, ...] = ()
    """The losses of each seed, if several were evaluated."""
    sketch: UnitSketch | None = None
    """Sketch of the test units; None for a look of a release without sketches."""
    group: str = ""
    """Identifier of the looks at several configurations that count as one; empty for a look at one."""

    @classmethod
    def from_dict(cls, values: Json) -> Self:
        """Build a look from plain values.

        Raises:
            TypeError: If a field is missing, unknown or of another kind.
            ValueError: If ``started`` is not a time.
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

    @property
    def day(self) -> str:
        """The local date of the look, as ``2026-01-31``."""
        return datetime.datetime.fromisoformat(self.started).astimezone().strftime("%Y-%m-%d")

    def describe(self, noun: str = "loss") -> str:
        """Return the look as one line; ``noun`` is the name of the metric."""
        loss = "unknown (interrupted)" if self.test_loss is None else f"{self.test_loss:.4f}"
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
        groups = {row["look_id"]: row["group_id"] for row in _rows(snapshot, GROUPS, _GROUPS, _GROUP)}
        return [
            TestLook(
                **row,
                seeds=tuple(seeds.get(row["look_id"], ())),
                sketch=sketches.get(row["look_id"]),
                group=groups.get(row["look_id"], ""),
            )
            for row in _rows(snapshot, LOOKS, _LOOKS, _LOOK)
        ]


def count_looks(looks: Sequence[TestLook]) -> int:
    """Return the number of looks, where those of one group count as one."""
    return len({look.group or look.look_id for look in looks})


def looks_of_study(study: StudyRecord, reader: Reader) -> list[TestLook]:
    """Return every recorded look at the test units of a study's data.

    If the data are unknown, return only the looks of this study.
    """
    looks = [look for look in read_looks(reader) if look.data_sha256 == study.data_sha256]
    is_known = study.data_sha256 != _OF_NOTHING
    return [look for look in looks if is_known or look.study == study.name]


def first_finished_look(looks: Sequence[TestLook], study: StudyRecord, trial: TrialRecord) -> TestLook | None:
    """Return the first look that evaluated a trial's configuration to its end, or None.

    Names and numbers do not count: a study can be renamed, or deleted and made again with other trials.
    """
    finished = (look for look in looks if look.test_loss is not None)
    return next((look for look in finished if look.config_sha256 in _hashes(study, trial, look)), None)


def _hashes(study: StudyRecord, trial: TrialRecord, look: TestLook) -> set[str]:
    """Return the hashes of a trial's configuration on its own seed and on those of a look."""
    seeds = (trial.seed, *(each.seed for each in look.seeds))
    values = study.config_values(trial)
    try:
        return {study.task.make_config({**values, "seed": seed}).sha256() for seed in seeds}
    except ConfigError:
        return set()  # it was stored by something else, so it was never exported


_ELSEWHERE = ("seeds", "sketch", "group")
"""Fields that are in tables of their own."""

_LOOK = tuple(field.name for field in dataclasses.fields(TestLook) if field.name not in _ELSEWHERE)
_SEED, _SKETCH = ("look_id", "seed", "dev_loss", "test_loss"), ("look_id", "key_id", "words", "lowest")
_GROUP = ("look_id", "group_id")

_LOOKS = """
SELECT look_id, started, test_sha256, data_sha256, config_sha256, study, trial, dev_loss, test_loss, why,
       version
FROM sweep_test_looks ORDER BY started
"""
_SEEDS = "SELECT look_id, seed, dev_loss, test_loss FROM sweep_test_look_seeds ORDER BY seed"
_SKETCHES = "SELECT look_id, key_id, words, lowest FROM sweep_test_look_sketches ORDER BY look_id"
_GROUPS = "SELECT look_id, group_id FROM sweep_test_look_groups ORDER BY look_id"


def _rows(snapshot: Snapshot, table: str, statement: str, columns: Sequence[str]) -> list[dict[str, Json]]:
    """Return the rows of one of sweep's own tables; none if the table does not exist."""
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
