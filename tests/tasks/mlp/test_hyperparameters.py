"""Every hyperparameter can be searched, or found, and comes out in table, config file and replay."""

from pathlib import Path
from typing import Any

import pytest

from sweep.certify.config_file import choose_trial, load_config, write_config
from sweep.certify.replay import Place, config_of, train_again
from sweep.definition.ranking import rank_trials
from sweep.definition.study_file import parse_study
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.tasks.mlp.trainer import MLP

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
