"""Studies of all kinds that plain Optuna makes, past sweep, in one database."""

import contextlib
import hashlib
import json
import math
import sqlite3
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import Trial, create_trial
from sqlalchemy import NullPool

from tests.support.once import made_once
from tests.support.plain_optuna import plain_storage

HOSTILE = "<b>names</b> & zoë \u202e/confirm"
"""A study's name that is no folder's, and reads like a confirmation's."""

METRIC = "<i>val</i> %{x} {noun}"

ATTRIBUTES = {
    "text": "zoë",
    "number": 3.5,
    "flag": True,
    "none": None,
    "list": [1, {"a": None}],
    "big": 2**80,
    "nan": math.nan,
    "rank": "taken",
    "html": "<script>owned()</script>",
}


class Guests:
    """A database of guests."""

    def __init__(self, path: Path) -> None:
        self.path, self.url = path, f"sqlite:///{path}"

    def study(self, name: str) -> optuna.Study:
        """Return a study as Optuna reads it."""
        return optuna.load_study(study_name=name, storage=plain_storage(self.url))

    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def make_guests(storage: Any, names: Iterable[str] | None = None) -> None:
    """Make studies of some kinds, by default one of each."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NaN, metric names and constraints draw warnings of Optuna's
        for name in names or KINDS:
            KINDS[name](storage)


def _study(storage: Any, name: str, **more: Any) -> optuna.Study:
    sampler = optuna.samplers.RandomSampler(seed=1)
    return optuna.create_study(storage=storage, study_name=name, sampler=sampler, **more)


def _mixed(trial: Trial) -> float:
    rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    act = trial.suggest_categorical("act", ["relu", None, "tanh"])
    layers = trial.suggest_int("layers", 1, 5)
    value = 1 - abs(math.log10(rate) + 3) / 5 - 0.1 * (act is None)
    for step in range(4):
        trial.report(value + step / 100, step)
        if step == 2 and trial.number % 4 == 3:
            raise optuna.TrialPruned
    if trial.number % 9 == 5:
        raise ValueError
    return value + layers / 100


def mixed(storage: Any) -> None:
    """Maximised, None among the choices; complete, pruned, failed, running and waiting trials."""
    study = _study(storage, "mixed", direction="maximize")
    study.set_metric_names(["accuracy"])
    study.set_user_attr("owner", "ann")
    study.optimize(_mixed, n_trials=30, catch=(ValueError,))
    study.enqueue_trial({"lr": 0.01})
    study.enqueue_trial({"lr": 0.02})
    study.ask()


def conditional(storage: Any) -> None:
    """Hyperparameters that only some trials have."""

    def objective(trial: Trial) -> float:
        if trial.suggest_categorical("clf", ["svm", "rf"]) == "svm":
            return trial.suggest_float("C", 1e-2, 1e2, log=True) / 100
        return trial.suggest_int("depth", 2, 9) / 10

    _study(storage, "conditional").optimize(objective, n_trials=24)


def two(storage: Any) -> None:
    """Two objectives, one of them maximised."""
    study = _study(storage, "two", directions=["minimize", "maximize"])
    study.set_metric_names(["error", "gain"])
    study.optimize(lambda trial: _values(trial)[:2], n_trials=30)


def three(storage: Any) -> None:
    """Three objectives without names."""
    _study(storage, "three", directions=["minimize", "maximize", "minimize"]).optimize(_values, n_trials=30)


def _values(trial: Trial) -> tuple[float, ...]:
    x, y, z = (
        trial.suggest_float("x", -2, 2),
        trial.suggest_float("y", 0, 1),
        trial.suggest_int("z", 0, 10),
    )
    return x * x + y, -abs(x - 1) + y, z - y


def bad(storage: Any) -> None:
    """No trial with a finite value."""
    study, space = _study(storage, "bad"), {"x": FloatDistribution(0, 1)}
    for value in (math.inf, -math.inf):
        study.add_trial(create_trial(value=value, params={"x": 0.5}, distributions=space))
    study.optimize(lambda trial: math.nan * trial.suggest_float("x", 0, 1), n_trials=2)


def empty(storage: Any) -> None:
    """No trial."""
    _study(storage, "empty")


def hostile(storage: Any) -> None:
    """Names of the study, its metric, hyperparameters and choices that mean harm or something else."""
    study = _study(storage, HOSTILE)
    study.set_metric_names([METRIC])
    study.optimize(
        lambda trial: (
            trial.suggest_float("learning rate", 0, 1)
            + len(trial.suggest_categorical("<script>owned()</script>", ["<b>", "é ü", '"q"']))
            + trial.suggest_int("rank", 1, 3)
            + trial.suggest_float("value", 0, 1)
        ),
        n_trials=22,
    )


def constrained(storage: Any) -> None:
    """Some trials break a constraint, the best ones among them."""

    def objective(trial: Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        if hasattr(trial, "set_constraint"):
            trial.set_constraint("low", 0.3 - x)
        return x

    study = _study(storage, "constrained")
    if not hasattr(Trial, "set_constraint"):  # Optuna 4 asks the sampler
        study.sampler = optuna.samplers.NSGAIISampler(
            seed=1, constraints_func=lambda t: [0.3 - t.params["x"]]
        )
    study.optimize(objective, n_trials=20)


def attributes(storage: Any) -> None:
    """User attributes of every kind, and a hyperparameter whose range changes."""

    def objective(trial: Trial) -> float:
        for key, value in ATTRIBUTES.items():
            trial.set_user_attr(key, value)
        return trial.suggest_float("x", 0, 1 + trial.number)

    _study(storage, "attributes").optimize(objective, n_trials=5)


def copied(storage: Any) -> None:
    """What ``optuna.copy_study`` makes."""
    optuna.copy_study(
        from_study_name="mixed", from_storage=storage, to_storage=storage, to_study_name="copied"
    )


KINDS: dict[str, Callable[[Any], None]] = {
    "mixed": mixed,
    "conditional": conditional,
    "two": two,
    "three": three,
    "bad": bad,
    "empty": empty,
    HOSTILE: hostile,
    "constrained": constrained,
    "attributes": attributes,
    "copied": copied,
}
"""Name of the study -> what makes it."""


def add_many(path: Path, count: int) -> None:
    """Add a study of many trials, all but the first past Optuna, which takes 10 ms for each."""
    study, space = (
        _study(plain_storage(f"sqlite:///{path}"), "many"),
        {"k": IntDistribution(1, 100, log=True)},
    )
    study.add_trial(create_trial(value=0.5, params={"k": 3}, distributions=space))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        (first,) = connection.execute("SELECT max(trial_id) FROM trials").fetchone()
        rows = [
            {
                "id": first + n,
                "first": first,
                "n": n,
                "k": float(1 + n % 100),
                "value": n * 7919 % count / count,
            }
            for n in range(1, count)
        ]
        for statement in (
            "INSERT INTO trials SELECT :id, :n, study_id, state, datetime_start, datetime_complete "
            "FROM trials WHERE trial_id = :first",
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) "
            "SELECT :id, param_name, :k, distribution_json FROM trial_params WHERE trial_id = :first",
            "INSERT INTO trial_values (trial_id, objective, value, value_type) "
            "SELECT :id, 0, :value, 'FINITE' FROM trials WHERE trial_id = :first",
        ):
            connection.executemany(statement, rows)


MADE_BY_4 = Path(__file__).parents[1] / "stored" / "guests-optuna-4.5.0.sql"
"""Guests of all kinds that Optuna 4.5.0 made, as SQL; ``make_guests.py`` beside it wrote it."""


def guests_of_4(path: Path) -> Path:
    """Make the database that Optuna 4.5.0 made."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(MADE_BY_4.read_text("utf-8"))
    return path


def numbers_of_4() -> dict[str, Any]:
    """Return what Optuna 4.5.0 itself said of them."""
    read: dict[str, Any] = json.loads(MADE_BY_4.with_suffix(".json").read_text("utf-8"))
    return read


@pytest.fixture(scope="session")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    """Guests of all kinds; nobody may change them."""

    def make(folder: Path) -> None:
        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(folder / "guests.db", check_same_thread=False)
            connection.execute("PRAGMA synchronous = OFF")  # nobody cuts the power of a test
            return connection

        url, options = f"sqlite:///{folder / 'guests.db'}", {"creator": connect, "poolclass": NullPool}
        make_guests(optuna.storages.RDBStorage(url, engine_kwargs=options))

    return Guests(made_once(tmp_path_factory, "guests", make) / "guests.db")
