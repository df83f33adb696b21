"""Write a study that several drivers train.

Trials are written by ``study_writer``, with three additions. Every transaction first renews the driver's
lease, so that a driver that was presumed dead writes nothing. A driver claims new trials in turn, under a
lock on the study, so that numbers have no gaps, the total counts the trials of all drivers, and a sampler
knows all earlier claims. And a write whose answer was lost with the connection is repeated.
"""

import contextlib
import math
import time
from collections.abc import Callable, Collection
from typing import NamedTuple, TypeVar

import sqlalchemy
from optuna.trial import TrialState
from sqlalchemy.dialects import postgresql

from sweep.errors import StorageError
from sweep.storage import leases
from sweep.storage.database import Snapshot
from sweep.storage.database.optuna_schema import REPORTS, STUDIES, TRIALS, Storage, lasting_engine
from sweep.storage.database.postgres import RUNNING_PATIENCE_S, patiently
from sweep.storage.database.schema import OF_TRIALS
from sweep.storage.leases import CLAIMS
from sweep.storage.stored_trials import SEAL, StoredTrial, read_trials
from sweep.storage.study_writer import StudyWriter

_UNFINISHED = (TrialState.RUNNING, TrialState.WAITING)

LEAVING_PATIENCE_S = 5.0
"""Seconds of retries by a driver that leaves; after that, its lease expires by itself."""

_Result = TypeVar("_Result")


class LeaseLostError(Exception):
    """This driver lost its lease (it was presumed dead); its trials are free for others."""


class Standing(NamedTuple):
    """The state of a trial that another driver may be writing."""

    trial_id: int
    number: int
    is_finished: bool
    rungs: int
    """Number of rungs that the trial has reported."""
    is_free: bool
    """Whether the trial is unfinished and no driver trains it."""


class Lease:
    """The ``Turn`` of one of several drivers, with a lease on the study and claims on trials."""

    def __init__(self) -> None:
        """Initialize without a lease."""
        self.driver_id = -1
        self._is_held = False
        self._renewed = -math.inf

    @property
    def is_due(self) -> bool:
        """Whether the last write was so long ago that the lease should be renewed."""
        return time.monotonic() - self._renewed > leases.LEASE_S / 4

    def join(self, connection: sqlalchemy.Connection, study_id: int) -> None:
        """Add this driver to the drivers of the study."""
        self.driver_id = leases.join(connection, study_id)
        self._is_held = True

    def abandon(self) -> None:
        """Stop renewing the lease."""
        self._is_held = False

    def begin(self, connection: sqlalchemy.Connection) -> None:
        """Renew the lease.

        Raises:
            LeaseLostError: If the driver has lost the lease.
        """
        if self._is_held and not leases.renew(connection, self.driver_id):
            raise LeaseLostError

    def end(self) -> None:
        """Record when the lease was renewed."""
        self._renewed = time.monotonic()

    def until_answered(self, work: Callable[[], None]) -> None:
        """Run a transaction, and repeat it while the server does not answer."""
        patiently(work, RUNNING_PATIENCE_S)

    def take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        """Claim a trial, perhaps again: the answer to an earlier claim may have been lost."""
        claim = postgresql.insert(CLAIMS).values(trial_id=trial_id, driver_id=self.driver_id)
        mine = {"driver_id": self.driver_id}
        connection.execute(claim.on_conflict_do_update(index_elements=["trial_id"], set_=mine))

    def holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return whether this driver has a claim on a trial."""
        own = sqlalchemy.select(CLAIMS.c.trial_id).where(*self._claim(trial_id))
        return connection.execute(own).one_or_none() is not None

    def give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Remove this driver's claim on a trial; return whether there was one."""
        return connection.execute(CLAIMS.delete().where(*self._claim(trial_id))).rowcount == 1

    def _claim(self, trial_id: int) -> tuple[sqlalchemy.ColumnElement[bool], ...]:
        return CLAIMS.c.trial_id == trial_id, CLAIMS.c.driver_id == self.driver_id


class SharedStudy:
    """A study that several drivers train, with the writer of one of them."""

    def __init__(self, storage: Storage, study_id: int, name: str) -> None:
        """Initialize for an existing study; call ``join`` before writing."""
        self._engine = lasting_engine(storage)
        self._study_id, self._name = study_id, name
        self._lease = Lease()
        self.writer = StudyWriter(self._engine, study_id, name, self._lease)

    def join(self) -> None:
        """Add this driver to the drivers of the study."""
        with self.writer.one_transaction() as connection:
            self._lease.join(connection, self._study_id)

    def leave(self) -> bool:
        """Leave the study's drivers; return whether no other driver remains."""
        self._lease.abandon()
        with contextlib.closing(self):
            return patiently(self._leave, LEAVING_PATIENCE_S)

    def _leave(self) -> bool:
        with self.writer.one_transaction() as connection:
            leases.leave(connection, self._lease.driver_id)
            return not leases.count_others(connection, self._study_id, self._lease.driver_id)

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def renew_when_due(self) -> None:
        """Renew the lease if the last write was long ago."""
        if self._lease.is_due:
            with self.writer.one_transaction():
                pass

    def in_turn(self, work: Callable[[], _Result]) -> _Result:
        """Call ``work`` in one transaction during which no other driver can claim."""
        with self.writer.one_transaction() as connection:
            lock = sqlalchemy.select(STUDIES.c.study_id).where(STUDIES.c.study_id == self._study_id)
            if connection.execute(lock.with_for_update(key_share=True)).one_or_none() is None:
                raise StorageError(f"study {self._name!r} was deleted")
            leases.remove_dead(connection, self._study_id)
            return work()

    def standings(self, known: int, followed: Collection[int], own: Collection[int]) -> list[Standing]:
        """Return the state of each trial that may have changed, by number.

        Args:
            known: Number below which trials are known, except ``followed``.
            followed: Ids of trials that other drivers were training.
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
        with self.writer.one_transaction() as connection:
            return [
                Standing(
                    trial_id=trial_id,
                    number=number,
                    is_finished=state not in _UNFINISHED,
                    rungs=reported,
                    is_free=state in _UNFINISHED and claimant in (None, self._lease.driver_id),
                )
                for trial_id, number, state, claimant, reported in connection.execute(rows)
                if trial_id not in own
            ]

    def read_trials(self, ids: Collection[int]) -> list[StoredTrial]:
        """Return trials as stored now, by number."""
        if not ids:
            return []
        with (
            self.writer.one_transaction() as connection,
            contextlib.closing(connection.connection.cursor()) as cursor,
        ):
            trials = read_trials(Snapshot(cursor, "%s"), OF_TRIALS, list(ids))
        for trial in trials:
            if not trial.is_finished:  # the trial may have ended while its parts were read
                trial.system_attrs.pop(SEAL, None)
        return sorted(trials, key=lambda trial: trial.number)
