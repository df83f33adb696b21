"""Is this machine ready to sweep?"""

import dataclasses
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sweep.certify.ledger import ledger_path
from sweep.errors import SweepError
from sweep.execution.pools.pool import describe
from sweep.storage.database import Database
from sweep.storage.environment import describe_environment
from sweep.storage.folders import Folder, LocalFolder
from sweep.storage.study_store import study_names
from sweep.task import AnyTask, default_engine, prepare_worker, resolve_device
from sweep.tasks.mlp.engines.code_cache import examine_code_cache

ENOUGH_DISK = 500_000_000
"""Bytes below which a disk is called nearly full."""

_WORDS = ("anna", "bob", "cara", "dan", "eva", "finn", "gina", "hugo", "ida", "jan", "kim", "lea")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    text: str
    is_good: bool = True


def examine(task: AnyTask, database: Database) -> Iterator[Finding]:
    """Look at versions, device, compiled code, database, permissions and disk, and take a training step.

    Nothing of the user's is changed; the step stores the compiled engine if it was missing or damaged.
    """
    for subject, text in {**describe_environment(), "sqlite": sqlite3.sqlite_version}.items():
        yield Finding(subject=subject, text=text)
    device = resolve_device(task, "auto")
    yield Finding(subject="device", text=device)
    yield _examine_code_cache()
    yield _examine_training(task, device)
    yield _examine_database(database)
    yield _examine_files(database.files)
    yield _examine_folder("ledger", ledger_path().parent)
    here = database.files.path.parent if isinstance(database.files, LocalFolder) else Path()
    free = shutil.disk_usage(_existing(here)).free
    yield Finding(subject="disk", text=f"{free / 1e9:.1f} GB free", is_good=free > ENOUGH_DISK)


def _examine_code_cache() -> Finding:
    state = examine_code_cache(probe=True)
    where = f"{state.folder}: " if state.folder else ""
    text = f"{where}{state.fault or 'writable'}"
    return Finding(subject="compiled code", text=text, is_good=not state.fault)


def _examine_training(task: AnyTask, device: str) -> Finding:
    """Take one step on a few words with the device's engine."""
    engine, started = default_engine(task, device), time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            words = Path(folder, "words.txt")
            words.write_text("\n".join(_WORDS))
            data = task.load_data({"words": str(words)})
        prepare_worker(task, data, engine=engine, device=device)
    except Exception as error:  # noqa: BLE001  whatever it is, a run would end with it
        return Finding(subject="training", text=describe(error), is_good=False)
    seconds = time.monotonic() - started
    return Finding(subject="training", text=f"one step with engine {engine}, ready after {seconds:.1f} s")


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
