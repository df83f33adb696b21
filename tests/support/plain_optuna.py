"""Optuna's own storage, as a test uses it past sweep."""

import contextlib
from collections.abc import Iterator

from optuna.storages import RDBStorage
from sqlalchemy import NullPool


def plain_storage(url: str) -> RDBStorage:
    """Return a storage that leaves no connection open; Python 3.13 warns of one that nobody closes."""
    return RDBStorage(url, engine_kwargs={"poolclass": NullPool})


@contextlib.contextmanager
def pooled_storage(url: str) -> Iterator[RDBStorage]:
    """Provide a storage that keeps its connection: to log in to a server takes longer than a statement."""
    storage = RDBStorage(url)
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()
