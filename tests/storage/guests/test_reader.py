"""Guests of all kinds beside Optuna's own reading of the same database."""

import contextlib
import datetime
import hashlib
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial

from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord
from sweep.errors import GuestError, NotFoundError, StorageError
from sweep.storage.database import Database
from sweep.storage.guests.reader import load_guest, load_shown_study
from sweep.storage.guests.values import shown_choice
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from tests.support.guest_studies import (
    HOSTILE,
    KINDS,
    METRIC,
    Guests,
    add_many,
    guests,
    guests_of_4,
    make_guests,
    numbers_of_4,
)
from tests.support.plain_optuna import plain_storage, pooled_storage
from tests.support.postgres_server import Server, running_server
from tests.support.zones import zone

__all__ = ["guests", "zone"]

STATES = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}


def load(guests: Guests, name: str) -> StudyRecord:
    return load_guest(Database(guests.url).open_read_only(), name)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


def as_optuna_ranks(study: optuna.Study) -> list[FrozenTrial]:
    """Return the complete, feasible trials with finite values, best first."""
    sign = 1 if study.direction == optuna.study.StudyDirection.MINIMIZE else -1
    trials = [
        t
        for t in study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
        if all(c <= 0 for c in t.constraints.values()) and math.isfinite(t.values[0])
    ]
    return sorted(trials, key=lambda trial: (sign * trial.values[0], trial.number))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_read_and_left_as_it_was(guests: Guests, name: str) -> None:
    """Numbers, states and hyperparameters are those that Optuna reads; no byte of the file changes."""
    before = guests.sha256()
    study, theirs = load(guests, name), guests.study(name)
    assert (guests.sha256(), study.is_guest, study.name) == (before, True, name)
    assert [way.name.lower() for way in theirs.directions] == list(study.directions.values())
    assert len(study.trials) == len(theirs.trials)
    for ours, trial in zip(study.trials, theirs.trials, strict=True):
        assert ours.number == trial.number
        values = {key.removeprefix("param."): value for key, value in ours.params.items()}
        assert values == {key: shown_choice(value) for key, value in trial.params.items()}
        if trial.state.name in ("PRUNED", "FAIL"):
            assert ours.state == STATES[trial.state.name]
        if ours.started and trial.datetime_start:
            assert ours.started.replace(tzinfo=None) == trial.datetime_start


@pytest.mark.usefixtures("zone")
def test_times_are_those_that_optuna_reads(guests: Guests) -> None:
    """Optuna 5 stores UTC, so that they do not depend on the time zone of the machine that ran the study."""
    ours, theirs = load(guests, "mixed").trials, guests.study("mixed").trials
    assert any(trial.datetime_complete for trial in theirs)
    for our, their in zip(ours, theirs, strict=True):
        assert [moment and moment.replace(tzinfo=None) for moment in (our.started, our.ended)] == [
            their.datetime_start,
            their.datetime_complete,
        ]


@pytest.mark.parametrize("name", ["mixed", "conditional", HOSTILE, "constrained", "attributes", "copied"])
def test_one_objective_is_ranked_as_optuna_ranks_it(guests: Guests, name: str) -> None:
    """The first row is Optuna's best trial; what breaks a constraint or is not finite has no rank."""
    rows = rank_trials(load(guests, name))
    ranked = rows.where(lambda row: row["rank"] is not None)
    theirs = as_optuna_ranks(guests.study(name))
    assert ranked["trial"] == [trial.number for trial in theirs]
    assert ranked["value"] == [trial.values[0] for trial in theirs]
    assert ranked["trial"][0] == guests.study(name).best_trial.number


@pytest.mark.parametrize("name", ["two", "three"])
def test_the_front_of_several_objectives_is_optuna_s(guests: Guests, name: str) -> None:
    """Whatever their directions; every objective has a column of raw values."""
    study, theirs = load(guests, name), guests.study(name)
    rows = rank_trials(study)
    front = {row["trial"] for row in rows.records if row["front"] == 1}
    assert front == {trial.number for trial in theirs.best_trials}
    values = {
        row["trial"]: [row["value"], *(row[key] for key in study.objectives[1:])] for row in rows.records
    }
    assert values == {trial.number: trial.values for trial in theirs.trials}


def test_names_come_from_the_study_or_are_optuna_s_own(guests: Guests) -> None:
    """``set_metric_names``; else the names of ``trials_dataframe``."""
    assert load(guests, HOSTILE).objectives == (METRIC,)
    assert load(guests, "two").objectives == ("error", "gain")
    columns = guests.study("three").trials_dataframe().columns
    assert list(load(guests, "three").objectives) == [name for name in columns if name.startswith("values_")]


def test_a_name_that_a_table_needs_itself_gets_a_prefix(guests: Guests) -> None:
    """Hyperparameters and attributes called rank or value hide no column."""
    assert {"param.rank", "param.value", "learning rate"} <= set(rank_trials(load(guests, HOSTILE)).columns)
    row = rank_trials(load(guests, "attributes")).records[0]
    assert (row["attribute.rank"], row["big"], row["nan"]) == ("taken", str(2**80), "nan")
    assert (row["number"], row["flag"], row["none"], row["list"]) == (3.5, True, None, '[1, {"a": null}]')


def test_ranges_that_change_are_joined(guests: Guests) -> None:
    """The space holds the range of every trial."""
    space = load(guests, "attributes").space["x"]
    assert (space.low, space.high) == (0.0, 5.0)


def test_intermediate_values_are_thinned_and_end_with_the_last(tmp_path: Path) -> None:
    """A pruned trial's reason is its last report; at most a hundred and one are kept."""
    url = f"sqlite:///{tmp_path / 'g.db'}"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=plain_storage(url), study_name="long")
    reports = {step: 1 / (step + 1) for step in range(1000)} | {1000: math.nan}
    study.add_trial(
        optuna.trial.create_trial(state=optuna.trial.TrialState.PRUNED, intermediate_values=reports)
    )
    (trial,) = load_guest(Database(url).open_read_only(), "long").trials
    assert 90 <= len(trial.segments) <= 101
    assert (trial.segments[-1].step, trial.segments[-1].dev_loss) == (999, 0.001)
    assert trial.reason == "at step 999: 0.001"


def test_five_thousand_trials_are_ranked(tmp_path: Path) -> None:
    """Every one has its row, and the first is the best."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path = tmp_path / "g.db"
    add_many(path, 5_000)
    rows = rank_trials(load_guest(Database(f"sqlite:///{path}").open_read_only(), "many"))
    assert len(rows) == 5_000
    assert rows["value"] == sorted(rows["value"])


@pytest.fixture(scope="module")
def on_server(server: Server) -> Iterator[tuple[str, optuna.storages.RDBStorage]]:
    """Guests of all kinds on PostgreSQL: the URL, and Optuna's storage of it."""
    url = server.make_database("guests")
    url_of_theirs = url.replace("postgresql://", "postgresql+psycopg://")
    with pooled_storage(url_of_theirs) as storage:
        make_guests(storage)
        yield url, storage


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_read_from_a_server(
    on_server: tuple[str, optuna.storages.RDBStorage], name: str, tmp_path: Path
) -> None:
    """PostgreSQL gives the same record as Optuna's own reading of it."""
    url, storage = on_server
    reader = Database(url, tmp_path / "files").open_read_only()
    assert study_names(reader) == list(KINDS)
    study, theirs = load_shown_study(reader, name), optuna.load_study(study_name=name, storage=storage)
    assert study.is_guest
    assert list(study.directions.values()) == [way.name.lower() for way in theirs.directions]
    assert len(study.trials) == len(theirs.trials)
    for ours, trial in zip(study.trials, theirs.trials, strict=True):
        values = {key.removeprefix("param."): value for key, value in ours.params.items()}
        assert values == {key: shown_choice(value) for key, value in trial.params.items()}
        if ours.state == "complete":
            assert [ours.dev_loss, *ours.facts.values()] == trial.values
        assert len(ours.segments) == len(trial.intermediate_values)
        assert set(ours.attributes) == set(trial.user_attrs)
    if len(theirs.directions) == 1 and name not in ("bad", "empty"):
        assert rank_trials(study)["trial"][0] == theirs.best_trial.number


@pytest.fixture(scope="module")
def made_by_4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that Optuna 4.5.0 made; nobody may change it."""
    return guests_of_4(tmp_path_factory.mktemp("optuna-4") / "g.db")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_made_by_optuna_4_is_read(made_by_4: Path, name: str) -> None:
    """States, values, hyperparameters and the best trials are those that Optuna 4.5.0 named."""
    before = hashlib.sha256(made_by_4.read_bytes()).hexdigest()
    theirs = numbers_of_4()[name]
    study = load_guest(Database(f"sqlite:///{made_by_4}").open_read_only(), name)
    assert list(study.directions.values()) == theirs["directions"]
    assert_trials(study, theirs)
    rows = rank_trials(study)
    if len(theirs["directions"]) > 1:
        best = sorted(row["trial"] for row in rows.records if row["front"] == 1)
    else:
        best = [row["trial"] for row in rows.records if row["rank"] == 1]
    assert best == ([] if name == "bad" else theirs["best"])
    assert hashlib.sha256(made_by_4.read_bytes()).hexdigest() == before


@pytest.mark.usefixtures("zone")
def test_times_of_optuna_4_are_local(made_by_4: Path) -> None:
    """It stored the clock of its machine, which is taken for that of this one."""
    query = """SELECT datetime_start, datetime_complete FROM trials JOIN studies USING (study_id)
        WHERE study_name = 'mixed' ORDER BY number"""
    with contextlib.closing(sqlite3.connect(made_by_4)) as connection:
        stored = connection.execute(query).fetchall()
    study = load_guest(Database(f"sqlite:///{made_by_4}").open_read_only(), "mixed")
    shown = [
        tuple(moment and moment.replace(tzinfo=None) for moment in (trial.started, trial.ended))
        for trial in study.trials
    ]
    assert shown == [tuple(text and datetime.datetime.fromisoformat(text) for text in row) for row in stored]


def assert_trials(study: StudyRecord, theirs: dict[str, Any]) -> None:
    """Compare every trial with what Optuna said of it; one that is not finite or not feasible has no rank."""
    assert len(study.trials) == len(theirs["states"])
    for ours, state, values, params in zip(
        study.trials, theirs["states"], theirs["values"], theirs["params"], strict=True
    ):
        assert ours.state in {"COMPLETE": ("complete", "diverged", "infeasible")}.get(
            state, (STATES.get(state, state.lower()),)
        )
        assert {key.removeprefix("param."): value for key, value in ours.params.items()} == params
        if ours.state == "complete":
            assert [ours.dev_loss, *ours.facts.values()] == values
        elif state == "COMPLETE":
            assert ours.reason
            assert (ours.state == "diverged") == any(isinstance(value, str) for value in values)


def test_what_runs_a_study_refuses_a_guest(guests: Guests) -> None:
    """With exit status 1 and the ways on; a wrong name is told from it."""
    reader = Database(guests.url).open_read_only()
    with pytest.raises(GuestError, match="knows no trainer") as refusal:
        load_study(reader, "mixed")
    assert (refusal.value.exit_status, "\n" in str(refusal.value)) == (1, False)
    for read in (load_study, load_shown_study, load_guest):
        with pytest.raises(NotFoundError, match="no study 'mixd' in the database"):
            read(reader, "mixd")


DAMAGE = {
    "direction": "UPDATE study_directions SET direction = 'NOT_SET'",
    "no direction": "DELETE FROM study_directions",
    "state": "UPDATE trials SET state = 'ODD'",
    "value": "UPDATE trial_values SET value = 'text'",
    "no value": "DELETE FROM trial_values",
    "distribution": "UPDATE trial_params SET distribution_json = '{'",
    "kind of distribution": "UPDATE trial_params SET distribution_json = "
    '\'{"name": "os.system", "attributes": {}}\'',
    "choice": "UPDATE trial_params SET param_value = 99",
    "attribute": "UPDATE trial_user_attributes SET value_json = 'not JSON'",
    "nested": "UPDATE trial_user_attributes SET value_json = replace(hex(zeroblob(50000)), '0', '[')",
    "constraint": "UPDATE trial_system_attributes SET key = 'constraints', value_json = '[\"x\"]'",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_guest_is_refused_in_one_line(damage: str, tmp_path: Path) -> None:
    """Nothing that is stored is trusted to be what Optuna stores."""
    url = f"sqlite:///{tmp_path / 'g.db'}"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=plain_storage(url), study_name="g")
    space = {"kind": optuna.distributions.CategoricalDistribution(("a", "b"))}
    trial = optuna.trial.create_trial(
        value=1.0,
        params={"kind": "a"},
        distributions=space,
        user_attrs={"a": 1},
        system_attrs={"b": 1},
    )
    study.add_trial(trial)
    with contextlib.closing(sqlite3.connect(tmp_path / "g.db")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(DAMAGE[damage])
    with pytest.raises(StorageError, match="stored incompletely") as refusal:
        load_guest(Database(url).open_read_only(), "g")
    assert (refusal.value.exit_status, "\n" in str(refusal.value)) == (3, False)
