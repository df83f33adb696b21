"""Stores who looked at the test split, when, and what they saw.

Tables of our own in the studies' database. A look is written down before the test units are
evaluated and completed afterwards, so one that died in between still counts.
"""

import dataclasses
import datetime
from typing import Any, Self

import sqlalchemy
from optuna.storages import RDBStorage

from sweep.errors import StorageError
from sweep.storage.database import storage_errors
from sweep.storage.unit_sketch import UnitSketch

_TABLE = sqlalchemy.Table(
    "sweep_test_looks",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("started", sqlalchemy.String(40), nullable=False),
    sqlalchemy.Column("test_sha256", sqlalchemy.String(64), nullable=False),
    sqlalchemy.Column("data_sha256", sqlalchemy.String(64), nullable=False),
    sqlalchemy.Column("config_sha256", sqlalchemy.String(64), nullable=False),
    sqlalchemy.Column("study", sqlalchemy.String(80), nullable=False),
    sqlalchemy.Column("trial", sqlalchemy.Integer, nullable=False),
    sqlalchemy.Column("dev_loss", sqlalchemy.Float(53), nullable=False),
    sqlalchemy.Column("test_loss", sqlalchemy.Float(53)),
    sqlalchemy.Column("why", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("version", sqlalchemy.String(40), nullable=False),
)

_SEEDS = sqlalchemy.Table(
    "sweep_test_look_seeds",
    _TABLE.metadata,
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("seed", sqlalchemy.BigInteger, primary_key=True, autoincrement=False),
    sqlalchemy.Column("dev_loss", sqlalchemy.Float(53), nullable=False),
    sqlalchemy.Column("test_loss", sqlalchemy.Float(53)),
)

_SKETCHES = sqlalchemy.Table(
    "sweep_test_look_sketches",
    _TABLE.metadata,
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("key_id", sqlalchemy.String(16), nullable=False),
    sqlalchemy.Column("words", sqlalchemy.Integer, nullable=False),
    sqlalchemy.Column("lowest", sqlalchemy.Text, nullable=False),
)


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

    def describe(self, noun: str = "loss") -> str:
        """Return the look as one line; ``noun`` is what the metric is called."""
        loss = "unknown, it did not end" if self.test_loss is None else f"{self.test_loss:.4f}"
        loss += f" (mean of {len(self.seeds)} seeds)" if self.seeds else ""
        when = datetime.datetime.fromisoformat(self.started).astimezone().strftime("%Y-%m-%d %H:%M")
        why = f", again because {self.why!r}" if self.why else ""
        return f"{when}, trial {self.trial} of {self.study!r}: test {noun} {loss}{why}"


def write_look(storage: RDBStorage, look: TestLook) -> None:
    """Store a look, or complete the one of the same id."""
    values = dataclasses.asdict(look)
    seeds, sketch = values.pop("seeds"), values.pop("sketch")
    rows = {_TABLE: [values], _SEEDS: seeds, _SKETCHES: [sketch] if sketch else []}
    with storage_errors("database"), storage.engine.begin() as connection:
        for table, new in rows.items():
            table.create(connection, checkfirst=True)
            connection.execute(table.delete().where(table.c.look_id == look.look_id))
            if new:
                connection.execute(table.insert(), [{**row, "look_id": look.look_id} for row in new])


def read_looks(storage: RDBStorage) -> list[TestLook]:
    """Return all looks, oldest first."""
    with storage_errors("database"), storage.engine.connect() as connection:
        tables = sqlalchemy.inspect(connection)
        if not tables.has_table(_TABLE.name):
            return []
        seeds = _read_seeds(connection) if tables.has_table(_SEEDS.name) else {}
        sketches = _read_sketches(connection) if tables.has_table(_SKETCHES.name) else {}
        rows = connection.execute(_TABLE.select().order_by(_TABLE.c.started)).mappings()
        return [
            TestLook(**row, seeds=tuple(seeds.get(row["look_id"], ())), sketch=sketches.get(row["look_id"]))
            for row in rows
        ]


def _read_seeds(connection: sqlalchemy.Connection) -> dict[str, list[SeedLook]]:
    seeds: dict[str, list[SeedLook]] = {}
    for row in connection.execute(_SEEDS.select().order_by(_SEEDS.c.seed)).mappings():
        values = dict(row)
        seeds.setdefault(values.pop("look_id"), []).append(SeedLook(**values))
    return seeds


def _read_sketches(connection: sqlalchemy.Connection) -> dict[str, UnitSketch]:
    sketches: dict[str, UnitSketch] = {}
    for row in connection.execute(_SKETCHES.select()).mappings():
        values = dict(row)
        look_id = values.pop("look_id")
        try:
            sketches[look_id] = UnitSketch(**values)
        except (ValueError, TypeError) as error:
            raise StorageError(
                f"the database's sketch of test look {look_id} is damaged; restore a copy"
            ) from error
    return sketches
