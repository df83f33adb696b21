"""Is this machine ready to sweep?"""

import dataclasses
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sweep.errors import SweepError
from sweep.results.ledger import ledger_path
from sweep.search.database import Database
from sweep.search.environment import describe_environment
from sweep.search.folders import Folder, LocalFolder
from sweep.search.study_store import study_names
from sweep.task.protocol import AnyTask

ENOUGH_DISK = 500_000_000
"""Bytes below which a disk is called nearly full."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    text: str
    is_good: bool = True


def examine(task: AnyTask, database: Database) -> Iterator[Finding]:
    """Look at versions, device, database, permissions and disk; change nothing."""
    for subject, text in {**describe_environment(), "sqlite": sqlite3.sqlite_version}.items():
        yield Finding(subject=subject, text=text)
    yield Finding(subject="device", text=task.resolve_device("auto"))
    yield _examine_database(database)
    yield _examine_files(database.files)
    yield _examine_folder("ledger", ledger_path().parent)
    here = database.files.path.parent if isinstance(database.files, LocalFolder) else Path()
    free = shutil.disk_usage(_existing(here)).free
    yield Finding(subject="disk", text=f"{free / 1e9:.1f} GB free", is_good=free > ENOUGH_DISK)


def _examine_database(database: Database) -> Finding:
    try:
        if not database.exists():
            return Finding(subject="database", text=f"{database.where}: none yet")
        names = study_names(database.open_read_only())
    except SweepError as error:
        return Finding(subject="database", text=str(error), is_good=False)
    return Finding(subject="database", text=f"{database.where}: sound, studies {', '.join(names) or 'none'}")


def _examine_files(files: Folder) -> Finding:
    if isinstance(files, LocalFolder):
        return _examine_folder("folder", files.path.parent)
    try:
        files.open()
    except SweepError as error:
        return Finding(subject="bucket", text=str(error), is_good=False)
    return Finding(subject="bucket", text=f"{files.where}: within reach")


def _examine_folder(subject: str, path: Path) -> Finding:
    writable = os.access(_existing(path), os.W_OK)
    return Finding(subject=subject, text=f"{path}: {'' if writable else 'not '}writable", is_good=writable)


def _existing(path: Path) -> Path:
    """Return the nearest folder above that exists."""
    path = path.absolute()
    return path if path.exists() else _existing(path.parent)
