"""How do several drivers run one study?

Each as a driver that is alone, but for four things: it claims in turn, after it has learnt what the
others did; it takes over the trials of drivers that died; it waits for the others before it
says that the study is over; and it tidies only the files of trials that it ended itself.
"""

import contextlib
import time
from collections.abc import Callable

from sweep.definition.optuna_objects import trial_id
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.spec import StudySpec
from sweep.errors import StorageUnreachableError
from sweep.execution.driver import POLL_S, Driver, Live, RunSummary
from sweep.execution.events import Warned
from sweep.execution.pools.pool import Pool
from sweep.execution.run_request import RunRequest
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database, machine_errors
from sweep.storage.postgres import RUNNING_PATIENCE_S, patiently
from sweep.storage.shared_study import LeaseLostError, SharedStudy
from sweep.storage.study_store import ensure_study, load_study, trial_ids, trial_record

IDLE_S = 1.0
"""After how many seconds a driver with nothing to train looks for something again."""

_Stored = tuple[StudyRecord, dict[int, int]]


def run_shared(spec: StudySpec, database: Database, request: RunRequest) -> RunSummary:
    """Train trials of a study beside other drivers.

    A driver that lost its lease, because it was stopped or cut off for long, rejoins as a new driver.
    """
    workload = request.workload
    storage = database.open_for_writing()
    checkpoints = Checkpoints(database.files / spec.name)
    deadline = None if spec.timeout is None else time.monotonic() + spec.timeout
    trained = 0

    def read() -> _Stored:
        return load_study(storage, spec.name), trial_ids(storage, spec.name)

    def join() -> SharedStudy:
        with database.opening():
            study_id = ensure_study(storage, spec, workload.task, workload.data)
            shared = SharedStudy(storage, study_id, spec.name)
            shared.join()
        return shared

    while True:
        shared = database.patiently(join)
        driver = SharedDriver(request, spec=spec, shared=shared, checkpoints=checkpoints, read=read)
        try:
            with machine_errors(database.files.where):
                stopped_by = driver.run()
        except LeaseLostError:
            shared.close()
            request.observe(
                Warned(text="this driver was cut off and taken for dead; it goes on as a new one")
            )
            if deadline is not None:
                spec = spec.replace(timeout=max(1e-3, deadline - time.monotonic()))
            continue
        except BaseException:
            with contextlib.suppress(StorageUnreachableError):
                shared.leave()
            raise
        finally:
            trained += driver.trained
        break
    with contextlib.suppress(StorageUnreachableError), database.opening():
        if shared.leave():
            driver.tidy_all()
    study, _ = database.patiently(read)
    return RunSummary(study=study, trained=trained, stopped_by=stopped_by)


class SharedDriver(Driver):
    """One of the drivers of a study."""

    def __init__(
        self,
        request: RunRequest,
        *,
        spec: StudySpec,
        shared: SharedStudy,
        checkpoints: Checkpoints,
        read: Callable[[], _Stored],
    ) -> None:
        """Learn what is stored; ``read`` is called again whenever a turn's outcome is unknown."""
        self._read, self._shared = read, shared
        self._followed: dict[int, int] = {}
        self._free: list[int] = []
        self._look_again = 0.0
        self._is_stale = False
        self._awaited = True
        self._ended: set[int] = set()
        self._tidies_all = False
        study, ids = patiently(read, RUNNING_PATIENCE_S)
        super().__init__(
            request, spec=spec, writer=shared.writer, checkpoints=checkpoints, study=study, ids=ids
        )

    def start_from(self, study: StudyRecord, ids: dict[int, int]) -> None:
        """Learn what is stored, and which trials others may train."""
        super().start_from(study, ids)
        others = [(trial, trial_id) for trial, trial_id in self.unfinished if trial.number not in self.live]
        self._followed = {trial_id: len(trial.rungs) for trial, trial_id in others}

    def advance(self, pool: Pool) -> bool:
        """Go on; the study is over when nobody trains any more."""
        with contextlib.suppress(StorageUnreachableError):
            self._shared.renew_when_due()
        if not super().advance(pool):
            return False
        if self.is_full or (not self._awaited and len(self.params) >= self.spec.total_trials):
            return True
        time.sleep(POLL_S)
        return False

    def next_trial(self) -> Live | None:
        """Take over a trial that nobody trains, else claim a new one, in turn with other drivers."""
        if time.monotonic() < self._look_again:
            return None
        live = patiently(self._turn, RUNNING_PATIENCE_S)
        if live is None:
            self._look_again = time.monotonic() + IDLE_S
        return live

    def release(self, pool: Pool) -> None:
        """Leave the running trials to others; where they cannot be told, the lease's end tells them."""
        with contextlib.suppress(StorageUnreachableError, LeaseLostError):
            super().release(pool)

    def tidy(self, number: int, *, keep: bool) -> None:
        """Tidy a trial's files if it ended here: two drivers in one folder would trip over each other."""
        if number in self.live:
            self._ended.add(number)
        if self._tidies_all or number in self._ended:
            super().tidy(number, keep=keep)

    def tidy_all(self) -> None:
        """Tidy every finished trial's files, as the last driver of the study."""
        self._tidies_all = True
        self.start_from(*self._read())

    def _turn(self) -> Live | None:
        """Do one turn; one whose outcome is unknown leaves memory behind that may be wrong."""
        if self._is_stale:
            self.start_from(*self._read())
        self._is_stale = True
        live = self._shared.in_turn(self._next_in_turn)
        self._is_stale = self.is_full  # a proposal that was not claimed stands in the mirror
        return live

    def _next_in_turn(self) -> Live | None:
        self._catch_up()
        if self._free:
            (trial,) = self._shared.read_trials(self._free[:1])
            self._followed.pop(trial_id(trial), None)
            return self.take_over(trial_record(trial), trial_id(trial))
        return self.claim_next()

    def _catch_up(self) -> None:
        """Learn what other drivers claimed, reported and ended since the last turn."""
        own = {live.trial_id for live in self.live.values()}
        standings = self._shared.standings(len(self.params), self._followed, own)
        rungs = {standing.trial_id: standing.rungs for standing in standings}
        changed = [
            standing.trial_id
            for standing in standings
            if standing.is_finished or self._followed.get(standing.trial_id) != standing.rungs
        ]
        for trial in self._shared.read_trials(changed):
            record = trial_record(trial)
            self._take_in(record)
            if record.is_finished:
                self._followed.pop(trial_id(trial), None)
            else:
                self._followed[trial_id(trial)] = rungs[trial_id(trial)]
        ours = self.spec.total_trials
        self._free = [s.trial_id for s in standings if s.is_free and s.number < ours]
        self._awaited = any(not s.is_finished and s.number < ours for s in standings)

    def _take_in(self, record: TrialRecord) -> None:
        if record.number == len(self.params):
            self.params.append(record.params)
            self.mirror.add(record)
        else:
            self.mirror.follow(record)
        for percent, loss in record.rungs.items():
            self.stand(record.number, percent, loss)
        if record.is_finished:
            self.done += 1
            self.close(record.number, record.dev_loss)
