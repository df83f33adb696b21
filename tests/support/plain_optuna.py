"""Optuna's own storage, as a test uses it past sweep."""

from optuna.storages import RDBStorage
from sqlalchemy import NullPool


def plain_storage(url: str) -> RDBStorage:
    """Return a storage that leaves no connection open; Python 3.13 warns of one that nobody closes."""
    return RDBStorage(url, engine_kwargs={"poolclass": NullPool})
