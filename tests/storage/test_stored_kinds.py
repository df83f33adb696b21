"""A stored value of another kind is refused in one line that names its study, and hides no other study."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sweep.certify.confirm import plan_confirmation
from sweep.certify.confirm_plan import ConfirmSettings
from sweep.certify.stored_confirmation import load_confirmation
from sweep.errors import ConfigError, StorageError
from sweep.storage.stored_kinds import check_names_of_facts, facts_among
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import store_note, write_plan
from sweep.task import Fact
from sweep.trainers.mlp.shown.note_kinds import Baselines, NewWords, RangeTested
from tests.support.toy_runs import database_in, run_toy, toy_study
from tests.support.toy_task import ToyTask

DEEP = "[" * 900 + "1" + "]" * 900
VALUES = [
    *("null", "true", "-7", "2.5", "NaN", '"text"', "[]", "{}", '["a", null]', '{"a": {"": []}}'),
    *(str(10**400), "9" * 5_000, "{", DEEP, '{"a":' * 900 + "1" + "}" * 900, "[" * 100_000),
]
"""Every kind of JSON value, and what is none, or too long or too deep to be read."""

NEVER = VALUES[VALUES.index(str(10**400)) :]
"""Those that nothing stored can be."""

NOTES = [
    Baselines(uniform=3.3, count_tables=(2.5, 2.25)),
    NewWords(trial=0, dev_words=9, new_words=3, new_loss=2.5, seen_loss=2.25),
    RangeTested(what="the best", suggestions={"steepest": 0.1}),
]

READ_LATER = {"train_seconds", "owner"}
"""Attributes that sweep stores for the dashboard and does not read."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of two studies; ``toy`` has every note and the plan of a confirmation."""
    folder = tmp_path_factory.mktemp("kinds")
    run_toy(folder, toy_study(trials=2))
    run_toy(folder, toy_study(name="other", trials=1))
    storage = database_in(folder).open_for_writing()
    for note in NOTES:
        store_note(storage, "toy", note)
    plan = plan_confirmation(load_study(storage, "toy"), None, ConfirmSettings(delta=0.003))
    write_plan(storage, "toy", plan.to_dict())
    with contextlib.closing(sqlite3.connect(database_in(folder).path)) as connection, connection:
        connection.execute("DELETE FROM trial_system_attributes WHERE key = 'sweep:seal'")
        connection.execute("DELETE FROM study_system_attributes WHERE key = 'sweep:fingerprint'")
    return database_in(folder).path.read_bytes()


def attributes(path: Path) -> list[tuple[str, str, str]]:
    """Return (table, key, value) of all that is stored of the first study and its first trial."""
    found = []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for table, owner in [
            ("study_user_attributes", "study_id"),
            ("trial_user_attributes", "trial_id"),
            ("trial_system_attributes", "trial_id"),
        ]:
            query = f"SELECT key, value_json FROM {table} WHERE {owner} = 1"  # noqa: S608  names of ours
            found += [(table, key, value) for key, value in connection.execute(query)]
    return found


def test_every_attribute_of_every_other_kind_is_refused(whole: bytes, tmp_path: Path) -> None:
    """Whatever is in its place, the study is refused in one line; the other one is always read."""
    path = database_in(tmp_path).path
    path.write_bytes(whole)
    stored = attributes(path)
    assert {key for _, key, _ in stored} >= {"goal", "identity", "confirm_plans", "seed", "sweep:segments"}
    storage = database_in(tmp_path).open_read_only()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for table, key, before in stored:
            owner = "study_id" if table.startswith("study") else "trial_id"
            change = f"UPDATE {table} SET value_json = ? WHERE key = ? AND {owner} = 1"  # noqa: S608
            for value in VALUES:
                with connection:
                    assert connection.execute(change, (value, key)).rowcount == 1
                if value in NEVER or is_of_another_kind(value, before):
                    assert refuses(storage, "toy") or key in READ_LATER, (key, value[:40])
            assert study_names(storage) == ["toy", "other"]
            assert not refuses(storage, "other")
            with connection:
                connection.execute(change, (before, key))
    assert not refuses(storage, "toy")


def refuses(storage: Any, name: str) -> bool:
    """Read a study with its confirmation; say whether it is refused."""
    try:
        load_confirmation(storage, load_study(storage, name))
    except StorageError as error:
        line = str(error)
    else:
        return False
    assert name in line
    assert line.isprintable()
    assert len(line) < 400
    return True


def is_of_another_kind(value: str, before: str) -> bool:
    return type(json.loads(value)) is not type(json.loads(before))


@pytest.mark.parametrize("value", ["null", "1", '"5f"', DEEP])
def test_a_fingerprint_of_another_kind_is_refused(value: str, whole: bytes, tmp_path: Path) -> None:
    """An identity without its hash, as older versions stored it, is read; one with another value is not."""
    path = database_in(tmp_path).path
    path.write_bytes(whole)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        insert = "INSERT INTO study_system_attributes (study_id, key, value_json) VALUES (1, ?, ?)"
        connection.execute(insert, ("sweep:fingerprint", value))
    assert refuses(database_in(tmp_path).open_read_only(), "toy")


def test_a_fact_cannot_have_the_name_of_something_else() -> None:
    """It would be stored in the place of the trial's seed; a fact of another name is told from the rest."""
    described = {"seed": Fact(label="seeds"), "nodes": Fact(label="nodes")}
    with pytest.raises(ConfigError, match="trainer toy: a fact cannot be called seed"):
        check_names_of_facts(ToyTask(described_facts=described))
    attrs = {"seed": 3, "nodes": 4, "engine": "toy", "train_seconds": 0.5, "comment": "x", "round": 0}
    assert facts_among(attrs) == {"nodes": 4}
