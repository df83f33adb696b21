"""Who looked at the test split, when, and what did they see?

A table of our own in the studies' database. A look is written down before the test words are
evaluated and completed afterwards, so one that died in between still counts.
"""

import dataclasses
import datetime
from typing import Any, Self

import sqlalchemy
from optuna.storages import RDBStorage

from sweep.search.database import storage_errors

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


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TestLook:
    """One evaluation of the test split."""

    __test__ = False  # not a test class, whatever its name says to pytest

    look_id: str
    """32 hex digits."""
    started: str
    """UTC, ISO 8601."""
    test_sha256: str
    """Hash of the set of test words."""
    data_sha256: str
    """Hash of the words file."""
    config_sha256: str
    """Hash of the hyperparameters, the seed included."""
    study: str
    trial: int
    dev_loss: float
    """Nats per character, as trained for this look."""
    test_loss: float | None
    """Nats per character; None where the look died before its end."""
    why: str
    """Reason given for looking again; empty for the first look."""
    version: str
    """Version of sweep."""

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Build a look from plain values.

        Raises:
            TypeError: If a field is missing, unknown or of another kind.
            ValueError: If ``started`` is no time.
        """
        look = cls(**values)
        for field in dataclasses.fields(cls):
            if not isinstance(getattr(look, field.name), field.type):  # type: ignore[arg-type]
                raise TypeError(f"{field.name} is of another kind")
        datetime.datetime.fromisoformat(look.started)
        return look

    def describe(self) -> str:
        """Return the look as one line."""
        loss = "unknown, it did not end" if self.test_loss is None else f"{self.test_loss:.4f}"
        when = datetime.datetime.fromisoformat(self.started).astimezone().strftime("%Y-%m-%d %H:%M")
        why = f", again because {self.why!r}" if self.why else ""
        return f"{when}, trial {self.trial} of {self.study!r}: test loss {loss}{why}"


def write_look(storage: RDBStorage, look: TestLook) -> None:
    """Store a look, or complete the one of the same id."""
    with storage_errors("database"), storage.engine.begin() as connection:
        _TABLE.create(connection, checkfirst=True)
        connection.execute(_TABLE.delete().where(_TABLE.c.look_id == look.look_id))
        connection.execute(_TABLE.insert().values(**dataclasses.asdict(look)))


def read_looks(storage: RDBStorage) -> list[TestLook]:
    """Return all looks, oldest first."""
    with storage_errors("database"), storage.engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table(_TABLE.name):
            return []
        rows = connection.execute(_TABLE.select().order_by(_TABLE.c.started)).mappings()
        return [TestLook(**row) for row in rows]
