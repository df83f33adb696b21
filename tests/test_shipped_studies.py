"""The shipped studies are accepted, and what they search can be trained."""

import math
from pathlib import Path

import pytest

from sweep.cli.workspace import STARTER_FILES
from sweep.definition.study_file import load_study_file
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import load_corpus

REPOSITORY = Path(__file__).resolve().parents[1]
STUDIES = sorted((REPOSITORY / "studies").glob("*.toml"))
KNOBS = {"block_size", "embedding_dim", "hidden_neurons", "batch_size", "num_steps"}
SEARCHED = {
    "quick": KNOBS | {"learning_rate", "weight_decay"},
    "names": KNOBS | {"learning_rate", "weight_decay"},
    "deep": KNOBS | {"learning_rate", "weight_decay", "hidden_layers", "dropout"},
    "pareto": {"block_size", "embedding_dim", "hidden_neurons"},
}


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_named_as_its_file_and_laid_out(path: Path) -> None:
    """``sweep init`` writes each of them, so that its name is the one that the documentation uses."""
    assert load_study_file(path).name == path.stem
    assert f"studies/{path.name}" in STARTER_FILES


@pytest.mark.parametrize("name", SEARCHED)
def test_a_search_knows_no_configuration_before_it_begins(name: str) -> None:
    """What it finds is found in its own time: nothing is listed, and the optimizer is adamw."""
    spec = load_study_file(REPOSITORY / "studies" / f"{name}.toml")
    assert spec.space.keys() == SEARCHED[name]
    assert not spec.listed
    assert spec.fixed["optimizer"] == "adamw"


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("unit", [0.0, 0.4, 0.8])
def test_configurations_of_a_search_train(name: str, unit: float, tmp_path: Path) -> None:
    """Ten steps on a short list end with a loss that is a number, at small sizes and at large ones."""
    words = tmp_path / "words.txt"
    words.write_text("\n".join(["emma", "olivia", "ava", "isabella", "sophia", "charlotte", "mia"] * 5))
    spec = load_study_file(REPOSITORY / "studies" / f"{name}.toml")
    values = spec.config_values({**spec.space.point_at(unit), "num_steps": 10})
    config = TrainConfig.from_dict(values)
    assert math.isfinite(train_segment(config, load_corpus(words), None, 10).dev_loss)


def test_the_hand_made_log_is_trained_as_it_was_made() -> None:
    """Fifteen rows with their logged losses, on plain stochastic gradient descent."""
    spec = load_study_file(REPOSITORY / "studies" / "tuning-log.toml")
    assert (len(spec.listed), len(spec.logged)) == (15, 15)
    fixed = {name: spec.fixed[name] for name in ("optimizer", "schedule", "weight_decay", "momentum", "init")}
    assert fixed == {
        "optimizer": "sgd",
        "schedule": "step",
        "weight_decay": 0.0,
        "momentum": 0.0,
        "init": "normal",
    }
