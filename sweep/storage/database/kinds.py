"""Register the kinds of databases by the start of their URL, and load each on first use."""

from typing import Any

from sweep.definition.registries import Registry
from sweep.errors import StorageAddressError

KINDS = Registry(
    {
        "sqlite:///": "sweep.storage.database.sqlite:SQLiteDatabase",
        "journal:///": "sweep.storage.database.journal:JournalDatabase",
        "postgresql://": "sweep.storage.database.postgres:PostgresDatabase",
        "postgres://": "sweep.storage.database.postgres:PostgresDatabase",
        "postgresql+psycopg://": "sweep.storage.database.postgres:PostgresDatabase",
    }
)
"""Start of a URL -> kind of ``Database``."""


def kind_of(url: str) -> Any:
    """Return the class of a URL's database; raises ``StorageAddressError`` for any other URL."""
    for start in KINDS:
        if url.startswith(start):
            return KINDS[start]
    start = url.partition(":")[0]
    known = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    raise StorageAddressError(f"storage must be {known}, got one that starts with {start!r}")
