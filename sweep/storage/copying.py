"""Copy a study from one database to another.

The copy includes the confirmation and the files. The rows of Optuna's tables are copied with new ids, in one
transaction, then read back and compared. The source is not changed. Files that a killed copy left are
replaced by the next one. Looks at the test split are not copied; the user's ledger records them.
"""

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy

from sweep.definition.records import StudyRecord
from sweep.errors import NotFoundError, StorageAddressError, StorageError, StudyConflictError
from sweep.storage.database import Database, machine_errors, storage_errors
from sweep.storage.database.optuna_schema import (
    DIRECTIONS,
    PARAMS,
    REPORTS,
    STUDIES,
    STUDY_ATTRS,
    STUDY_HIDDEN,
    TRIAL_ATTRS,
    TRIAL_HIDDEN,
    TRIALS,
    VALUES,
    Storage,
)
from sweep.storage.folders import copy_files
from sweep.storage.study_files import OWNER, check_free, mark_files, whole_study_lock
from sweep.storage.study_names import all_study_names, confirmation_name
from sweep.storage.study_reader import load_study

_OF_STUDY = [DIRECTIONS, STUDY_ATTRS, STUDY_HIDDEN]
_OF_TRIAL = [TRIAL_ATTRS, TRIAL_HIDDEN, PARAMS, VALUES, REPORTS]

_BATCH = 500
"""Number of trials whose rows are read and written together."""

_TRIAL_NOTE = re.compile(r"dashboard:(\d+):")

_Row = dict[str, Any]


def copy_study(name: str, source: Database, target: Database) -> list[StudyRecord]:
    """Copy a study, its confirmation and their files; return the copied records.

    Raises:
        NotFoundError: If there is no study of that name.
        StorageAddressError: If both databases would have their files in the same folder.
        StudyConflictError: If the target has a study of that name or other files in its place, or a driver
            runs the source or its confirmation.
        StorageError: If a database fails, or the copy differs from the source.
        MachineError: If a file cannot be copied.
    """
    _check_apart(source, target)
    reading = source.open_for_dashboard()
    stored = all_study_names(reading)
    if name not in stored:
        raise NotFoundError(f"no study {name!r} in {source.where}")
    names = [each for each in (name, confirmation_name(name)) if each in stored]
    writing = target.open_for_writing()
    if set(names) & set(all_study_names(writing)):
        raise StudyConflictError(f"a study {name!r} exists in {target.where}; rename or delete it first")
    with whole_study_lock(source, name), target.driver_lock(name):
        check_free(target, writing, name, "--to-files")
        mark_files(target, writing, name)
        _copy_files(name, source, target)
        with storage_errors(target.where), writing.engine.begin() as connection:
            for each in names:
                _copy_rows(each, reading, connection)
        mark_files(target, writing, name)
    return [_compare(load_study(reading, each), load_study(writing, each), target) for each in names]


def _check_apart(source: Database, target: Database) -> None:
    """Refuse a target that would have its files among those of the source, which the copy would replace."""
    if source.files.overlaps(target.files):
        remedy = (
            "pass another folder with --to-files" if target.is_shared else "choose another path with --to"
        )
        raise StorageAddressError(
            f"{target.where} would have its files in {target.files.where}, among those of {source.where} in "
            f"{source.files.where}; {remedy}"
        )


def _copy_files(name: str, source: Database, target: Database) -> None:
    """Copy the study's files, except the driver's lock, before the database refers to them."""
    with machine_errors(target.files.where):
        copy_files(source.files / name, target.files / name)


def _copy_rows(name: str, reading: Storage, connection: sqlalchemy.Connection) -> None:
    with storage_errors(name), reading.engine.connect() as source:
        (study,) = _rows(source, STUDIES, STUDIES.c.study_name == name)
        old = study.pop("study_id")
        (new,) = _insert(connection, STUDIES, [study])
        ids: dict[int, int] = {}
        for trials in _batches(_rows(source, TRIALS, TRIALS.c.study_id == old)):
            old_ids = [trial.pop("trial_id") for trial in trials]
            new_ids = _insert(connection, TRIALS, [{**trial, "study_id": new} for trial in trials])
            ids.update(zip(old_ids, new_ids, strict=True))
            for table in _OF_TRIAL:
                rows = _rows(source, table, table.c.trial_id.in_(old_ids))
                _insert(connection, table, [{**row, "trial_id": ids[row["trial_id"]]} for row in rows])
        for table in _OF_STUDY:
            rows = _rows(source, table, table.c.study_id == old)
            rows = [row for row in rows if row.get("key") != OWNER]  # the copy owns other files
            _insert(connection, table, [_renumbered({**row, "study_id": new}, ids) for row in rows])


def _renumbered(row: _Row, ids: dict[int, int]) -> _Row:
    """Replace the trial's id in the key of a dashboard note."""
    found = _TRIAL_NOTE.match(row.get("key", ""))
    if found is None or int(found[1]) not in ids:
        return row
    return {**row, "key": f"dashboard:{ids[int(found[1])]}:{row['key'][found.end() :]}"}


def _rows(source: sqlalchemy.Connection, table: sqlalchemy.Table, which: Any) -> list[_Row]:
    """Return rows in the order in which they were stored, without their own ids."""
    counter = next(iter(table.primary_key))
    rows = [dict(row) for row in source.execute(table.select().where(which).order_by(counter)).mappings()]
    if table not in (STUDIES, TRIALS):
        for row in rows:
            del row[counter.name]
    return rows


def _insert(connection: sqlalchemy.Connection, table: sqlalchemy.Table, rows: list[_Row]) -> list[int]:
    """Insert rows; return their ids, in the same order."""
    if not rows:
        return []
    counter = next(iter(table.primary_key))
    insert = table.insert().returning(counter, sort_by_parameter_order=True)
    return list(connection.execute(insert, rows).scalars())


def _batches(rows: list[_Row]) -> Iterator[list[_Row]]:
    for start in range(0, len(rows), _BATCH):
        yield rows[start : start + _BATCH]


def _compare(left: StudyRecord, arrived: StudyRecord, target: Database) -> StudyRecord:
    """Return the copied record, if every value of every trial equals the source."""
    if arrived != left:
        found = [pair for pair in zip(left.trials, arrived.trials, strict=False) if pair[0] != pair[1]]
        which = (
            f"trial {found[0][0].number}" if found else f"{len(arrived.trials)} of {len(left.trials)} trials"
        )
        raise StorageError(f"study {left.name!r} differs in {target.where} after copying: {which}")
    return arrived
