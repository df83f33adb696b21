"""Stored weights that are not finite are no model: whoever reads them refuses them in one line."""

import dataclasses
import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from sweep.certify.test_split.ledger import read_ledger
from sweep.cli import main
from sweep.errors import DataError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.shown import trained_model
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus
from tests.support.small_study import _own_ledger, small, trained

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

CONFIG = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=4, num_steps=4, batch_size=8)


def poison_state(raw: bytes, name: str, value: float) -> bytes:
    tensors = {key: array.copy() for key, array in safetensors.numpy.load(raw).items()}
    tensors[name].flat[0] = value
    return safetensors.numpy.save(tensors)


def poison_best() -> tuple[int, str]:
    """Store weights with a NaN for the best trial, with the hash and the seal that belong to them."""
    study = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "small")
    best = study.complete_trials()[0]
    folder = f"studies/sweep.db.d/small/{best.number:06d}"
    (path,) = Path(folder).glob("state-*.safetensors")
    path.write_bytes(poison_state(path.read_bytes(), "C", np.nan))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    segments = [*best.segments[:-1], dataclasses.replace(best.segments[-1], state_sha256=sha256)]
    changed = dataclasses.replace(best, segments=tuple(segments))
    with closing(sqlite3.connect("studies/sweep.db")) as connection, connection:
        for old, new in ((best.segments[-1].state_sha256, sha256), (best.seal(), changed.seal())):
            for update in (
                "UPDATE trial_user_attributes SET value_json = replace(value_json, ?, ?)",
                "UPDATE trial_system_attributes SET value_json = replace(value_json, ?, ?)",
            ):
                connection.execute(update, (old, new))
    return best.number, folder


@pytest.fixture
def poisoned(small: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The best trial's weights hold a NaN; returns how a refusal names it."""
    assert Path.cwd() == small
    assert main(["export", "small", "-o", "best.toml"]) == 0
    number, folder = poison_best()
    capsys.readouterr()
    return f"trial {number} ({Path(folder)}): the weights have values that are not finite (in C)"


@pytest.mark.parametrize("command", ["sample", "test"])
def test_a_command_that_uses_them_ends_with_1(
    command: str, poisoned: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the trial and where its files are; nothing is printed and no look is recorded."""
    assert main([command, "best.toml"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = [line for line in err.splitlines() if "not finite" in line]
    assert poisoned in line.replace(f"{Path.cwd()}/", "")
    assert read_ledger() == []


def test_a_report_leaves_out_what_needs_them(poisoned: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is written, and the reason is given for the sections that it lacks."""
    assert main(["report", "small"]) == 0
    page = Path("reports/small/report.html").read_text()
    assert poisoned in page.replace(f"{Path.cwd()}/", "")
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("plot", ["embedding", "loss-by-position", "loss-by-character"])
def test_a_plot_of_them_ends_with_1(plot: str, poisoned: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is not drawn, and the line says why."""
    assert main(["plot", "small", plot]) == 1
    assert poisoned in capsys.readouterr().err.replace(f"{Path.cwd()}/", "")


def test_a_run_that_finds_them_ends_as_usual(poisoned: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Notes and figures that need the weights are left out; the table is printed."""
    assert main(["run", "studies/small.toml", "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "stored in studies/sweep.db" in out
    assert "Traceback" not in err


USES: dict[str, Callable[[Corpus, bytes], Any]] = {
    "units_loss": lambda corpus, state: MLP.units_loss(CONFIG, corpus, state, ["anna"]),
    "unit_losses": lambda corpus, state: MLP.unit_losses(CONFIG, corpus, state, ["anna"]),
    "sample_words": lambda corpus, state: trained_model.sampled_words(CONFIG, corpus, state, 3, seed=0),
    "inspect": lambda corpus, state: trained_model.inspection(CONFIG, corpus, state),
    "check_weights": lambda corpus, state: MLP.check_weights(state),
}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["C", "W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("use", USES.values(), ids=list(USES))
def test_every_use_of_a_model_refuses_them(
    use: Callable[[Corpus, bytes], Any], name: str, value: float, corpus: Corpus
) -> None:
    """One value of any parameter is enough; a sound state is taken."""
    sound = TrainState.initial(CONFIG, corpus.vocabulary_size).to_bytes()
    use(corpus, sound)
    with pytest.raises(DataError, match=rf"^the weights have values that are not finite \(in {name}\)$"):
        use(corpus, poison_state(sound, name, value))
