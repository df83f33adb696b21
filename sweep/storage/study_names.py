"""List and check the names of the stored studies."""

import re

from sweep.definition.plain import check_kind
from sweep.storage import stored_kinds
from sweep.storage.database import Reader, Snapshot, storage_errors
from sweep.storage.database.schema import STUDY_IDS

_CONFIRMATION = "/confirm"

_STORED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
"""Valid names of stored studies: those of study files, and such names with ``@`` and a hash, for a study of
another words list. Each can name a folder and has no control characters."""


def study_names(reader: Reader) -> list[str]:
    """Return the names of all studies except confirmations, oldest first."""
    return [name for name in all_study_names(reader) if not name.endswith(_CONFIRMATION)]


def all_study_names(reader: Reader) -> list[str]:
    """Return the names of all studies, including confirmations, oldest first."""
    with storage_errors("database"):
        return list(study_ids(reader))


def is_study_name(name: str) -> bool:
    """Return whether a stored name is valid in sweep, and so can name a folder."""
    return _STORED_NAME.fullmatch(name.removesuffix(_CONFIRMATION)) is not None


def confirmation_name(study: str) -> str:
    """Return the stored name of a study's confirmation, which no study file can have."""
    return study + _CONFIRMATION


def confirmed_study(name: str) -> str | None:
    """Return the study whose confirmation has this name; None if it is the name of a study."""
    return name.removesuffix(_CONFIRMATION) if name.endswith(_CONFIRMATION) else None


def study_ids(reader: Reader) -> dict[str, int]:
    """Return name -> id, oldest first, without reading the studies, which may be damaged."""
    with reader.snapshot() as snapshot:
        return ids_in(snapshot)


def ids_in(snapshot: Snapshot) -> dict[str, int]:
    """Return name -> id in a snapshot, oldest first."""
    with stored_kinds.damage_refused("the database"):
        ids = dict(snapshot.rows(STUDY_IDS))
        check_kind(ids, dict[str, int], "names of studies")
    return ids
