"""Which drivers run a study, and who trains which trial.

A study on this machine has one driver, which is ``Alone``. For a shared study there are two tables of our own
beside Optuna's. A driver is a row with a lease, which it renews with every write; a claim names the driver
that trains a trial. When a lease has run out, any driver may delete the row: its claims go with it, and its
trials are free. The number of a driver is never given again (a fencing token), so a driver whose row is
gone notices it and writes no more.

The clock is the server's. After a restart of the server nobody is taken for dead for the time of
a lease, since meanwhile nobody could renew.

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
"""A driver that did not write for so long is taken for dead."""


class Turn(Protocol):
    """What a driver adds to its writes because other drivers may write too."""

    def begin(self, connection: sqlalchemy.Connection) -> None:
        """Begin a transaction; refuse it if the driver's trials belong to others by now."""

    def end(self) -> None:
        """Note that a transaction was stored."""

    def until_answered(self, work: Callable[[], None]) -> None:
        """Do a transaction, and do it again if its answer was lost."""

    def take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        """Claim a trial for this driver."""

    def holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return whether this driver has a claim on a trial."""

    def give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Remove this driver's claim on a trial; return whether there was one."""


class Alone:
    """The ``Turn`` of a study's only driver, which has nothing to add: the study's lock keeps others away."""

    def begin(self, connection: sqlalchemy.Connection) -> None:
        """Begin any transaction."""

    def end(self) -> None:
        """Note nothing."""

    def until_answered(self, work: Callable[[], None]) -> None:
        """Do a transaction; a local database always answers."""
        work()

    def take(self, connection: sqlalchemy.Connection, trial_id: int) -> None:
        """Claim nothing: every trial is this driver's."""

    def holds(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return True: every trial is this driver's."""
        return True

    def give_up(self, connection: sqlalchemy.Connection, trial_id: int) -> bool:
        """Return True: there is nothing to remove."""
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
    """Make the two tables where they are missing."""
    _TABLES.create_all(engine)


def living_drivers(engine: sqlalchemy.Engine, study_name: str) -> list[str]:
    """Return who runs a study now, as process and host."""
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
    """Renew a lease; say whether the driver still has one.

    Until the transaction ends nobody can take it for dead.
    """
    change = DRIVERS.update().where(DRIVERS.c.driver_id == driver_id).values(lease_until=_in(LEASE_S))
    return connection.execute(change).rowcount == 1


def remove_dead(connection: sqlalchemy.Connection, study_id: int) -> None:
    """Free the trials of drivers whose lease has run out while the server could be reached."""
    up_since = sqlalchemy.func.pg_postmaster_start_time()
    is_dead = sqlalchemy.and_(
        DRIVERS.c.study_id == study_id, DRIVERS.c.lease_until < _now, up_since < _in(-LEASE_S)
    )
    connection.execute(DRIVERS.delete().where(is_dead))


def count_others(connection: sqlalchemy.Connection, study_id: int, driver_id: int) -> int:
    """Return how many other drivers a study has."""
    others = sqlalchemy.select(sqlalchemy.func.count()).where(
        DRIVERS.c.study_id == study_id, DRIVERS.c.driver_id != driver_id
    )
    return int(connection.execute(others).scalar_one())


def _in(seconds: float) -> sqlalchemy.ColumnElement[object]:
    return _now + sqlalchemy.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
