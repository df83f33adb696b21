"""Open a database on a PostgreSQL server, which several drivers share.

Each driver has one lasting connection through psycopg, replaced when it breaks. The password is removed from
the URL and passed only to the connection, so no text of sweep contains it.

References:
    https://www.postgresql.org/docs/current/explicit-locking.html (advisory locks)
"""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy

from sweep.errors import (
    NotFoundError,
    StorageAddressError,
    StorageError,
    StorageUnreachableError,
    StudyConflictError,
)
from sweep.storage.bucket import SCHEME, bucket_folder
from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database
from sweep.storage.database.reading import Snapshot, postgres_snapshot
from sweep.storage.database.schema import TABLES_VERSION, check_version
from sweep.storage.folders import Folder, LocalFolder

if TYPE_CHECKING:  # loaded only for writing
    from sweep.storage.database.optuna_schema import Storage

OPENING_PATIENCE_S = 10.0
"""Seconds of retries when a database is opened and the server does not answer."""

RUNNING_PATIENCE_S = 300.0
"""Seconds of retries by a driver that has something to store."""

FILES_VARIABLE = "SWEEP_FILES"

_RETRY_S = 0.25
_OPENING_S = 600
"""Seconds to wait while others create, open or leave studies."""

_OPENING_KEY = 0x73776565703031
"""Key of the advisory lock for creating, opening and leaving a study; "sweep01" in hex."""

_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TABLES = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"

_FORM = "postgresql://USER@HOST:PORT/DATABASE"

_Result = TypeVar("_Result")


class PostgresDatabase(Database):
    """A database on a server, shared by any number of drivers on any hosts."""

    is_shared = True

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """Check the URL; nothing is opened yet.

        Args:
            url: ``postgresql://USER@HOST:PORT/DATABASE``, with ``:PASSWORD`` after the user if needed;
                omitted parts are taken from libpq's variables and files (``~/.pgpass``).
            files: Folder that all hosts share, or ``s3://BUCKET/PREFIX``; by default ``SWEEP_FILES``, else
                ``studies/DATABASE.d`` in the working folder.

        Raises:
            StorageAddressError: If the URL is invalid. The message does not contain it.
        """
        parsed = _parse(url)
        self._secrets = {} if parsed.password is None else {"password": str(parsed.password)}
        self._url = parsed._replace(drivername="postgresql+psycopg", password=None)
        self.where = parsed._replace(password=None, query=sqlalchemy.util.immutabledict()).render_as_string()
        self.address = self.where
        assert parsed.database, "checked with the URL"
        files = files or os.environ.get(FILES_VARIABLE)
        if files is None and not _FOLDER_NAME.fullmatch(parsed.database):
            raise StorageAddressError(
                f"database {parsed.database!r} cannot name a folder; give one with --files DIR"
            )
        self.programs = Path(f"studies/{parsed.database}.programs")
        self.files = _folder_at(str(files or f"studies/{parsed.database}.d"))
        self._opened = 0

    def exists(self) -> bool:
        """Return whether there are tables of studies."""
        return self._patiently_opening(lambda: "studies" in self._tables())

    def open_for_writing(self) -> "Storage":
        """Open the database, creating missing tables; see ``Database``."""
        with machine_errors(self.files.where):
            self.files.open()
        return self._patiently_opening(self._open_for_writing)

    def open_read_only(self) -> "PostgresReader":
        """Open the database for reading only; see ``Database``."""
        return self._patiently_opening(self._open_read_only)

    def open_for_dashboard(self) -> "Storage":
        """Open the database for reading by Optuna's own programs; see ``Database``."""
        return self._patiently_opening(self._open_for_dashboard)

    @contextlib.contextmanager
    def driver_lock(self, study_name: str) -> Iterator[None]:
        """Lock a study; see ``Database``."""
        with self.opening():
            drivers = self._drivers(study_name)
            if drivers:
                raise StudyConflictError(
                    f"study {study_name!r} is being run by {', '.join(drivers)}; wait for it or stop it"
                )
            yield

    @contextlib.contextmanager
    def opening(self) -> Iterator[None]:
        """Hold an advisory lock on a separate connection, which ends with the process."""
        if self._opened:
            yield
            return
        engine = self._engine(poolclass=sqlalchemy.NullPool)
        with contextlib.ExitStack() as stack:
            connection = self._patiently_opening(engine.connect)
            stack.callback(self._close, connection)
            with storage_errors(self.where):
                connection.exec_driver_sql(f"SET lock_timeout = '{_OPENING_S}s'")
                connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_lock(_OPENING_KEY)))
            self._opened += 1
            try:
                yield
            finally:
                self._opened -= 1

    def patiently(self, work: Callable[[], _Result]) -> _Result:
        """Call a repeatable function until the server answers or the patience ends."""
        return patiently(work, RUNNING_PATIENCE_S)

    def _patiently_opening(self, work: Callable[[], _Result]) -> _Result:
        def do() -> _Result:
            with storage_errors(self.where):
                return work()

        return patiently(do, OPENING_PATIENCE_S)

    def _open_for_writing(self) -> "Storage":
        from sweep.storage.database.optuna_schema import open_storage
        from sweep.storage.leases import create_tables

        with self.opening():
            self._check_tables()
            storage = open_storage(self._text(), self._settings())
            create_tables(storage.engine)
        return storage

    def _open_read_only(self) -> "PostgresReader":
        self._check_there()
        return PostgresReader(self._connect, self.where)

    def _open_for_dashboard(self) -> "Storage":
        from sweep.storage.database.optuna_schema import open_storage

        self._check_there()
        settings = self._settings(execution_options={"postgresql_readonly": True})
        return open_storage(self._text(), settings, skip_table_creation=True)

    def _check_there(self) -> None:
        if "studies" not in self._check_tables():
            raise NotFoundError(
                f"no studies in {self.where}; `sweep run STUDY.toml --storage URL` creates one"
            )

    def _check_tables(self) -> set[str]:
        tables = self._tables()
        if "studies" in tables and not {"trials", "version_info"} <= tables:
            raise StorageError(f"{self.where} belongs to another program; choose another database")
        return tables

    def _tables(self) -> set[str]:
        with contextlib.closing(self._connect()) as connection, postgres_snapshot(connection) as snapshot:
            return {name for (name,) in snapshot.rows(_TABLES)}

    def _connect(self) -> Any:
        """Return a read-only connection of psycopg, whose transactions read snapshots."""
        with _missing_psycopg():
            psycopg = self._url.get_dialect().import_dbapi()
        _, where = self._url.get_dialect()().create_connect_args(self._url)
        connection = psycopg.connect(**where, **self._connect_args())
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        return connection

    def _drivers(self, study_name: str) -> list[str]:
        from sweep.storage.leases import living_drivers

        engine = self._engine(poolclass=sqlalchemy.NullPool)
        return self._patiently_opening(lambda: living_drivers(engine, study_name))

    def _engine(self, **settings: Any) -> sqlalchemy.Engine:
        with _missing_psycopg():
            return sqlalchemy.create_engine(self._url, connect_args=self._connect_args(), **settings)

    def _settings(self, **more: Any) -> dict[str, Any]:
        """Return the engine settings of Optuna's storage, with a new connection for each use.

        A transaction reads a snapshot, such as consistent parts of a trial.
        """
        usual = {"poolclass": sqlalchemy.NullPool, "isolation_level": "REPEATABLE READ"}
        return {"connect_args": self._connect_args(), **usual, **more}

    def _connect_args(self) -> dict[str, Any]:
        usual = {"connect_timeout": 10, "application_name": "sweep"}
        return {**{key: value for key, value in usual.items() if key not in self._url.query}, **self._secrets}

    def _text(self) -> str:
        with _missing_psycopg():
            self._url.get_dialect().import_dbapi()
        return self._url.render_as_string()

    @staticmethod
    def _close(connection: sqlalchemy.Connection) -> None:
        with contextlib.suppress(sqlalchemy.exc.SQLAlchemyError):  # if the server has ended, so has the lock
            connection.close()


class PostgresReader:
    """Reads from a server, with a new connection for each snapshot; see ``Reader``."""

    def __init__(self, connect: Callable[[], Any], where: str) -> None:
        """Check the version of the tables; raises the errors of ``schema.check_version``."""
        self._connect = connect
        with self.snapshot() as snapshot:
            check_version(where, snapshot.rows(TABLES_VERSION))

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Begin reading; see ``Reader``."""
        with contextlib.closing(self._connect()) as connection, postgres_snapshot(connection) as snapshot:
            yield snapshot


def patiently(work: Callable[[], _Result], patience_s: float) -> _Result:
    """Call ``work``, and repeat it while the server does not answer.

    Raises:
        StorageUnreachableError: If the server does not answer for ``patience_s`` seconds.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return work()
        except StorageUnreachableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


def _folder_at(place: str) -> Folder:
    return bucket_folder(place) if place.startswith(SCHEME) else LocalFolder(Path(place))


def _parse(url: str) -> sqlalchemy.URL:
    """Return the parts of a URL; messages about an invalid one do not repeat it."""
    try:
        parsed = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise StorageAddressError(
            f"storage cannot be read as {_FORM}; % @ : / in a password are written %25 …"
        ) from None
    if not parsed.database:
        raise StorageAddressError(f"storage names no database; it must be {_FORM}")
    if set("{}") & set(parsed.database):
        raise StorageAddressError(f"database {parsed.database!r} contains a brace; choose another name")
    if {"password", "sslpassword"} & set(parsed.query):
        raise StorageAddressError(
            "storage has a password after its ?; write it after the user, or in ~/.pgpass"
        )
    return parsed._replace(drivername="postgresql")


@contextlib.contextmanager
def _missing_psycopg() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise StorageError("postgresql:// needs psycopg: pip install 'psycopg[binary]'") from error
