"""What a database of studies offers, and which kind of it a URL names."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from sweep.definition.registries import Registry
from sweep.errors import StorageAddressError
from sweep.storage.database.reading import Reader
from sweep.storage.folders import Folder

if TYPE_CHECKING:  # reading loads no Optuna
    from sweep.storage.database.optuna_schema import Storage

KINDS = Registry(
    {
        "sqlite:///": "sweep.storage.database.sqlite:SQLiteDatabase",
        "postgresql://": "sweep.storage.database.postgres:PostgresDatabase",
        "postgres://": "sweep.storage.database.postgres:PostgresDatabase",
        "postgresql+psycopg://": "sweep.storage.database.postgres:PostgresDatabase",
    }
)
"""How a URL begins -> the ``Database`` that it names."""

_Result = TypeVar("_Result")


class Database:
    """One database of studies, with the folder of files that belong to it.

    ``Database(url)`` is of the kind that the URL names, as ``pathlib.Path`` is of the system's.
    """

    is_shared = False
    """Whether several drivers may run a study at the same time."""
    where: str
    """What it is called in messages; never shows a password."""
    address: str
    """The URL that names it, without a password."""
    files: Folder
    """Where files of studies stand."""
    programs: Path
    """Folder of this machine where the programs of studies write; see ``program_folder``."""

    def __new__(cls, url: str, files: Path | str | None = None) -> Self:
        """Choose the kind.

        Raises:
            StorageAddressError: If the URL is of a kind that is not supported.
        """
        return object.__new__(cast("type[Self]", _kind_of(url)) if cls is Database else cls)

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """Check the URL; nothing is opened yet.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql://USER@HOST:PORT/DATABASE``.
            files: Folder of the files, or ``s3://BUCKET/PREFIX``, for a server, which has none beside it.

        Raises:
            StorageAddressError: If the URL cannot be understood, or the two do not go together.
        """

    def exists(self) -> bool:
        """Say whether there is a database, or something in its place."""
        raise NotImplementedError

    def program_folder(self, study_name: str) -> Path:
        """Return the folder in which the programs of a study have one for each trial, absolute."""
        return self.programs.absolute() / study_name

    def open_for_writing(self) -> "Storage":
        """Open the database, creating it where there is none.

        Raises:
            StorageError: If it is damaged, locked, out of reach, or no database of studies.
            MachineError: If the folder of files cannot be written.
        """
        raise NotImplementedError

    def open_read_only(self) -> Reader:
        """Open the database so that nothing can be changed and no writer is held up.

        Raises:
            NotFoundError: If there is no database.
            StorageError: If it is damaged, locked, out of reach, or no database of studies.
        """
        raise NotImplementedError

    def open_for_dashboard(self) -> "Storage":
        """Open the database likewise, for Optuna's own programs; raises the same."""
        raise NotImplementedError

    def driver_lock(self, study_name: str) -> contextlib.AbstractContextManager[None]:
        """Hold a study alone, so that no driver runs it; it ends with the process, however that dies.

        Raises:
            StudyConflictError: If a driver runs it, with its host and process.
        """
        raise NotImplementedError

    def opening(self) -> contextlib.AbstractContextManager[None]:
        """Be the only one who makes, opens or leaves a study; may be entered again inside."""
        return contextlib.nullcontext()

    def patiently(self, work: Callable[[], _Result]) -> _Result:
        """Do what may be done again, until the database can be reached."""
        return work()


def _kind_of(url: str) -> Any:
    for start in KINDS:
        if url.startswith(start):
            return KINDS[start]
    start = url.partition(":")[0]
    known = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    raise StorageAddressError(f"storage must be {known}, got one that starts with {start!r}")
