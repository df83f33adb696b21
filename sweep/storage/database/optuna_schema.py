"""Optuna's database: how it is opened and made, its tables, and how a trial is made from a row.

No other module uses its private names; those of Optuna's objects are in ``definition.optuna_objects``.
The schema is Optuna 5.0's; ``libraries`` holds the accepted versions.
"""

import contextlib
import functools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from sweep.libraries import OPTUNA, private_names
from sweep.storage.database.sqlite_file import connect, connect_to_memory

with private_names(OPTUNA):
    from optuna.storages._rdb import models

    STUDIES = models.StudyModel.__table__
    DIRECTIONS = models.StudyDirectionModel.__table__
    STUDY_ATTRS = models.StudyUserAttributeModel.__table__
    STUDY_HIDDEN = models.StudySystemAttributeModel.__table__
    """Attributes of a study that the dashboard does not show as its own."""
    TRIALS = models.TrialModel.__table__
    TRIAL_ATTRS = models.TrialUserAttributeModel.__table__
    TRIAL_HIDDEN = models.TrialSystemAttributeModel.__table__
    """Attributes of a trial that the dashboard shows neither on its page nor in its table."""
    PARAMS = models.TrialParamModel.__table__
    VALUES = models.TrialValueModel.__table__
    REPORTS = models.TrialIntermediateValueModel.__table__
    FINITE = models.TrialValueModel.TrialValueType.FINITE
    FINITE_REPORT = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
    TrialModel = models.TrialModel

_accepted: set[str] = set()
"""Versions of the tables that Optuna has accepted in this process."""

_ANY_FILE = "sqlite:///sweep.db"
"""What Optuna hears of a file. Ours is connected past it: its path may hold ``{}``, ``?`` or ``%``."""


def open_storage(url: str, settings: dict[str, Any], *, skip_table_creation: bool = False) -> RDBStorage:
    """Open a database; Optuna checks each version of the tables only once a process.

    For each check Optuna loads all its migrations, which takes longer than everything else here.

    Raises:
        RuntimeError: If another version of Optuna made the tables.
    """
    storage = RDBStorage(
        url, settings, skip_compatibility_check=True, skip_table_creation=skip_table_creation
    )
    version = storage.get_current_version()
    if version not in _accepted:
        with private_names(OPTUNA):
            check = storage._version_manager.check_table_schema_compatibility
        check()
        _accepted.add(version)
    return storage


def open_file(path: Path, mode: str, *, skip_table_creation: bool = False) -> RDBStorage:
    """Open a file of SQLite, also after the process has changed its folder; ``mode`` as for ``connect``."""
    settings = {"creator": functools.partial(connect, path.resolve(), mode)}
    return open_storage(_ANY_FILE, settings, skip_table_creation=skip_table_creation)


def make_file(path: Path) -> None:
    """Make a database without studies; it is on the disk when this returns.

    Raises:
        sqlite3.Error: If it cannot be written.
    """
    with contextlib.closing(connect(path, "rwc")) as connection:
        _empty_database().backup(connection)


@functools.cache
def _empty_database() -> sqlite3.Connection:
    """Return Optuna's tables in memory, made once a process, since the migrations are loaded for them."""
    connection = connect_to_memory()
    settings = {"creator": lambda: connection, "poolclass": sqlalchemy.StaticPool}
    open_storage(_ANY_FILE, settings).remove_session()
    return connection


def trial_builder(storage: RDBStorage) -> Callable[[TrialModel], FrozenTrial]:
    """Return the function that makes a trial from its row."""
    with private_names(OPTUNA):
        build: Callable[[TrialModel], FrozenTrial] = storage._build_frozen_trial_from_trial_model
    return build
