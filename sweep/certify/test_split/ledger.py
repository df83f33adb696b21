"""Record the test units that this user has looked at, in any database.

The ledger is a file of the user with one line of JSON for each look, so that a new database, study name or
configuration does not make a used test split count as unused. The key of the sketches is stored beside it.
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
from sweep.storage.looks.stored_looks import TestLook
from sweep.storage.looks.unit_sketch import KEY_BYTES

VARIABLE = "SWEEP_LEDGER"
"""Environment variable that overrides the path of the ledger."""


def ledger_path() -> Path:
    """Return the path of the ledger."""
    return Path(os.environ.get(VARIABLE) or platformdirs.user_state_path("sweep") / "test-looks.jsonl")


@contextlib.contextmanager
def ledger_lock() -> Iterator[None]:
    """Lock the ledger, so that this user's other looks wait."""
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
    """Return the key of this user's sketches; the first call creates it. Requires the lock.

    Raises:
        StorageError: If the key file is damaged.
        MachineError: If the key file cannot be read or written.
    """
    path = ledger_path().with_name(ledger_path().name + ".key")
    with machine_errors(path):
        if not path.exists():
            _write_new(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise StorageError(
            f"{path}: a key has {KEY_BYTES} bytes, this has {len(key)}; restore the file, or remove it "
            "(then only exactly equal test units of earlier looks are recognised)"
        )
    return key


def _write_new(path: Path, content: bytes) -> None:
    """Write a file atomically, readable only by the user."""
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
    """Append a look; a later line with the same id replaces an earlier one. Requires the lock."""
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
            except OSError:  # a partial line would make the whole ledger unreadable
                os.ftruncate(descriptor, before)
                raise


def read_ledger() -> list[TestLook]:
    """Return all looks of this user, oldest first.

    Raises:
        StorageError: If a line cannot be read; skipping it could lose a look.
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
