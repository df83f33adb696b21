"""List and check the names of the stored studies."""

import hashlib
import re

from sweep.definition.plain import check_kind
from sweep.storage import stored_kinds
from sweep.storage.database import Reader, Snapshot, storage_errors
from sweep.storage.database.schema import OWN_STUDIES, STUDY_IDS

_CONFIRMATION = "/confirm"

_STORED_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
"""Valid names of stored studies: those of study files, and such names with ``@`` and a hash, for a study of
another words list. Each can name a folder and has no control characters."""


_READABLE = 64
"""Characters of a guest's name that the name of its folder keeps."""


def study_names(reader: Reader) -> list[str]:
    """Return the names of all studies except confirmations, oldest first; guests may have any name."""
    with storage_errors("database"), reader.snapshot() as snapshot:
        ids, guests = ids_in(snapshot), guest_ids(snapshot)
    return [name for name, study_id in ids.items() if confirmed_study(name) is None or study_id in guests]


def is_guest(reader: Reader, name: str) -> bool:
    """Return whether a name is that of a study that Optuna made without sweep."""
    with storage_errors("database"), reader.snapshot() as snapshot:
        return ids_in(snapshot).get(name) in guest_ids(snapshot)


def folder_name(name: str) -> str:
    """Return the name of the folder of a study's reports, safe even for a guest's name.

    Examples:
        >>> folder_name("names"), folder_name("../my study")
        ('names', 'my-study-fcf5b546')
    """
    if _STORED_NAME.fullmatch(name):
        return name
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:_READABLE]
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{readable}-{digest}" if readable else f"study-{digest}"


def guest_ids(snapshot: Snapshot) -> set[int]:
    """Return the ids of the studies that Optuna made without sweep."""
    with stored_kinds.damage_refused("the database"):
        return {*ids_in(snapshot).values()} - {study_id for (study_id,) in snapshot.rows(OWN_STUDIES)}


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
