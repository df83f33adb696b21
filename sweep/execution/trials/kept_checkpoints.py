"""The checkpoints that programs leave in their trials' folders: kept as the other files of a trial are."""

from pathlib import Path
from typing import Protocol

from sweep.execution.workload import Workload
from sweep.storage.checkpoints import PACKED, Checkpoints
from sweep.task import KeepsCheckpoints


class Tidies(Protocol):
    """Removes what is not kept of a trial that has ended."""

    def tidy(self, number: int, *, keep: bool) -> None:
        """Tidy a trial's files; may be called again at any time."""

    def tidy_rest(self) -> None:
        """Tidy what could not be tidied before; every program has ended by now."""


class NoCheckpoints:
    """Of a trainer that leaves nothing in folders of its own."""

    def tidy(self, number: int, *, keep: bool) -> None:
        """Do nothing."""

    def tidy_rest(self) -> None:
        """Do nothing."""


class KeptCheckpoints:
    """The checkpoints of one study's programs in their folders on this machine."""

    def __init__(self, task: KeepsCheckpoints, programs: Path, checkpoints: Checkpoints) -> None:
        """Tidy the folders below ``programs``; with the study's ``upload`` also the study's files."""
        self._task, self._programs, self._checkpoints = task, programs, checkpoints
        self._waiting: dict[int, bool] = {}
        """Trial whose program is being ended -> whether its checkpoint is kept."""

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
    """Return what tidies the checkpoints of a run's programs."""
    task, place = workload.task, workload.place
    if place is None or place.folder is None or not isinstance(task, KeepsCheckpoints):
        return NoCheckpoints()
    return KeptCheckpoints(task, Path(place.folder), checkpoints)
