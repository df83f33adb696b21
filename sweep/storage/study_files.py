"""Guard the files of a study: lock it as a whole, and keep databases from replacing each other's files.

Several databases can have their files in one folder. So each study's folder there has a mark that names its
owner: a study in a database on a server, by an id that is stored with the study, or ``sqlite``, because an
SQLite file has its folder for itself. A folder that an older version wrote has no mark until the next run.
"""

import contextlib
import json
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from sweep.errors import StudyConflictError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database, Reader, machine_errors, storage_errors
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.database.schema import HIDDEN_ATTRIBUTES
from sweep.storage.folders import LOCK, Folder
from sweep.storage.stored_kinds import damage_refused
from sweep.storage.study_names import confirmation_name, confirmed_study, study_ids
from sweep.storage.study_store import store_hidden

OWNER = "sweep:files"
"""System attribute of a study on a server: the id of the owner of its files."""

_MARK = f"{LOCK}study.json"
_SQLITE = "sqlite"


class _Mark(NamedTuple):
    """The owner of a folder."""

    owner: str | None
    """None while a study is copied to a server or deleted, and if that was interrupted."""
    database: str
    """The owner's database in messages."""


@contextlib.contextmanager
def whole_study_lock(database: Database, name: str) -> Iterator[None]:
    """Lock a study and its confirmation, whose files lie inside the study's, so that no driver runs either.

    Raises:
        StudyConflictError: If a driver runs one of them; the message names its host and process.
    """
    with database.driver_lock(name), database.driver_lock(confirmation_name(name)):
        yield


def check_files(database: Database, reader: Reader, name: str) -> None:
    """Refuse to write or remove the files of a study, or of a confirmation, if they are another database's.

    A folder without a mark is taken for the study's if the study is stored, or if the database is a file.

    Raises:
        StudyConflictError: If the folder has another database's files.
    """
    study = confirmed_study(name) or name
    mark = _read_mark(database.files / study)
    if mark is None:
        is_own = not database.is_shared or study in study_ids(reader)
    else:
        is_own = mark.owner in _owners(database, reader)
    if not is_own:
        _refuse_files(database, study, mark, "--files")


def check_free(database: Database, reader: Reader, name: str, option: str = "--files") -> None:
    """Refuse to replace the files under a name that no stored study has, unless they are the database's own.

    They are its own if a rename or a copy was interrupted.

    Args:
        database: The database.
        reader: The same, opened.
        name: A study's name that is free.
        option: The option that chooses the folder of files.

    Raises:
        StudyConflictError: If the folder has files that may be another database's.
    """
    mark = _read_mark(database.files / name)
    if mark is None or mark.owner not in _owners(database, reader):
        _refuse_files(database, name, mark, option)


def mark_files(database: Database, storage: Storage, name: str, at: str | None = None) -> None:
    """Mark the folder of a study, or of a confirmation, as the study's own; write nothing if it is.

    Args:
        database: The database.
        storage: The same, opened for writing.
        name: The study; it need not be stored yet.
        at: The name that the study is about to get; None is its own name.
    """
    study = confirmed_study(name) or name
    owner, folder = _owner(database, storage, study), database.files / (at or study)
    mark = _read_mark(folder)
    if mark is None or mark.owner != owner:
        _write_mark(folder, _Mark(owner, database.where))


def release_files(database: Database, name: str) -> None:
    """Mark the files of a study as nobody's before it is deleted, in case the deletion is interrupted."""
    folder = database.files / name
    if database.is_shared and _read_mark(folder) is not None:
        _write_mark(folder, _Mark(None, database.where))


def remove_files(database: Database, name: str) -> None:
    """Remove a study's files and its mark."""
    folder = database.files / name
    Checkpoints(folder).remove()
    folder.remove([_MARK])


def _owners(database: Database, reader: Reader) -> set[str | None]:
    """Return the owners that are of this database or nobody."""
    if not database.is_shared:
        return {None, _SQLITE}
    with storage_errors(database.where), damage_refused("the database"), reader.snapshot() as snapshot:
        return {None, *(str(json.loads(text)["id"]) for (text,) in snapshot.rows(HIDDEN_ATTRIBUTES, OWNER))}


def _owner(database: Database, storage: Storage, study: str) -> str | None:
    """Return the id that is stored with a study on a server, after storing one if there is none."""
    if not database.is_shared:
        return _SQLITE
    with storage_errors(database.where), damage_refused("the database"):
        study_id = study_ids(storage).get(study)
        if study_id is None:
            return None
        stored = storage.get_study_system_attrs(study_id).get(OWNER)
        if stored is None:
            stored = {"id": str(uuid.uuid4())}
            store_hidden(storage, study, OWNER, stored)
        return str(stored["id"])


def _read_mark(folder: Folder) -> _Mark | None:
    """Return the mark of a folder; None if there is none, or a damaged one."""
    with machine_errors(folder.where):
        content = folder.read(_MARK)
    try:
        mark = json.loads(content or b"null")
        owner, where = mark["owner"], mark["database"]
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return _Mark(owner, where) if isinstance(owner, str | None) and isinstance(where, str) else None


def _write_mark(folder: Folder, mark: _Mark) -> None:
    with machine_errors(folder.where):
        folder.write({_MARK: json.dumps(mark._asdict()).encode()})


def _refuse_files(database: Database, name: str, mark: _Mark | None, option: str) -> None:
    """Raise the error, unless there are no files."""
    folder = database.files / name
    with machine_errors(folder.where):
        if not folder.names():
            return
    owner = "a study of an unknown database" if mark is None else f"study {name!r} of {mark.database!s:.200}"
    another = f"choose another folder with {option}" if database.is_shared else "choose another database"
    raise StudyConflictError(
        f"{folder.where} has the files of {owner}, which would be lost; {another}, or move the folder away "
        "if nobody needs it",
        key="foreign-files",
    )
