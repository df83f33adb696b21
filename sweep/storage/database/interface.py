"""Define the interface of a database of studies; ``kinds`` chooses the kind by URL."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar, cast

from sweep.storage.database.kinds import kind_of
from sweep.storage.database.reading import Reader
from sweep.storage.folders import Folder

if TYPE_CHECKING:  # reading loads no Optuna
    from sweep.storage.database.optuna_schema import Storage

_Result = TypeVar("_Result")


class Database:
    """A database of studies, with its folder of files.

    ``Database(url)`` returns an instance of the kind that the URL names, as ``pathlib.Path`` does by system.
    """

    is_shared = False
    """Whether several drivers may run a study at the same time."""
    where: str
    """The database's name in messages, without a password."""
    address: str
    """The URL that names it, without a password."""
    files: Folder
    """The folder of the studies' files."""
    programs: Path
    """Folder of this machine for the files of programs; see ``program_folder``."""
    given: tuple[str, str | None]
    """The arguments, the URL with its password, for another process of sweep."""

    def __new__(cls, url: str, files: Path | str | None = None) -> Self:
        """Choose the kind.

        Raises:
            StorageAddressError: If the kind of URL is not supported.
        """
        made = object.__new__(cast("type[Self]", kind_of(url)) if cls is Database else cls)
        made.given = (url, None if files is None else str(files))
        return made

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """Check the URL; nothing is opened yet.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql://USER@HOST:PORT/DATABASE``.
            files: For a server, the folder of the files, or ``s3://BUCKET/PREFIX``.

        Raises:
            StorageAddressError: If the URL is invalid, or ``files`` does not apply to it.
        """

    def exists(self) -> bool:
        """Return whether there is a database, or anything else at its address."""
        raise NotImplementedError

    def program_folder(self, study_name: str) -> Path:
        """Return the absolute folder that contains one folder for each trial of a study's program."""
        return self.programs.absolute() / study_name

    def open_for_writing(self) -> "Storage":
        """Open the database, creating it if there is none.

        Raises:
            StorageError: If it is damaged, locked, unreachable, or not a database of studies.
            MachineError: If the folder of files cannot be written.
        """
        raise NotImplementedError

    def open_read_only(self) -> Reader:
        """Open the database for reading only, without blocking writers.

        Raises:
            NotFoundError: If there is no database.
            StorageError: If it is damaged, locked, unreachable, or not a database of studies.
        """
        raise NotImplementedError

    def open_for_dashboard(self) -> "Storage":
        """Open the database for reading by Optuna's own programs; raises the same errors."""
        raise NotImplementedError

    def driver_lock(self, study_name: str) -> contextlib.AbstractContextManager[None]:
        """Lock a study, so that no driver runs it; the lock ends with the process.

        Raises:
            StudyConflictError: If a driver runs the study; the message names its host and process.
        """
        raise NotImplementedError

    def opening(self) -> contextlib.AbstractContextManager[None]:
        """Lock the creating, opening and leaving of studies; the lock is reentrant."""
        return contextlib.nullcontext()

    def patiently(self, work: Callable[[], _Result]) -> _Result:
        """Call a repeatable function until the database can be reached."""
        return work()
