"""Every hyperparameter can be searched, or found, and comes out in table, config file and replay."""

from pathlib import Path
from typing import Any

import pytest

from sweep.certify.config_file import choose_trial, load_config, write_config
from sweep.certify.replay import Place, config_of, train_again
from sweep.definition.ranking import rank_trials
from sweep.definition.study_file import parse_study
from sweep.errors import ConfigError, DeviceError
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.trainers.mlp.shown.trained_model import sampled_words
from sweep.trainers.mlp.trainer import MLP

FIXED = {"block_size": 2, "embedding_dim": 3, "hidden_neurons": 8, "batch_size": 8, "num_steps": 300}
SEARCHED: dict[str, Any] = {
    "learning_rate": {"low": 0.05, "high": 0.5, "log": True},
    "final_learning_rate": {"low": 0.0, "high": 0.05},
    "decay_at": {"low": 0.3, "high": 0.9, "when": {"schedule": "step"}},
    "schedule": {"choices": ["step", "cosine"]},
    "init": {"choices": ["scaled", "normal"]},
    "weight_decay": {"choices": [0.0, 0.0003, 0.001]},
    "momentum": {"low": 0.1, "high": 0.9},
}

LATER: dict[str, Any] = {
    "beta1": {"low": 0.5, "high": 0.95},
    "beta2": {"low": 0.9, "high": 0.999},
    "epsilon": {"low": 1e-9, "high": 1e-4, "log": True},
    "weight_decay": {"low": 0.01, "high": 0.3},
    "warmup": {"low": 0.01, "high": 0.2},
    "hidden_layers": {"low": 2, "high": 4},
    "dropout": {"low": 0.05, "high": 0.3},
}


def test_adamw_depth_and_dropout_reach_the_table_the_export_samples_and_replay(
    words_file: Path, tmp_path: Path
) -> None:
    """What is searched of them comes back bitwise from the exported file and makes up words."""
    fixed: dict[str, Any] = FIXED | {"optimizer": "adamw", "learning_rate": 0.005}
    raw = {"sampler": "random", "trials": 3, "data": {"words": str(words_file)}}
    spec = parse_study({"name": "deep", "fixed": fixed, "search": LATER, **raw}, MLP)
    study = run_study(MLP, spec, Database(f"sqlite:///{tmp_path}/deep.db"), how=How(workers=1)).study
    best = choose_trial(study, None)
    assert set(best.params) == set(LATER)
    row = next(row for row in rank_trials(study).records if row["trial"] == best.number)
    assert {name: row[name] for name in LATER} == best.params
    write_config(study, best, tmp_path / "best.toml")
    config, _ = load_config(tmp_path / "best.toml")
    assert (config.optimizer, config.hidden_layers) == ("adamw", best.params["hidden_layers"])
    assert best.facts["n_params"] == config.n_params(MLP.load_data(study.data).vocabulary_size)
    data, place = MLP.load_data(study.data), Place(engine=best.engine, device=best.device)
    assert best.dev_loss is not None
    again = train_again(MLP, config, data, best.dev_loss, place)
    assert again.verdict == "equal"
    assert len(sampled_words(config, data, again.state, 5, seed=1)) == 5


def test_adamw_with_momentum_is_refused_when_the_study_is_read(words_file: Path) -> None:
    """One line names both."""
    raw = {"sampler": "random", "trials": 1, "data": {"words": str(words_file)}}
    fixed = FIXED | {"optimizer": "adamw", "momentum": 0.9}
    search = {"dropout": {"low": 0.1, "high": 0.2}}
    with pytest.raises(ConfigError, match=r"momentum must be 0 with optimizer adamw"):
        parse_study({"name": "both", "fixed": fixed, "search": search, **raw}, MLP)


@pytest.mark.parametrize("name", ["optimizer", "hidden_layers", "dropout"])
def test_a_study_of_what_an_engine_cannot_do_is_refused_before_it_is_stored(
    words_file: Path, tmp_path: Path, name: str
) -> None:
    """The message names engine and field, and no database is made."""
    raw = {"sampler": "random", "trials": 1, "data": {"words": str(words_file)}}
    fixed = FIXED | {name: {"optimizer": "adamw", "hidden_layers": 2, "dropout": 0.1}[name]}
    search = {"weight_decay": {"low": 0.1, "high": 0.2}}
    spec = parse_study({"name": "far", "fixed": fixed, "search": search, **raw}, MLP)
    database = Database(f"sqlite:///{tmp_path}/far.db")
    with pytest.raises(DeviceError, match=f"^engine population would ignore {name}"):
        run_study(MLP, spec, database, how=How(workers=1, engine="population"))
    assert not database.exists()


@pytest.mark.parametrize("found", [False, True], ids=["searched", "learning rate found"])
def test_all_that_is_searched_or_found_reaches_the_table_the_export_and_replay(
    words_file: Path, tmp_path: Path, found: bool
) -> None:
    """The exported configuration is the trained one: it gives the stored loss bitwise again."""
    fixed: dict[str, Any] = FIXED | ({"learning_rate": "auto"} if found else {})
    search = {name: entry for name, entry in SEARCHED.items() if name not in fixed}
    raw = {"sampler": "random", "trials": 3, "data": {"words": str(words_file)}}
    spec = parse_study({"name": "wide", "fixed": fixed, "search": search, **raw}, MLP)
    study = run_study(MLP, spec, Database(f"sqlite:///{tmp_path}/wide.db"), how=How(workers=1)).study
    rows = rank_trials(study).records
    assert {row["state"] for row in rows} == {"complete"}
    for row in rows:
        trial = choose_trial(study, row["trial"])
        assert set(trial.params) | {"decay_at"} == set(search)
        values = {**trial.params, **trial.found}
        assert {name: row[name] for name in SEARCHED} == {"decay_at": None, **values}
    best = choose_trial(study, None)
    write_config(study, best, tmp_path / "best.toml")
    config, _ = load_config(tmp_path / "best.toml")
    assert config == config_of(MLP, study, best)
    assert config.learning_rate == {**best.params, **best.found}["learning_rate"]
    data, place = MLP.load_data(study.data), Place(engine=best.engine, device=best.device)
    assert best.dev_loss is not None
    assert train_again(MLP, config, data, best.dev_loss, place).verdict == "equal"
