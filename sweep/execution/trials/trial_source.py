"""Provide a driver's next trial.

``LoneSource`` is for a study's only driver; ``shared_source`` is for one of several.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from sweep.definition.records import StudyRecord
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.running_trial import RunningTrial
from sweep.storage.study_writer import StudyWriter


class TrialSource(Protocol):
    """Provides a driver's next trial."""

    @property
    def is_full(self) -> bool:
        """Whether the next trial would not end in time, so that no more trials begin."""

    def next_trial(self, device: str, own: Collection[int]) -> RunningTrial | None:
        """Take over an interrupted trial, or else claim a new one; None if there is no trial now.

        Args:
            device: The trial's device.
            own: Ids of the trials that this driver trains.
        """

    def keep_alive(self) -> None:
        """Show other drivers that this one is alive; called several times a second."""

    def is_over(self) -> bool:
        """Return whether no more trials will begin; called when none is in training here."""

    def release(self, trials: Iterable[RunningTrial]) -> None:
        """Release trials in training for the next run or another driver."""


class LoneSource:
    """The source of a study's only driver: first the trials that earlier runs left, then new ones."""

    def __init__(
        self, claimer: Claimer, writer: StudyWriter, study: StudyRecord, ids: Mapping[int, int]
    ) -> None:
        """Begin with the unfinished trials of a stored study; ``ids`` are their ids in the database."""
        self._claimer, self._writer = claimer, writer
        self._unfinished = [(trial, ids[trial.number]) for trial in study.trials if not trial.is_finished]

    @property
    def is_full(self) -> bool:
        """Whether the next trial would not end in time."""
        return self._claimer.is_full

    def next_trial(self, device: str, own: Collection[int]) -> RunningTrial | None:
        """Take over an interrupted trial, else claim a new one; None if neither is left."""
        if self._unfinished and self._claimer.is_barred():
            return None
        if self._unfinished:
            return self._claimer.take_over(*self._unfinished.pop(0), device)
        return self._claimer.claim_next(device)

    def keep_alive(self) -> None:
        """Do nothing: the study's lock is held."""

    def is_over(self) -> bool:
        """Return True: no other driver trains."""
        return True

    def release(self, trials: Iterable[RunningTrial]) -> None:
        """Release trials in training for the next run."""
        for trial in trials:
            self._writer.release(trial.trial_id)
