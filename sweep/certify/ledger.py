"""Records which test units this user has looked at, in any database.

One line of JSON for each look, in a file of the user's own, so that a new database, study name
or configuration does not make a used test split unused. Beside it lies the key of the sketches.
"""

import contextlib
import dataclasses
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import filelock
import platformdirs

from sweep.errors import StorageError
from sweep.storage.database import machine_errors
from sweep.storage.database.sqlite_file import PATIENCE_S
from sweep.storage.looks.test_looks import TestLook
from sweep.storage.looks.unit_sketch import KEY_BYTES

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


def sketch_key() -> bytes:
    """Return the key of this user's sketches, under the lock; the first call draws it.

    Raises:
        StorageError: If the file of the key is damaged.
        MachineError: If it cannot be read or written.
    """
    path = ledger_path().with_name(ledger_path().name + ".key")
    with machine_errors(path):
        if not path.exists():
            _write_new(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise StorageError(
            f"{path}: a key has {KEY_BYTES} bytes, this has {len(key)}; restore the file, or remove it "
            "(test units of earlier looks are then recognised only if they are exactly the same)"
        )
    return key


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that only the user can read; it appears whole or not at all."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(path)
    finally:
        temporary.unlink(missing_ok=True)


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
