"""Turn errors of a database or its machine into one line with advice."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import filelock

from sweep.errors import MachineError, StorageError, StorageUnreachableError
from sweep.storage.database.sqlite_file import PATIENCE_S


@contextlib.contextmanager
def storage_errors(where: Path | str) -> Iterator[None]:
    """Turn errors of the database into one line with advice."""
    try:
        yield
    except filelock.Timeout as error:
        raise StorageError(f"{where} is being opened by another process; try again") from error
    except _loaded(_DATABASE_ERRORS) as error:
        if _is_passing(error):
            raise StorageUnreachableError(
                f"{where} does not answer: {_first_line(_texts(error)[-1])}"
            ) from error
        raise StorageError(f"{where}: {_advice(error)}") from error
    except RuntimeError as error:
        if "incompatible" not in str(error) and "table schema" not in str(error):
            raise
        raise StorageError(
            f"{where} was made by another version of Optuna: {_first_line(str(error))}"
        ) from error


_DATABASE_ERRORS = (
    *("sqlite3:Error", "psycopg:Error"),
    *("sqlalchemy.exc:SQLAlchemyError", "optuna.exceptions:StorageInternalError"),
)
"""``module:class`` of the errors that access to a database can raise."""

_CONNECTION_ERRORS = (
    *("sqlalchemy.exc:OperationalError", "sqlalchemy.exc:InterfaceError"),
    *("psycopg:OperationalError", "psycopg:InterfaceError"),
)
"""The errors that a lost connection may raise."""


def _loaded(places: tuple[str, ...]) -> tuple[type[Exception], ...]:
    """Return the classes of loaded libraries; a library that is not loaded cannot have raised an error."""
    named = [place.partition(":") for place in places]
    return tuple(getattr(sys.modules[module], name) for module, _, name in named if module in sys.modules)


@contextlib.contextmanager
def machine_errors(where: Path | str) -> Iterator[None]:
    """Turn errors of the operating system into one line."""
    try:
        yield
    except OSError as error:
        if isinstance(error, (MachineError, BrokenPipeError, filelock.Timeout)):
            raise
        raise MachineError(f"{error.filename or where}: {error.strerror or error}") from error


_ADVICE = {
    "locked": f"locked by another process for more than {PATIENCE_S} s; stop that process or wait",
    "disk is full": "the disk is full; free some space and run again, nothing stored is lost",
    "SQLITE_READONLY_DBMOVED": "the file was moved, replaced or deleted while it was open; run again to "
    "use the file that is there now",
    "SQLITE_READONLY_ROLLBACK": "its writer was interrupted, and reading must not repair the file; run the "
    "writer again, or open a copy of the file and its -journal once with `sqlite3 COPY .tables`",
    "SQLITE_READONLY_RECOVERY": "its log cannot be read without writing; close its writer, or copy the file",
    "SQLITE_READONLY_CANTINIT": "its log cannot be read without writing; close its writer, or copy the file",
    "permission denied for schema": "this user may not create tables; as the owner of the database run "
    "GRANT USAGE, CREATE ON SCHEMA public TO the user",
    "permission denied for": "this user may not use the tables; as their owner run "
    "GRANT ALL ON ALL TABLES, and ON ALL SEQUENCES, IN SCHEMA public TO the user",
    "no password supplied": "the server requires a password; write it after the user, USER:PASSWORD@HOST, "
    "or in ~/.pgpass",
    "readonly": "the database or its folder is read-only; choose another database",
    "unable to open": "cannot be opened; check the path and its permissions",
    "malformed": "the database is damaged; restore a copy",
    "not a database": "not an SQLite database; choose another",
}


def _advice(error: BaseException) -> str:
    texts = _texts(error)
    for symptom, advice in _ADVICE.items():
        if any(symptom in text for text in texts):
            return advice
    return f"database error: {_first_line(texts[-1])}"


def _texts(error: BaseException) -> list[str]:
    """Return the texts of an error and of its chain of causes, each after SQLite's name for the error."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts += [getattr(cause, "sqlite_errorname", ""), str(cause)]
        cause = cause.__cause__
    return texts


_PASSING_CODES = ("08", "40", "57P")
"""First characters of PostgreSQL's codes for: connection lost, transaction conflict, shutting down."""

_FINAL_WORDS = (
    "FATAL",
    "no password supplied",
    "authentication",
    "certificate",
    "does not support SSL",
    "invalid",
)
"""Words in errors of a connection that will fail again, unless one of ``_PASSING_WORDS`` also occurs."""

_PASSING_WORDS = (
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "not yet accepting",
    "remaining connection",
)


def _is_passing(error: BaseException | None) -> bool:
    """Return whether a server was unreachable or busy, so that a retry may succeed."""
    while error is not None:
        if isinstance(error, _loaded(_CONNECTION_ERRORS)):
            raised = getattr(error, "orig", error)  # SQLAlchemy's wrapper keeps psycopg's error
            code = getattr(raised, "sqlstate", "")  # SQLite's errors have none
            if code is None:  # the connection itself failed
                text = str(raised)
                is_final = any(words in text for words in _FINAL_WORDS)
                return not is_final or any(words in text for words in _PASSING_WORDS)
            return bool(code) and code.startswith(_PASSING_CODES)
        error = error.__cause__
    return False


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
