"""Store evaluations of the test split ("looks"); ``stored_looks`` reads them.

A look is stored before the test units are evaluated and completed afterwards, so an interrupted one also
counts.
"""

import dataclasses

import sqlalchemy

from sweep.storage.database import storage_errors
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.looks.stored_looks import GROUPS, LOOKS, SEEDS, SKETCHES, TestLook

_TABLE = sqlalchemy.Table(
    LOOKS,
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
    SEEDS,
    _TABLE.metadata,
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("seed", sqlalchemy.BigInteger, primary_key=True, autoincrement=False),
    sqlalchemy.Column("dev_loss", sqlalchemy.Float(53), nullable=False),
    sqlalchemy.Column("test_loss", sqlalchemy.Float(53)),
)

_SKETCHES = sqlalchemy.Table(
    SKETCHES,
    _TABLE.metadata,
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("key_id", sqlalchemy.String(16), nullable=False),
    sqlalchemy.Column("words", sqlalchemy.Integer, nullable=False),
    sqlalchemy.Column("lowest", sqlalchemy.Text, nullable=False),
)

_GROUPS = sqlalchemy.Table(
    GROUPS,
    _TABLE.metadata,
    sqlalchemy.Column("look_id", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("group_id", sqlalchemy.String(32), nullable=False),
)


def write_look(storage: Storage, look: TestLook) -> None:
    """Store a look, or complete the look with the same id."""
    values = dataclasses.asdict(look)
    seeds, sketch, group = values.pop("seeds"), values.pop("sketch"), values.pop("group")
    rows = {
        _TABLE: [values],
        _SEEDS: seeds,
        _SKETCHES: [sketch] if sketch else [],
        _GROUPS: [{"group_id": group}] if group else [],
    }
    with storage_errors("database"), storage.engine.begin() as connection:
        for table, new in rows.items():
            table.create(connection, checkfirst=True)
            connection.execute(table.delete().where(table.c.look_id == look.look_id))
            if new:
                connection.execute(table.insert(), [{**row, "look_id": look.look_id} for row in new])
