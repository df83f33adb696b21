"""The names of the stored studies: listed, checked, changed and removed."""

import re

import sqlalchemy
from optuna.storages import RDBStorage

from sweep.definition.plain import check_kind
from sweep.errors import NotFoundError, StudyConflictError
from sweep.storage import stored_kinds
from sweep.storage.database import storage_errors

_STUDIES = sqlalchemy.table("studies", sqlalchemy.column("study_id"), sqlalchemy.column("study_name"))

_CONFIRMATION = "/confirm"

_STORED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
"""What a stored study may be called: more than in a study file, since one of another list has ``@`` and
a hash behind its name; still the name of one folder, which steers no terminal."""


def study_names(storage: RDBStorage) -> list[str]:
    """Return the names of all studies but confirmations, oldest first."""
    return [name for name in all_study_names(storage) if not name.endswith(_CONFIRMATION)]


def all_study_names(storage: RDBStorage) -> list[str]:
    """Return the names of all studies, those of confirmations too, oldest first."""
    with storage_errors("database"):
        return list(study_ids(storage))


def is_study_name(name: str) -> bool:
    """Say whether a stored name is one that sweep gives, and so can name a folder."""
    return _STORED_NAME.fullmatch(name.removesuffix(_CONFIRMATION)) is not None


def confirmation_name(study: str) -> str:
    """Return under which name a study's confirmation is stored; no study file can have it."""
    return study + _CONFIRMATION


def confirmed_study(name: str) -> str | None:
    """Return the study that ``name`` is the confirmation of; None where it is a study's own name."""
    return name.removesuffix(_CONFIRMATION) if name.endswith(_CONFIRMATION) else None


def rename_study(storage: RDBStorage, old: str, new: str) -> None:
    """Give a study and its confirmation another name, in one transaction.

    Raises:
        NotFoundError: If there is no study ``old``.
        StudyConflictError: If there is one named ``new``.
    """
    with storage_errors(old):
        names = study_ids(storage)
        if old not in names:
            raise NotFoundError(f"no study {old!r} in the database")
        if new in names:
            raise StudyConflictError(f"a study {new!r} exists already; choose another name")
        with storage.engine.begin() as connection:
            for before, after in ((old, new), (confirmation_name(old), confirmation_name(new))):
                change = _STUDIES.update().where(_STUDIES.c.study_name == before).values(study_name=after)
                connection.execute(change)


def delete_study(storage: RDBStorage, name: str) -> None:
    """Remove a study with its trials and its confirmation.

    Raises:
        NotFoundError: If there is none of that name.
    """
    with storage_errors(name):
        names = study_ids(storage)
        if name not in names:
            raise NotFoundError(f"no study {name!r} in the database")
        for stored in (confirmation_name(name), name):
            if stored in names:
                storage.delete_study(names[stored])


def study_ids(storage: RDBStorage) -> dict[str, int]:
    """Return name -> id, oldest first; nothing else is read, so that a damaged study hides no other."""
    with stored_kinds.damage_refused("the database"), storage.engine.connect() as connection:
        query = sqlalchemy.select(_STUDIES.c.study_name, _STUDIES.c.study_id).order_by(_STUDIES.c.study_id)
        ids = {row.study_name: row.study_id for row in connection.execute(query)}
        check_kind(ids, dict[str, int], "names of studies")
    return ids
