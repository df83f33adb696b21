"""Keep, remove, pack and unpack the checkpoint of a trial that has ended."""

import contextlib
import fcntl
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sweep.errors import StorageError
from sweep.storage.files import open_plain
from sweep.trainers.program.attempt import LOCK
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.live import state_of
from sweep.trainers.program.snapshots import Snapshots
from sweep.values import Toml

UPLOAD = "upload"
"""Key of a study file: whether kept checkpoints are also written to the study's storage."""


class LeavesCheckpoints:
    """A trainer whose programs write checkpoints; the capability ``task.KeepsCheckpoints``."""

    definition: Mapping[str, Toml]
    surroundings: Mapping[str, Toml]

    @property
    def uploads(self) -> bool:
        """Whether kept checkpoints are also written to the study's storage."""
        return bool(self.surroundings.get(UPLOAD, False))

    def describe_restart(self, state: bytes | None) -> str:
        """Return what an interrupted trial does; empty for a task class, which continues from its state."""
        if state_of(state) is not None:
            return ""
        own = ", from its own checkpoint if it kept one" if self.definition.get("checkpoint") else ""
        return f"starts again{own}"

    def tidy_checkpoint(self, folder: Path, *, keep: bool) -> bool:
        """Remove the copies of an ended trial's checkpoint, and the checkpoint unless ``keep``.

        Returns:
            Whether they are removed; False while the trial's program is still ending.
        """
        trial = TrialFolder(folder)
        if not _is_folder(folder) or not (_holds_something(trial, keep=keep)):
            return True
        with _unused(folder) as is_unused:
            if is_unused:
                _remove(trial, keep=keep)
            return is_unused

    def pack_checkpoint(self, folder: Path) -> bytes | None:
        """Return a checkpoint as one archive, without links; None if it has no files."""
        checkpoint = TrialFolder(folder).checkpoint
        files = sorted(_plain_files(checkpoint)) if _is_folder(checkpoint) else []
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for path in files:
                entry = zipfile.ZipInfo(path.relative_to(checkpoint).as_posix())
                with open_plain(path) as source, archive.open(entry, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target)
        return packed.getvalue() if files else None

    def unpack_checkpoint(self, packed: bytes, folder: Path) -> None:
        """Extract an archive of ``pack_checkpoint`` into a trial's folder without a checkpoint.

        Raises:
            StorageError: If the archive is damaged or not from ``pack_checkpoint``.
        """
        trial = TrialFolder(folder)
        trial.make()
        try:
            with zipfile.ZipFile(io.BytesIO(packed)) as archive:
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                    raise StorageError(
                        f"the stored checkpoint for {folder} is compressed, so sweep did not write it"
                    )
                archive.extractall(trial.checkpoint)  # never writes outside the folder
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
            raise StorageError(f"the stored checkpoint for {folder} is damaged: {error}") from error


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _holds_something(trial: TrialFolder, *, keep: bool) -> bool:
    with contextlib.suppress(OSError):
        is_empty = keep or not _is_folder(trial.checkpoint) or not any(trial.checkpoint.iterdir())
        return not is_empty or bool(Snapshots(trial.checkpoint).paths())
    return False


@contextlib.contextmanager
def _unused(folder: Path) -> Iterator[bool]:
    """Yield whether no program holds the lock of a folder; no program can start inside the context."""
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:  # no program was ever started there
        yield True
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(lock)


def _remove(trial: TrialFolder, *, keep: bool) -> None:
    """Remove all that can be removed; files of the program may be protected, and no link is followed."""
    for path in Snapshots(trial.checkpoint).paths():
        shutil.rmtree(path, ignore_errors=True)
    if not keep and _is_folder(trial.checkpoint):
        shutil.rmtree(trial.checkpoint, ignore_errors=True)
        trial.checkpoint.mkdir(mode=0o700, exist_ok=True)


def _plain_files(start: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(start):
        for name in names:
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode):
                yield path
