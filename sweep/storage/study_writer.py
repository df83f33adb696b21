"""Write trials, each change in one commit.

Statements write directly to the tables of Optuna's schema: Optuna's own storage queries before each value and
commits after it, which costs more than training a small trial. A trial is claimed in one write, with all its
parameters, so an incomplete trial cannot exist. If other drivers write too, the driver's ``Turn`` coordinates
the commits.
"""

import contextlib
import datetime
import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy
from optuna.trial import TrialState
from sqlalchemy.dialects import postgresql, sqlite

from sweep.definition.records import SegmentRecord
from sweep.definition.space import Space
from sweep.errors import StorageError
from sweep.storage.database import storage_errors
from sweep.storage.database.optuna_schema import (
    FINITE,
    FINITE_REPORT,
    PARAMS,
    REPORTS,
    TRIAL_ATTRS,
    TRIAL_HIDDEN,
    TRIALS,
    VALUES,
)
from sweep.storage.leases import Turn
from sweep.storage.stored_trials import SEAL, SEGMENTS
from sweep.values import Json, Params

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""Databases that support ``ON CONFLICT``."""

_ENDED_AS = {"complete": TrialState.COMPLETE, "failed": TrialState.FAIL}
"""State -> Optuna's state; other finished states are stored as pruned, with their reason."""


class StudyWriter:
    """Writes the trials of a study; the only writer, unless its ``Turn`` coordinates several."""

    def __init__(self, engine: sqlalchemy.Engine, study_id: int, name: str, turn: Turn) -> None:
        """Initialize for an existing study; ``study_store`` finds or creates it."""
        self._engine = engine
        self._study_id = study_id
        self._name = name
        self._turn = turn
        self._joined: sqlalchemy.Connection | None = None

    @contextlib.contextmanager
    def one_transaction(self) -> Iterator[sqlalchemy.Connection]:
        """Commit all writes inside the context together, or none.

        Raises:
            StorageUnreachableError: If a server does not answer; the commit may or may not be stored.
            StorageError: If the database fails otherwise.
        """
        if self._joined is not None:
            yield self._joined
            return
        with storage_errors(self._name), self._engine.begin() as connection:
            self._joined = connection
            try:
                self._turn.begin(connection)
                yield connection
            finally:
                self._joined = None
        self._turn.end()

    def commit(self, trial_id: int, write: Callable[[], None]) -> None:
        """Commit the writes of ``write`` to a trial together, and repeat them if the answer was lost.

        A trial's end removes the claim in the same commit. So if the claim is gone at the second try, the
        first try was stored.
        """
        tried = False

        def once() -> None:
            nonlocal tried
            with self.one_transaction() as connection:
                if not tried or self._turn.holds(connection, trial_id):
                    tried = True
                    write()

        self._turn.until_answered(once)

    def claim(
        self,
        params: Params,
        space: Space,
        seed: int,
        facts: Mapping[str, Json],
        origin: Mapping[str, str],
    ) -> int:
        """Store a running trial with all its known values; return its id."""
        with self.one_transaction() as connection:
            same_study = TRIALS.c.study_id == self._study_id
            last = sqlalchemy.select(TRIALS.c.number).where(same_study).order_by(TRIALS.c.trial_id.desc())
            number = sqlalchemy.func.coalesce(last.limit(1).scalar_subquery() + 1, 0)
            trial = {"number": number, "study_id": self._study_id, "state": TrialState.RUNNING}
            insert = TRIALS.insert().values(**trial, datetime_start=_now()).returning(TRIALS.c.trial_id)
            trial_id: int = connection.execute(insert).scalar_one()
            rows = [
                {
                    "trial_id": trial_id,
                    "param_name": name,
                    "param_value": dimension.internal(params[name]),
                    "distribution_json": json.dumps(dimension.to_json()),
                }
                for name, dimension in space.items()
                if name in params
            ]
            connection.execute(PARAMS.insert(), rows)
            _insert_attrs(connection, trial_id, {"seed": seed, **facts, **origin})
            self._turn.take(connection, trial_id)
        return trial_id

    def reclaim(self, trial_id: int, origin: Mapping[str, str]) -> None:
        """Claim an interrupted trial and set it to running."""
        with self.one_transaction() as connection:
            unfinished = TRIALS.c.state.in_([TrialState.RUNNING, TrialState.WAITING])
            change = TRIALS.update().where(TRIALS.c.trial_id == trial_id, unfinished)
            self._change_one(connection, change.values(state=TrialState.RUNNING, datetime_start=_now()))
            _set_attrs(connection, trial_id, origin)
            self._turn.take(connection, trial_id)

    def store_found(self, trial_id: int, found: Params) -> None:
        """Store the hyperparameters that were found for a trial's configuration."""
        with self.one_transaction() as connection:
            _set_attrs(connection, trial_id, {"found": dict(found)})

    def store_figures(self, trial_id: int, figures: Mapping[str, float]) -> None:
        """Store the other figures that a trial's program has reported so far."""
        with self.one_transaction() as connection:
            _set_attrs(connection, trial_id, {"figures": dict(figures)})

    def store_seal(self, trial_id: int, seal: str) -> None:
        """Store the hash of a trial's values; call it in the commit that changes the trial."""
        with self.one_transaction() as connection:
            _set_attrs(connection, trial_id, {SEAL: seal}, TRIAL_HIDDEN)

    def forget_segments(self, trial_id: int) -> None:
        """Remove the segments and reports of a trial that starts again."""
        with self.one_transaction() as connection:
            connection.execute(TRIAL_HIDDEN.delete().filter_by(trial_id=trial_id, key=SEGMENTS))
            connection.execute(REPORTS.delete().filter_by(trial_id=trial_id))

    def store_segments(
        self, trial_id: int, segments: Sequence[SegmentRecord], seal: str | None = None
    ) -> None:
        """Store all segments of a trial so far and its seal, and report the rung of the last segment."""
        attrs: dict[str, Json] = {SEGMENTS: [_row(segment) for segment in segments]}
        if seal is not None:
            attrs[SEAL] = seal
        last = segments[-1]
        with self.one_transaction() as connection:
            _set_attrs(connection, trial_id, attrs, TRIAL_HIDDEN)
            if last.percent is not None:
                report = {
                    "trial_id": trial_id,
                    "step": last.percent,
                    "intermediate_value": last.rung_loss,
                    "intermediate_value_type": FINITE_REPORT,
                }
                connection.execute(_upsert(REPORTS, connection.dialect.name, "step"), report)

    def end(
        self,
        trial_id: int,
        state: str,
        *,
        seconds: float,
        dev_loss: float | None = None,
        cost: float | None = None,
        reason: str | None = None,
        seal: str | None = None,
    ) -> None:
        """Store the end of a trial, which cannot change afterwards.

        Args:
            trial_id: The trial's id in the database.
            state: A finished state of ``records.STATES``.
            seconds: Wall time of the trial's segments.
            dev_loss: Finite, for a complete trial.
            cost: Value of the second objective, if the study has one; stored only with a dev loss.
            reason: For any other trial; its first word is the state.
            seal: ``TrialRecord.seal`` of the final record.
        """
        attrs: dict[str, Json] = {"train_seconds": round(seconds, 3)}
        if reason:
            attrs["reason"] = reason
        with self.one_transaction() as connection:
            _set_attrs(connection, trial_id, attrs)
            if seal is not None:
                self.store_seal(trial_id, seal)
            if dev_loss is not None:
                values = [dev_loss] if cost is None else [dev_loss, cost]
                rows = [
                    {"trial_id": trial_id, "objective": place, "value": value, "value_type": FINITE}
                    for place, value in enumerate(values)
                ]
                connection.execute(VALUES.insert(), rows)
            ended = {"state": _ENDED_AS.get(state, TrialState.PRUNED), "datetime_complete": _now()}
            self._change_one(connection, self._running(trial_id).values(**ended))
            self._check_changed(self._turn.give_up(connection, trial_id))

    def release(self, trial_id: int) -> None:
        """Release a trial for the next run."""
        with self.one_transaction() as connection:
            self._change_one(connection, self._running(trial_id).values(state=TrialState.WAITING))
            self._check_changed(self._turn.give_up(connection, trial_id))

    def _running(self, trial_id: int) -> sqlalchemy.Update:
        is_running = TRIALS.c.state == TrialState.RUNNING
        return sqlalchemy.update(TRIALS).where(TRIALS.c.trial_id == trial_id, is_running)

    def _change_one(self, connection: sqlalchemy.Connection, change: sqlalchemy.Update) -> None:
        self._check_changed(connection.execute(change).rowcount == 1)

    def _check_changed(self, is_changed: bool) -> None:
        if not is_changed:
            raise StorageError(
                f"study {self._name!r}: a running trial was changed by another program; run again"
            )


def _row(segment: SegmentRecord) -> list[Any]:
    """Return a segment as stored, with the loss of averaged weights only if it is known."""
    average = [] if segment.average_loss is None else [segment.average_loss]
    seconds = round(segment.seconds, 6)
    return [segment.step, segment.percent, segment.dev_loss, seconds, segment.state_sha256, *average]


def _set_attrs(
    connection: sqlalchemy.Connection,
    trial_id: int,
    attrs: Mapping[str, Json],
    table: sqlalchemy.Table = TRIAL_ATTRS,
) -> None:
    connection.execute(_upsert(table, connection.dialect.name, "key"), _attr_rows(trial_id, attrs))


def _insert_attrs(
    connection: sqlalchemy.Connection,
    trial_id: int,
    attrs: Mapping[str, Json],
    table: sqlalchemy.Table = TRIAL_ATTRS,
) -> None:
    connection.execute(table.insert(), _attr_rows(trial_id, attrs))


def _attr_rows(trial_id: int, attrs: Mapping[str, Json]) -> list[dict[str, Json]]:
    return [
        {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in attrs.items()
    ]


@functools.cache
def _upsert(table: sqlalchemy.Table, dialect: str, key: str) -> Any:
    """Return a statement that inserts a trial's row, or replaces the one with the same ``key``.

    A single statement waits for the server only once.
    """
    insert = _INSERTS[dialect](table)
    values = [column.name for column in table.columns if column.name.startswith(("value", "intermediate"))]
    return insert.on_conflict_do_update(
        index_elements=["trial_id", key], set_={name: insert.excluded[name] for name in values}
    )


def _now() -> datetime.datetime:
    """Return the time as Optuna 5 stores it: UTC, without a time zone."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
