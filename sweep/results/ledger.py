"""Which test words has this user seen, whatever the database?

One line of JSON for each look, in a file of the user's own, so that a new database, study name
or configuration does not make a used test split unused.
"""

import contextlib
import dataclasses
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import filelock
import platformdirs

from sweep.errors import StorageError
from sweep.search.database import machine_errors
from sweep.search.sqlite_file import PATIENCE_S
from sweep.search.test_looks import TestLook

VARIABLE = "SWEEP_LEDGER"
"""Environment variable that names another file."""


def ledger_path() -> Path:
    """Return where the ledger is kept."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_state_path("sweep") / "test-looks.jsonl")


@contextlib.contextmanager
def ledger_lock() -> Iterator[None]:
    """Keep this user's other looks waiting."""
    path = ledger_path()
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = filelock.FileLock(path.with_name(path.name + ".lock"), timeout=PATIENCE_S)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def append_to_ledger(look: TestLook) -> None:
    """Add a look, under the lock; a later line of the same id completes an earlier one."""
    path = ledger_path()
    with machine_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = json.dumps(dataclasses.asdict(look)) + "\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            before = os.fstat(descriptor).st_size
            try:
                if file.write(line.encode()) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
                os.fsync(descriptor)
            except OSError:  # half a line would make all of the ledger unreadable
                os.ftruncate(descriptor, before)
                raise


def read_ledger() -> list[TestLook]:
    """Return all looks of this user, oldest first.

    Raises:
        StorageError: If a line cannot be read; a look must not be lost by a damaged file.
    """
    path = ledger_path()
    if not path.exists():
        return []
    looks: dict[str, TestLook] = {}
    with machine_errors(path):
        lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            look = TestLook.from_dict(json.loads(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise StorageError(
                f"{path}, line {number}: not a record of a test look; restore the file"
            ) from error
        looks[look.look_id] = look
    return list(looks.values())
