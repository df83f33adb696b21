"""Record which drivers run a study, and which driver trains which trial.

A study on this machine has one driver, which needs no turns (``NoTurns``). A shared study has two tables of
sweep's own beside Optuna's. Each driver is a row with a lease, which it renews with every write; a claim names the driver
that trains a trial. When a lease has expired, any driver may delete the row: its claims are deleted with it,
and its trials are free. The number of a driver is never reused (a fencing token), so a driver whose row is
gone detects that and stops writing.

The clock is the server's. After a restart of the server, no lease expires for the duration of a lease,
because no driver could renew its lease meanwhile.

References:
    Gray, Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File Cache
    Consistency", SOSP 1989.
"""

import os
import socket
from collections.abc import Callable
from typing import Protocol

import sqlalchemy

from sweep.storage.database.optuna_schema import STUDIES, TRIALS

LEASE_S = 60.0
"""Seconds without a write after which a driver is presumed dead."""


class Turn(Protocol):
    """Coordinates a driver's writes with those of other drivers."""

    def begin(self, connection: sqlalchemy.Connection) -> None:
        """Begin a transaction; refuse it if the driver has lost its trials."""

    def end(self) -> None:
        """Record that a transaction was committed."""

    def until_answered(self, work: Callable[[], None]) -> None:
        """Run a transaction, and repeat it if its answer was lost."""

    def take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        """Claim a trial for this driver."""

    def holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return whether this driver has a claim on a trial."""

    def give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Remove this driver's claim on a trial; return whether there was one."""


class NoTurns:
    """The ``Turn`` of a study's only driver, without coordination: the study's lock excludes others."""

    def begin(self, connection: sqlalchemy.Connection) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def until_answered(self, work: Callable[[], None]) -> None:
        """Run a transaction once; a local database always answers."""
        work()

    def take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        """Do nothing: every trial belongs to this driver."""

    def holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return True: every trial belongs to this driver."""
        return True

    def give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return True: there is no claim to remove."""
        return True


_TABLES = sqlalchemy.MetaData()

DRIVERS = sqlalchemy.Table(
    "sweep_drivers",
    _TABLES,
    sqlalchemy.Column("driver_id", sqlalchemy.Integer, sqlalchemy.Identity(), primary_key=True),
    sqlalchemy.Column(
        "study_id", sqlalchemy.ForeignKey(STUDIES.c.study_id, ondelete="CASCADE"), nullable=False, index=True
    ),
    sqlalchemy.Column("host", sqlalchemy.Text, nullable=False),
    sqlalchemy.Column("pid", sqlalchemy.Integer, nullable=False),
    sqlalchemy.Column("lease_until", sqlalchemy.DateTime(timezone=True), nullable=False),
)

CLAIMS = sqlalchemy.Table(
    "sweep_claims",
    _TABLES,
    sqlalchemy.Column(
        "trial_id", sqlalchemy.ForeignKey(TRIALS.c.trial_id, ondelete="CASCADE"), primary_key=True
    ),
    sqlalchemy.Column(
        "driver_id",
        sqlalchemy.ForeignKey(DRIVERS.c.driver_id, ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
)

_now = sqlalchemy.func.clock_timestamp()


def create_tables(engine: sqlalchemy.Engine) -> None:
    """Create the two tables if they are missing."""
    _TABLES.create_all(engine)


def living_drivers(engine: sqlalchemy.Engine, study_name: str) -> list[str]:
    """Return the drivers that run a study now, as process and host."""
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table(DRIVERS.name):
            return []
        lives = (
            sqlalchemy.select(DRIVERS.c.pid, DRIVERS.c.host)
            .join(STUDIES)
            .where(STUDIES.c.study_name == study_name, DRIVERS.c.lease_until > _now)
        )
        rows = connection.execute(lives.order_by(DRIVERS.c.driver_id))
        return [f"process {row.pid} on {row.host!r}" for row in rows]


def join(connection: sqlalchemy.Connection, study_id: int) -> int:
    """Add this process to a study's drivers; return its number."""
    row = {"study_id": study_id, "host": socket.gethostname(), "pid": os.getpid()}
    insert = DRIVERS.insert().values(**row, lease_until=_in(LEASE_S)).returning(DRIVERS.c.driver_id)
    number: int = connection.execute(insert).scalar_one()
    return number


def leave(connection: sqlalchemy.Connection, driver_id: int) -> None:
    """Remove a driver and its claims."""
    connection.execute(DRIVERS.delete().where(DRIVERS.c.driver_id == driver_id))


def renew(connection: sqlalchemy.Connection, driver_id: int) -> bool:
    """Renew a lease; return whether the driver still has one.

    Until the transaction ends, no other driver can delete the lease.
    """
    change = DRIVERS.update().where(DRIVERS.c.driver_id == driver_id).values(lease_until=_in(LEASE_S))
    return connection.execute(change).rowcount == 1


def remove_dead(connection: sqlalchemy.Connection, study_id: int) -> None:
    """Free the trials of drivers whose lease expired while the server could be reached."""
    up_since = sqlalchemy.func.pg_postmaster_start_time()
    is_dead = sqlalchemy.and_(
        DRIVERS.c.study_id == study_id, DRIVERS.c.lease_until < _now, up_since < _in(-LEASE_S)
    )
    connection.execute(DRIVERS.delete().where(is_dead))


def count_others(connection: sqlalchemy.Connection, study_id: int, driver_id: int) -> int:
    """Return the number of other drivers of a study."""
    others = sqlalchemy.select(sqlalchemy.func.count()).where(
        DRIVERS.c.study_id == study_id, DRIVERS.c.driver_id != driver_id
    )
    return int(connection.execute(others).scalar_one())


def _in(seconds: float) -> sqlalchemy.ColumnElement[object]:
    return _now + sqlalchemy.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
