"""Provide trials to one of several drivers.

Drivers claim in turn. Before a claim, a driver reads the changes of the others. It takes over the trials of
dead drivers, and waits for the others before the study counts as finished.
"""

import contextlib
import time
from collections.abc import Callable, Collection, Iterable

from sweep.definition.records import StudyRecord
from sweep.errors import StorageUnreachableError
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.running_trial import RunningTrial
from sweep.storage.database.postgres import RUNNING_PATIENCE_S, patiently
from sweep.storage.shared_study import LeaseLostError, SharedStudy, Standing
from sweep.storage.stored_trials import trial_record

IDLE_S = 1.0
"""Seconds after which a driver with nothing to train checks for trials again."""

Stored = tuple[StudyRecord, dict[int, int]]
"""A stored study, and the ids of its trials by number."""


class Shared:
    """The source of trials for one of several drivers."""

    def __init__(
        self,
        claimer: Claimer,
        known: KnownTrials,
        shared: SharedStudy,
        *,
        stored: Stored,
        read: Callable[[], Stored],
    ) -> None:
        """Follow the unfinished trials of ``stored``.

        Args:
            claimer: Begins trials.
            known: All trials that this driver knows.
            shared: The study among its drivers.
            stored: The stored study from which ``known`` was made.
            read: Returns the study as stored now; called if the outcome of a turn is unknown.
        """
        self._claimer, self._known, self._shared = claimer, known, shared
        self._read = read
        self._followed: dict[int, int] = {}
        """Id of a trial that others may train -> number of its known rungs."""
        self._free: list[int] = []
        """Ids of the trials that no driver trains."""
        self._look_again = 0.0
        self._is_stale = False
        """Whether the known trials may be wrong, because the outcome of the last turn is unknown."""
        self._awaits_others = True
        self._follow(stored, own=())

    @property
    def is_full(self) -> bool:
        """Whether the next trial would not end in time."""
        return self._claimer.is_full

    def next_trial(self, device: str, own: Collection[int]) -> RunningTrial | None:
        """Take over a trial that no driver trains, or else claim a new one, in turn with other drivers."""
        if time.monotonic() < self._look_again:
            return None
        trial = patiently(lambda: self._take_turn(device, own), RUNNING_PATIENCE_S)
        if trial is None:
            self._look_again = time.monotonic() + IDLE_S
        return trial

    def keep_alive(self) -> None:
        """Renew the lease if that is due."""
        with contextlib.suppress(StorageUnreachableError):
            self._shared.renew_when_due()

    def is_over(self) -> bool:
        """Return whether no driver trains any more, or no new trial may begin or would end in time."""
        is_last = not self._awaits_others and self._known.are_all_claimed
        return self.is_full or self._claimer.was_barred or is_last

    def release(self, trials: Iterable[RunningTrial]) -> None:
        """Release trials for other drivers; if that fails, the end of the lease releases them."""
        with contextlib.suppress(StorageUnreachableError, LeaseLostError):
            for trial in trials:
                self._shared.writer.release(trial.trial_id)

    def _follow(self, stored: Stored, own: Collection[int]) -> None:
        study, ids = stored
        others = [trial for trial in study.trials if not trial.is_finished and ids[trial.number] not in own]
        self._followed = {ids[trial.number]: len(trial.rungs) for trial in others}

    def _take_turn(self, device: str, own: Collection[int]) -> RunningTrial | None:
        """Take one turn; if its outcome is unknown, the next one reads the stored study again."""
        if self._is_stale:
            stored = self._read()
            self._known.start_from(stored[0])
            self._follow(stored, own)
        self._is_stale = True
        trial = self._shared.in_turn(lambda: self._next_in_turn(device, own))
        self._is_stale = self.is_full  # the sampler counts an unclaimed proposal as a trial
        return trial

    def _next_in_turn(self, device: str, own: Collection[int]) -> RunningTrial | None:
        self._catch_up(own)
        if self._free and self._claimer.is_barred():
            return None
        if self._free:
            (trial,) = self._shared.read_trials(self._free[:1])
            self._followed.pop(trial.trial_id, None)
            return self._claimer.take_over(trial_record(trial), trial.trial_id, device)
        return self._claimer.claim_next(device)

    def _catch_up(self, own: Collection[int]) -> None:
        """Read what other drivers claimed, reported and ended since the last turn."""
        standings = self._shared.standings(self._known.proposer.claimed, self._followed, own)
        self._learn_changes({standing.trial_id: standing for standing in standings})
        asked = [standing for standing in standings if standing.number < self._known.proposer.wanted]
        self._free = [standing.trial_id for standing in asked if standing.is_free]
        self._awaits_others = any(not standing.is_finished for standing in asked)

    def _learn_changes(self, standings: dict[int, Standing]) -> None:
        changed = [
            each
            for each, standing in standings.items()
            if standing.is_finished or self._followed.get(each) != standing.rungs
        ]
        for trial in self._shared.read_trials(changed):
            record = trial_record(trial)
            self._known.learn(record)
            if record.is_finished:
                self._followed.pop(trial.trial_id, None)
            else:
                self._followed[trial.trial_id] = standings[trial.trial_id].rungs
