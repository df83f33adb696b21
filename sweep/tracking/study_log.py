"""Log the finished trials of a stored study that a tracker does not have yet."""

from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.tracking.tracked_run import run_key, tracked_run
from sweep.tracking.trackers import TRACKERS, Tracker


class StudyLog:
    """One study in one tracker; a trial is logged once, also by several sessions one after another."""

    def __init__(self, tracker: str, study: str, database: Database) -> None:
        """Name the tracker and the study; the tracker is opened with the first trial."""
        self._kind, self._study, self._database = tracker, study, database
        self._tracker: Tracker | None = None
        self._keys: set[str] = set()
        """Keys of the runs that the tracker has."""
        self.added = 0
        """Number of runs that were logged."""

    @property
    def where(self) -> str:
        """Place of the runs; empty before a trial has ended."""
        return "" if self._tracker is None else self._tracker.where

    def update(self) -> None:
        """Log what is stored and not logged.

        Raises:
            NotFoundError: If there is no such study.
            StorageError: If it cannot be read.
        """
        study = load_study(self._database.open_read_only(), self._study)
        finished = [trial for trial in study.trials if trial.is_finished]
        if not finished:
            return
        if self._tracker is None:
            self._tracker = TRACKERS[self._kind](self._study)
            self._keys = self._tracker.logged()
        files = Checkpoints(self._database.files / self._study)
        for trial in finished:
            if (key := run_key(study, trial)) not in self._keys:
                self._tracker.log(tracked_run(study, trial, files))
                self._keys.add(key)
                self.added += 1
