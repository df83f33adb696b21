"""How are trials written while other drivers write too?

As ``study_writer`` does, with three things more. Every transaction first renews the driver's lease,
so that a driver that was taken for dead writes nothing. New trials are claimed in turn, under a
lock on the study, so that numbers have no gap, the total is a total across drivers, and a sampler
knows all that was claimed before. And a write whose answer was lost with the connection is done again.
"""

import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import orm

from sweep.definition.space import Space
from sweep.errors import StorageError
from sweep.storage import drivers
from sweep.storage.drivers import CLAIMS
from sweep.storage.optuna_schema import REPORTS, STUDIES, TRIALS, TrialModel, trial_builder
from sweep.storage.postgres import RUNNING_PATIENCE_S, lasting_engine, patiently
from sweep.storage.study_writer import SEAL, StudyWriter

_UNFINISHED = (TrialState.RUNNING, TrialState.WAITING)

LEAVING_PATIENCE_S = 5.0
"""How long a server is asked again by a driver that leaves; otherwise its lease will run out."""

_Result = TypeVar("_Result")


class LeaseLostError(Exception):
    """This driver was taken for dead, and its trials are others' by now."""


class Standing(NamedTuple):
    """Where a trial stands that another driver may be writing."""

    trial_id: int
    number: int
    is_finished: bool
    rungs: int
    """How many rungs it has reported."""
    is_free: bool
    """Whether it is unfinished and nobody trains it."""


class SharedWriter(StudyWriter):
    """One of the writers of a shared study's trials."""

    def __init__(self, storage: RDBStorage, study_id: int, name: str) -> None:
        """Take a study that exists; ``join`` before anything is written."""
        super().__init__(storage, study_id, name)
        self._engine = lasting_engine(storage)
        self._build = trial_builder(storage)
        self._renewed = -math.inf
        self.driver_id = -1

    def join(self) -> None:
        """Become one of the study's drivers."""
        with super().one_transaction() as connection:
            self.driver_id = drivers.join(connection, self._study_id)

    def leave(self) -> bool:
        """Stop being one; say whether no other is left."""
        with contextlib.closing(self):
            return patiently(self._leave, LEAVING_PATIENCE_S)

    def _leave(self) -> bool:
        with super().one_transaction() as connection:
            drivers.leave(connection, self.driver_id)
            return not drivers.count_others(connection, self._study_id, self.driver_id)

    def close(self) -> None:
        """Give up the connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[sqlalchemy.Connection]:
        """Let the writes inside become one commit, or none, of a driver that has its lease.

        Raises:
            LeaseLostError: If it has lost it.
            StorageUnreachableError: If the server does not answer; whether the commit is stored is unknown.
        """
        if self._joined is not None:
            yield self._joined
            return
        with super().one_transaction() as connection:
            if not drivers.renew(connection, self.driver_id):
                raise LeaseLostError
            yield connection
        self._renewed = time.monotonic()

    def renew_when_due(self) -> None:
        """Renew the lease where nothing was written for long."""
        if time.monotonic() - self._renewed > drivers.LEASE_S / 4:
            with self.one_transaction():
                pass

    def commit(self, trial_id: int, write: Callable[[], None]) -> None:
        """Write something of a trial of this driver, again where the answer was lost.

        A trial's end gives up the claim in the same commit. So if the claim is gone at the second
        try, the first one was stored.
        """
        tried = False

        def once() -> None:
            nonlocal tried
            with self.one_transaction() as connection:
                if not tried or self._holds(connection, trial_id):
                    tried = True
                    write()

        patiently(once, RUNNING_PATIENCE_S)

    def in_turn(self, work: Callable[[], _Result]) -> _Result:
        """Do ``work`` in one transaction while no other driver claims."""
        with self.one_transaction() as connection:
            lock = sqlalchemy.select(STUDIES.c.study_id).where(STUDIES.c.study_id == self._study_id)
            if connection.execute(lock.with_for_update(key_share=True)).one_or_none() is None:
                raise StorageError(f"study {self._name!r} was deleted")
            drivers.remove_dead(connection, self._study_id)
            return work()

    def standings(self, known: int, followed: Collection[int], own: Collection[int]) -> list[Standing]:
        """Return where the trials stand that may have changed, by number.

        Args:
            known: Trials with lower numbers are known,
            followed: but for these, by id, which others trained.
            own: Ids of trials that this driver trains.
        """
        claimed_by = CLAIMS.c.driver_id
        rungs = sqlalchemy.select(sqlalchemy.func.count()).where(REPORTS.c.trial_id == TRIALS.c.trial_id)
        rows = (
            sqlalchemy.select(
                TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state, claimed_by, rungs.scalar_subquery()
            )
            .outerjoin(CLAIMS, CLAIMS.c.trial_id == TRIALS.c.trial_id)
            .where(TRIALS.c.study_id == self._study_id)
            .where(
                TRIALS.c.state.in_(_UNFINISHED) | (TRIALS.c.number >= known) | TRIALS.c.trial_id.in_(followed)
            )
            .order_by(TRIALS.c.number)
        )
        with self.one_transaction() as connection:
            return [
                Standing(
                    trial_id=trial_id,
                    number=number,
                    is_finished=state not in _UNFINISHED,
                    rungs=reported,
                    is_free=state in _UNFINISHED and claimant in (None, self.driver_id),
                )
                for trial_id, number, state, claimant, reported in connection.execute(rows)
                if trial_id not in own
            ]

    def read_trials(self, ids: Collection[int]) -> list[FrozenTrial]:
        """Return trials as they stand, by number."""
        if not ids:
            return []
        parts = ("params", "values", "user_attributes", "system_attributes", "intermediate_values")
        load = [orm.selectinload(getattr(TrialModel, part)) for part in parts]
        wanted = sqlalchemy.select(TrialModel).where(TrialModel.trial_id.in_(ids))
        with self.one_transaction() as connection, orm.Session(connection) as session:
            rows = session.scalars(wanted.options(*load).order_by(TrialModel.number))
            trials = [self._build(row) for row in rows]
        for trial in trials:
            if not trial.state.is_finished():  # it may have ended while its parts were read
                trial.system_attrs.pop(SEAL, None)
        return trials

    def claim(
        self,
        params: Mapping[str, Any],
        space: Space,
        seed: int,
        facts: Mapping[str, Any],
        origin: Mapping[str, str],
    ) -> int:
        """Store a running trial of this driver; return its id."""
        with self.one_transaction() as connection:
            trial_id = super().claim(params, space, seed, facts, origin)
            self._take(connection, trial_id)
        return trial_id

    def reclaim(self, trial_id: int, origin: Mapping[str, str]) -> None:
        """Make a free trial a running one of this driver."""
        with self.one_transaction() as connection:
            super().reclaim(trial_id, origin)
            connection.execute(CLAIMS.delete().where(CLAIMS.c.trial_id == trial_id))  # an answer was lost
            self._take(connection, trial_id)

    def end(self, trial_id: int, state: str, **outcome: Any) -> None:
        """Store how a trial ended, and give up its claim."""
        with self.one_transaction() as connection:
            super().end(trial_id, state, **outcome)
            self._give_up(connection, trial_id)

    def release(self, trial_id: int) -> None:
        """Leave a trial to any driver."""
        with self.one_transaction() as connection:
            super().release(trial_id)
            self._give_up(connection, trial_id)

    def _take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        connection.execute(CLAIMS.insert().values(trial_id=trial_id, driver_id=self.driver_id))

    def _give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        own = (CLAIMS.c.trial_id == trial_id, CLAIMS.c.driver_id == self.driver_id)
        self._change_one(connection, CLAIMS.delete().where(*own))

    def _holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        own = (CLAIMS.c.trial_id == trial_id, CLAIMS.c.driver_id == self.driver_id)
        return connection.execute(sqlalchemy.select(CLAIMS.c.trial_id).where(*own)).one_or_none() is not None
