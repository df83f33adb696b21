"""Databases in files, and processes that die while they use one."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sweep.storage.database import Database
from tests.faults import launcher
from tests.support.sweep_command import DEADLINE_S


def database_at(path: Path) -> Database:
    return Database(f"sqlite:///{path}")


def in_process(function: Callable[[Path], None], path: Path) -> int | None:
    process = launcher.loaded().Process(target=function, args=(path,))
    process.start()
    process.join(DEADLINE_S)
    return process.exitcode


def die_in_commit(path: Path) -> None:
    """Write more than SQLite keeps in memory, so that the file is changed before the commit."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE studies SET study_name = 'lost'")
    connection.executemany(
        "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (1, ?, ?)",
        [(f"key {n}", "x" * 2_000) for n in range(200)],
    )
    os._exit(9)
