"""Open and create Optuna's database for writing, and define its tables.

No other module uses the private names of Optuna's storage; those of Optuna's objects are in
``definition.optuna_objects``. The schema is Optuna 5.0's; ``libraries`` lists the accepted versions. Modules
that only read use ``schema``.
"""

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage

from sweep.libraries import OPTUNA, private_names
from sweep.storage.database.reading import Snapshot, postgres_snapshot, sqlite_snapshot
from sweep.storage.database.schema import VERSION
from sweep.storage.database.sqlite_file import PATIENCE_S, connect, connect_to_memory

with private_names(OPTUNA):
    from optuna.storages._rdb import models

    STUDIES = models.StudyModel.__table__
    DIRECTIONS = models.StudyDirectionModel.__table__
    STUDY_ATTRS = models.StudyUserAttributeModel.__table__
    STUDY_HIDDEN = models.StudySystemAttributeModel.__table__
    """Attributes of a study that the dashboard does not show."""
    TRIALS = models.TrialModel.__table__
    TRIAL_ATTRS = models.TrialUserAttributeModel.__table__
    TRIAL_HIDDEN = models.TrialSystemAttributeModel.__table__
    """Attributes of a trial that the dashboard shows neither on the trial's page nor in the table."""
    PARAMS = models.TrialParamModel.__table__
    VALUES = models.TrialValueModel.__table__
    REPORTS = models.TrialIntermediateValueModel.__table__
    FINITE = models.TrialValueModel.TrialValueType.FINITE
    FINITE_REPORT = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE

_ALEMBIC = sqlalchemy.Table(
    "alembic_version",
    sqlalchemy.MetaData(),
    sqlalchemy.Column("version_num", sqlalchemy.String(32), nullable=False),
    sqlalchemy.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where Alembic keeps the version of the tables."""

_ANY_FILE = "sqlite:///sweep.db"
"""Placeholder URL for Optuna; sweep opens the file itself, since a path may contain ``{}``, ``?``, ``%``."""


class Storage(RDBStorage):
    """Optuna's storage, which is also a ``Reader``: its statements bypass Optuna's caches."""

    def snapshot(self) -> contextlib.AbstractContextManager[Snapshot]:
        """Begin reading; see ``Reader``."""
        return self._snapshot()

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        begin = sqlite_snapshot if self.engine.dialect.name == "sqlite" else postgres_snapshot
        with contextlib.closing(self.engine.raw_connection()) as connection, begin(connection) as snapshot:
            yield snapshot


def open_storage(url: str, settings: dict[str, Any], *, skip_table_creation: bool = False) -> Storage:
    """Open a database whose tables have the version of ``schema``, or create the tables.

    Optuna refuses tables of another version, for which it loads all its migrations, which takes longer than
    all the rest.

    Raises:
        RuntimeError: If another version of Optuna made the tables.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # sweep reports errors itself, on one line
    storage = Storage(url, settings, skip_compatibility_check=True, skip_table_creation=skip_table_creation)
    if storage.get_current_version() != VERSION:
        with private_names(OPTUNA):
            check = storage._version_manager.check_table_schema_compatibility
        check()
    return storage


def open_file(path: Path, mode: str) -> Storage:
    """Open an SQLite file, even after the process has changed its working folder.

    Args:
        path: A checked file.
        mode: ``ro`` or ``rw``, as for ``connect``. With ``rw``, transactions lock the file when they begin,
        so
            that no decision is based on values that another process is about to change.
    """
    settings = {"creator": functools.partial(connect, path.resolve(), mode)}
    storage = open_storage(_ANY_FILE, settings, skip_table_creation=mode == "ro")
    _begin_with(storage.engine, "BEGIN" if mode == "ro" else "BEGIN IMMEDIATE")
    return storage


def _begin_with(engine: sqlalchemy.Engine, statement: str) -> None:
    """Make SQLAlchemy, instead of Python's sqlite3, begin transactions."""

    def take_over(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(statement)

    engine.dispose()
    sqlalchemy.event.listen(engine, "connect", take_over)
    sqlalchemy.event.listen(engine, "begin", begin)


def make_file(path: Path) -> None:
    """Create a database without studies, synced to the disk.

    Raises:
        sqlite3.Error: If the file cannot be written.
    """
    with contextlib.closing(connect(path, "rwc")) as connection:
        _empty_database().backup(connection)


@functools.cache
def _empty_database() -> sqlite3.Connection:
    """Return a database in memory with Optuna's tables, cached, without loading Optuna's migrations."""
    connection = connect_to_memory()
    settings = {"creator": lambda: connection, "poolclass": sqlalchemy.StaticPool}
    versions = {"schema_version": models.SCHEMA_VERSION, "library_version": optuna.__version__}
    with sqlalchemy.create_engine(_ANY_FILE, **settings).begin() as made:
        models.BaseModel.metadata.create_all(made)
        made.execute(models.VersionInfoModel.__table__.insert().values(**versions))
        _ALEMBIC.create(made)
        made.execute(_ALEMBIC.insert().values(version_num=VERSION))
    return connection


def lasting_engine(storage: Storage) -> sqlalchemy.Engine:
    """Return an engine on the storage's database with one connection, replaced when it breaks.

    Each statement sees all that was committed before it, because a turn must see the previous turn.
    """
    pool = {"poolclass": sqlalchemy.QueuePool, "pool_size": 1, "max_overflow": 0}
    settings = {**storage.engine_kwargs, **pool, "isolation_level": "READ COMMITTED"}
    engine = sqlalchemy.create_engine(storage.url, **settings)
    sqlalchemy.event.listen(engine, "connect", _bound_idleness)
    return engine


def _bound_idleness(connection: Any, _: object) -> None:
    """Make the server end idle transactions and their locks, for drivers whose host has vanished."""
    connection.execute(f"SET idle_in_transaction_session_timeout = '{PATIENCE_S}s'")
    connection.commit()
