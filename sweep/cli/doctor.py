"""Check whether this machine is ready to sweep."""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from sweep.certify.test_split.ledger import ledger_path
from sweep.errors import SweepError
from sweep.execution.pools.pool import describe
from sweep.storage.database import Database
from sweep.storage.environment import describe_environment
from sweep.storage.folders import Folder, LocalFolder
from sweep.storage.study_names import study_names
from sweep.task import AnyTask, ExaminesMachine, Finding, default_engine, resolve_device

ENOUGH_DISK = 500_000_000
"""Bytes below which a disk is called nearly full."""


def examine(task: AnyTask, database: Database) -> Iterator[Finding]:
    """Look at versions, device, database, permissions, disk and what the trainer keeps; take a training step.

    Nothing of the user's is changed; the step may store code that the trainer compiled.
    """
    for subject, text in {**describe_environment(), "sqlite": sqlite3.sqlite_version}.items():
        yield Finding(subject=subject, text=text)
    device = resolve_device(task, "auto")
    yield Finding(subject="device", text=device)
    yield from _examine_trainer(task, device)
    yield _examine_database(database)
    yield _examine_files(database.files)
    yield _examine_folder("ledger", ledger_path().parent)
    here = database.files.path.parent if isinstance(database.files, LocalFolder) else Path()
    free = shutil.disk_usage(_existing(here)).free
    yield Finding(subject="disk", text=f"{free / 1e9:.1f} GB free", is_good=free > ENOUGH_DISK)


def _examine_trainer(task: AnyTask, device: str) -> Iterator[Finding]:
    """Look at what the trainer keeps, and take one step with the device's engine."""
    if not isinstance(task, ExaminesMachine):
        return
    yield from task.examine()
    engine, started = default_engine(task, device), time.monotonic()
    try:
        task.try_out(engine, device)
    except Exception as error:  # noqa: BLE001  whatever it is, a run would end with it
        yield Finding(subject="training", text=describe(error), is_good=False)
        return
    seconds = time.monotonic() - started
    yield Finding(subject="training", text=f"one step with engine {engine}, ready after {seconds:.1f} s")


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
