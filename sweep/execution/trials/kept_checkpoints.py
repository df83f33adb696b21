"""Keep or remove the checkpoints in the folders of programs, like a trial's other files."""

from pathlib import Path
from typing import Protocol

from sweep.execution.workload import Workload
from sweep.storage.checkpoints import PACKED, Checkpoints
from sweep.task import KeepsCheckpoints


class Tidies(Protocol):
    """Removes the files of ended trials that are not kept."""

    def tidy(self, number: int, *, keep: bool) -> None:
        """Tidy a trial's files; may be called repeatedly."""

    def tidy_rest(self) -> None:
        """Tidy the remaining files, after every program has ended."""


class NoCheckpoints:
    """The ``Tidies`` of a trainer without checkpoint folders."""

    def tidy(self, number: int, *, keep: bool) -> None:
        """Do nothing."""

    def tidy_rest(self) -> None:
        """Do nothing."""


class KeptCheckpoints:
    """Tidies the checkpoints of one study's programs on this machine."""

    def __init__(self, task: KeepsCheckpoints, programs: Path, checkpoints: Checkpoints) -> None:
        """Tidy the folders below ``programs``, and if the study uploads checkpoints, also its files."""
        self._task, self._programs, self._checkpoints = task, programs, checkpoints
        self._waiting: dict[int, bool] = {}
        """Trial whose program is still ending -> whether to keep its checkpoint."""

    def tidy(self, number: int, *, keep: bool) -> None:
        """Keep a trial's checkpoint, or remove it as soon as its program has ended."""
        self._waiting[number] = keep
        self.tidy_rest()

    def tidy_rest(self) -> None:
        """Tidy the trials whose programs have ended."""
        self._waiting = {
            number: keep for number, keep in self._waiting.items() if not self._try(number, keep)
        }

    def _try(self, number: int, keep: bool) -> bool:
        folder = self._programs / f"{number:06d}"
        if not self._task.tidy_checkpoint(folder, keep=keep):
            return False
        if self._task.uploads:
            self._upload(number, folder, keep=keep)
        return True

    def _upload(self, number: int, folder: Path, *, keep: bool) -> None:
        stored = self._checkpoints.folder(number)
        is_there = PACKED in stored.names()
        if is_there and not keep:
            stored.remove([PACKED])
        elif keep and not is_there and (packed := self._task.pack_checkpoint(folder)) is not None:
            stored.write({PACKED: packed})


def kept_checkpoints(workload: Workload, checkpoints: Checkpoints) -> Tidies:
    """Return the ``Tidies`` of a run's programs."""
    task, place = workload.task, workload.place
    if place is None or place.folder is None or not isinstance(task, KeepsCheckpoints):
        return NoCheckpoints()
    return KeptCheckpoints(task, Path(place.folder), checkpoints)
