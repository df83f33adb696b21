"""The command export."""

import hashlib
import os
import tomllib
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sweep.certify.config_file import load_config
from sweep.cli import main
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.trainer import MLP
from tests.support.command_line import (
    Capture,
    complaint,
)

BEST = Path("reports/small/best.toml")
WEIGHTS = Path("reports/small/best.safetensors")


def test_export_never_overwrites_unasked(small: Path, capsys: Capture) -> None:
    """A file that exists stays as it is until --force; --trial chooses, -o names the file."""
    assert main(["export", "small"]) == 0
    assert capsys.readouterr().out.startswith("wrote reports/small/best.toml: trial ")
    path = small / "reports" / "small" / "best.toml"
    path.write_text("mine")
    assert main(["export", "small"]) == 1
    assert "best.toml exists and is not overwritten" in complaint(capsys)
    assert path.read_text() == "mine"
    assert main(["export", "small", "--force"]) == 0
    assert "[provenance]" in path.read_text()
    assert main(["export", "small", "--trial", "5", "-o", "deep/er/five.toml"]) == 0
    assert "\ntrial = 5\n" in (small / "deep" / "er" / "five.toml").read_text()
    capsys.readouterr()
    assert main(["export", "small", "-o", "studies"]) == 1
    assert complaint(capsys) == "sweep: studies is a folder; name a file with -o"


def loss_of_export(config_file: Path, weights: Path) -> tuple[float, float]:
    """Return the dev loss of a model that is made of two exported files alone, and the loss exported."""
    config, provenance = load_config(config_file)
    corpus = MLP.load_data(provenance.data)
    loss = MLP.units_loss(config, corpus, weights.read_bytes(), MLP.units(corpus, "dev"))
    return loss, provenance.dev_loss


def test_weights_lie_beside_the_configuration(small: Path, capsys: Capture) -> None:
    """They are the model: safetensors reads its tensors, and it has the loss that was exported."""
    assert main(["export", "small", "--weights"]) == 0
    lines = capsys.readouterr().out.splitlines()
    best = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "small").complete_trials()[0]
    assert lines[1] == f"wrote {WEIGHTS}: its weights, trained on seed {best.seed}"
    assert hashlib.sha256(WEIGHTS.read_bytes()).hexdigest() == best.segments[-1].state_sha256
    tensors = safetensors.numpy.load_file(WEIGHTS)
    config = tomllib.loads(BEST.read_text())["config"]
    assert tensors["W1"].shape == (config["block_size"] * config["embedding_dim"], config["hidden_neurons"])
    loss, exported = loss_of_export(BEST, WEIGHTS)
    assert loss == pytest.approx(exported, rel=1e-6)


def test_weights_of_a_certified_winner_are_those_of_the_certified_seed(small: Path, capsys: Capture) -> None:
    """The trial's own seed was chosen for its good result; the file names another one."""
    assert main(["confirm", "small", "--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1"]) == 0
    assert main(["export", "small", "--weights"]) == 0
    seed = tomllib.loads(BEST.read_text())["config"]["seed"]
    assert f"wrote {WEIGHTS}: its weights, trained on seed {seed}\n" in capsys.readouterr().out
    loss, exported = loss_of_export(BEST, WEIGHTS)
    assert loss == pytest.approx(exported, rel=1e-6)
    certified = safetensors.numpy.load_file(WEIGHTS)
    assert main(["export", "small", "--trial", "0", "--weights", "-o", "own.toml"]) == 0
    own = safetensors.numpy.load_file("own.safetensors")
    assert not np.array_equal(own["C"].ravel()[:5], certified["C"].ravel()[:5])


@pytest.mark.parametrize("taken", [BEST, WEIGHTS])
def test_neither_file_is_written_over_one_of_the_user(taken: Path, small: Path, capsys: Capture) -> None:
    """Both are checked before one is written; --force writes both."""
    taken.parent.mkdir(parents=True)
    taken.write_text("mine")
    assert main(["export", "small", "--weights"]) == 1
    assert f"{taken} exists and is not overwritten" in complaint(capsys)
    assert taken.read_text() == "mine"
    assert os.listdir(taken.parent) == [taken.name]
    assert main(["export", "small", "--weights", "--force"]) == 0
    assert safetensors.numpy.load_file(WEIGHTS)


@pytest.mark.parametrize("name", ["best.toml", "best.safetensors"])
@pytest.mark.parametrize("aims_at_a_file", [True, False])
def test_a_link_is_refused_or_replaced_and_never_followed(
    name: str, aims_at_a_file: bool, small: Path, capsys: Capture
) -> None:
    """A link that leads nowhere is somebody's too."""
    target = small / "target"
    if aims_at_a_file:
        target.write_text("mine")
    link = BEST.parent / name
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    assert main(["export", "small", "--weights"]) == 1
    assert f"{link} exists and is not overwritten" in complaint(capsys)
    assert main(["export", "small", "--weights", "--force"]) == 0
    assert not link.is_symlink()
    assert (target.read_text() if target.exists() else "mine") == "mine"
    assert target.exists() == aims_at_a_file


def test_weights_that_are_not_kept_are_no_reason_to_write_half(small: Path, capsys: Capture) -> None:
    """One line says that they are gone, and no configuration is written."""
    for state in Path("studies/sweep.db.d/small").glob("*/state-*"):
        state.unlink()
    assert main(["export", "small", "--weights"]) == 1
    assert "are not here; a study keeps those of its best trials" in complaint(capsys)
    assert not BEST.exists()


def test_names_and_options_that_contradict_each_other_are_refused(small: Path, capsys: Capture) -> None:
    """The configuration cannot have the name of the weights; an ensemble is not one model."""
    assert main(["export", "small", "--weights", "-o", "a.safetensors"]) == 1
    assert "for weights in a.safetensors give -o a.toml" in complaint(capsys)
    assert main(["export", "small", "--weights", "--ensemble"]) == 2
    assert "leave out --ensemble" in complaint(capsys)


def test_a_program_of_the_user_has_no_weights_to_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """One line names the folder of what the trial wrote."""
    (tmp_path / "trainers.py").write_text("def train(config):\n    return (config.x - 0.3) ** 2\n")
    (tmp_path / "toy.toml").write_text(
        'trainer = "trainers:train"\nmetric = "loss"\nsampler = "random"\ntrials = 1\n'
        "search.x = { low = 0.0, high = 1.0 }\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["run", "toy.toml", "--workers", "1"]) == 0
    capsys.readouterr()
    assert main(["export", "toy", "--weights"]) == 1
    line = complaint(capsys)
    assert "sweep keeps no weights of a program of yours, only what trial 0 wrote; its files are in " in line
    assert Path(line.rpartition("its files are in ")[2]).is_dir()
    assert not (tmp_path / "reports").exists()
