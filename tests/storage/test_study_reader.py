"""What the plain statements read, beside Optuna's own reading of the same database."""

import math
import uuid
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from sweep.definition.plain import as_read
from sweep.errors import GuestError, StorageError
from sweep.storage.database import Database
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.database.schema import OF_STUDY
from sweep.storage.stored_trials import StoredTrial, read_trials
from sweep.storage.study_names import study_ids
from sweep.storage.study_reader import load_study, trial_ids
from tests.support.postgres_server import Server, running_server
from tests.support.toy_runs import database_in

SPACE = {
    "rate": FloatDistribution(1e-5, 1.0, log=True),
    "share": FloatDistribution(0.0, 1.0, step=0.1),
    "width": IntDistribution(2, 512, log=True),
    "depth": IntDistribution(1, 9, step=2),
    "kind": CategoricalDistribution(("a", 1, 2.5, True, None)),
}
PARAMS = {"rate": 1e-3, "share": 0.3, "width": 64, "depth": 3, "kind": 2.5}
ATTRS = {"seed": 2**60, "text": "zoë \u202e", "nested": {"list": [1, [2.0, None]]}, "nan": math.inf}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return database_in(tmp_path)
    server: Server = request.getfixturevalue("server")
    return Database(server.make_database(f"made_{uuid.uuid4().hex}"), tmp_path / "files")


def fill(storage: Storage) -> None:
    """Store a study of two objectives with trials in every state, past sweep."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=storage, study_name="two", directions=["minimize", "maximize"])
    for values in ([0.1, 3.0], [math.inf, -math.inf], [1e-300, 1 / 3]):
        study.add_trial(
            create_trial(
                params=PARAMS, distributions=SPACE, values=values, user_attrs=ATTRS, system_attrs={"own": [1]}
            )
        )
    few = {"rate": 0.5}  # the others are not active
    study.add_trial(create_trial(params=few, distributions={"rate": SPACE["rate"]}, values=[1.0, 2.0]))
    study.add_trial(create_trial(state=TrialState.PRUNED, params=few, distributions={"rate": SPACE["rate"]}))
    with pytest.warns(UserWarning, match="not acceptable"):
        study.tell(study.ask(), [math.nan, 0.0])  # becomes FAIL
    study.enqueue_trial(few)
    running = study.ask(SPACE)
    running.set_user_attr("late", [1, 2])
    study.enqueue_trial(few)


def as_optuna_reads(trial: FrozenTrial) -> tuple[object, ...]:
    started, ended = trial.datetime_start, trial.datetime_complete
    return (
        *(trial._trial_id, trial.number, trial.state.name, trial.values or []),
        {name: as_read(value) for name, value in trial.params.items()},
        *(list(trial.params), trial.user_attrs, trial.system_attrs, started, ended),
    )


def as_read_here(trial: StoredTrial) -> tuple[object, ...]:
    started, ended = (each and each.replace(tzinfo=None) for each in (trial.started, trial.ended))
    return (
        *(trial.trial_id, trial.number, trial.state, trial.values, trial.params, list(trial.params)),
        *(trial.user_attrs, trial.system_attrs, started, ended),
    )


def test_every_trial_is_read_as_optuna_reads_it(database: Database) -> None:
    """Every state, kind of hyperparameter, condition, infinite value and moment, in order."""
    storage = database.open_for_writing()
    fill(storage)
    expected = optuna.load_study(study_name="two", storage=storage).get_trials(deepcopy=False)
    assert {trial.state for trial in expected} == set(TrialState)
    for reader in (database.open_read_only(), storage):
        study_id = study_ids(reader)["two"]
        with reader.snapshot() as snapshot:
            found = read_trials(snapshot, OF_STUDY, study_id)
        assert [as_read_here(trial) for trial in found] == [as_optuna_reads(trial) for trial in expected]
        assert trial_ids(reader, "two") == {trial.number: trial._trial_id for trial in expected}


def test_a_study_of_optuna_s_own_is_refused_by_name(database: Database) -> None:
    """It has no identity; the message names the ways on."""
    fill(database.open_for_writing())
    with pytest.raises(GuestError, match=r"'two' was made by Optuna without sweep.*init --from-optuna two"):
        load_study(database.open_read_only(), "two")


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    """What is stored meanwhile is seen by the next snapshot only."""
    storage = database.open_for_writing()
    fill(storage)
    reader = database.open_read_only()
    with reader.snapshot() as snapshot:
        before = snapshot.rows("SELECT count(*) FROM studies")
        if database.is_shared:  # SQLite lets nobody write while somebody reads
            optuna.create_study(storage=storage, study_name="later")
        assert snapshot.rows("SELECT count(*) FROM studies") == before
    assert ("later" in study_ids(reader)) is database.is_shared


@pytest.mark.parametrize(
    ("version", "advice"), [("v2.6.0.a", "optuna storage upgrade"), ("v9", "update sweep and Optuna")]
)
def test_tables_of_another_version_are_refused(tmp_path: Path, version: str, advice: str) -> None:
    """The version of the schema is compared before anything else is read."""
    database = database_in(tmp_path)
    with database.open_for_writing().engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (version,))
    with pytest.raises(StorageError, match=f"another version of Optuna .*{advice}"):
        database.open_read_only()
