"""A confirmation of the MLP with an ensemble and with train and dev cut again, against torch and SciPy."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from sweep.certify.config_file import load_config
from sweep.certify.confirm_plan import Job
from sweep.certify.ensemble.record import Ensemble, ensemble_table, read_ensemble
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.test_split.ledger import read_ledger
from sweep.certify.weights import kept_weights
from sweep.cli import main
from sweep.definition.records import StudyRecord
from sweep.errors import ConfigError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.state import read_weights
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import load_corpus, resplit_corpus
from sweep.trainers.mlp.words.words_file import load_test_words
from tests.support.command_line import Capture
from tests.support.once import made_once
from tests.support.small_study import _own_ledger, sweep, trained

__all__ = ["_own_ledger", "trained"]  # fixtures

ASKED = ("confirm", "small", "--top", "1", "--seeds", "2", "--certify", "3", "--workers", "2")
URL = "sqlite:///studies/sweep.db"


@pytest.fixture(scope="module")
def confirmed_once(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small study with a confirmation on ten cuts; ``confirm.json`` and ``.text`` show it."""

    def make(folder: Path) -> None:
        shutil.copytree(trained, folder, dirs_exist_ok=True)
        for form in ("json", "text"):
            done = sweep(
                folder, *ASKED, "--resplit", "10", "--format", form, SWEEP_LEDGER=str(folder / "ledger")
            )
            assert done.returncode == 0, done.stderr
            (folder / f"confirm.{form}").write_text(done.stdout)
            (folder / f"confirm.{form}.err").write_text(done.stderr)

    return made_once(tmp_path_factory, "resplit-study", make)


@pytest.fixture
def confirmed(confirmed_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, which is also the working directory."""
    folder = shutil.copytree(confirmed_once, tmp_path / "work")
    monkeypatch.chdir(folder)
    return folder


def stored() -> tuple[StudyRecord, Confirmation]:
    storage = Database(URL).open_read_only()
    study = load_study(storage, "small")
    confirmation = load_confirmation(storage, study)
    assert confirmation is not None
    return study, confirmation


def models(phase: str, rounds: int) -> list[tuple[TrainConfig, float]]:
    """Return the configuration and loss of each training of the chosen candidate in a phase."""
    study, confirmation = stored()
    chosen = confirmation.plan.candidates[0].trial
    trials = [confirmation.trials[Job(chosen, phase, r)] for r in range(rounds)]
    found = [(TrainConfig.from_dict(study.config_values(trial)), trial.dev_loss) for trial in trials]
    return [(config, loss) for config, loss in found if loss is not None]


def torch_ensemble_loss(words: list[str]) -> float:
    """Loss of the mean of the three certified models' probabilities, float64, character by character."""
    corpus = load_corpus("data/words.txt")
    weights = []
    for config, loss in models("certify", 3):
        state = kept_weights(MLP, config, loss, "small", Database(URL))
        assert state is not None
        arrays = read_weights(state, config, corpus.vocabulary_size)
        weights.append({name: torch.tensor(array, dtype=torch.float64) for name, array in arrays.items()})
    index = {symbol: place for place, symbol in enumerate(corpus.vocabulary)}
    size = models("certify", 1)[0][0].block_size
    total, count = 0.0, 0
    for word in words:
        context = [0] * size
        for character in [*word, "."]:
            probabilities = []
            for p in weights:
                hidden = torch.tanh(p["C"][context].flatten() @ p["W1"] + p["b1"])
                probabilities.append(torch.softmax(hidden @ p["W2"] + p["b2"], dim=0)[index[character]])
            total -= float(torch.log(torch.stack(probabilities).mean()))
            count += 1
            context = [*context[1:], index[character]]
    return total / count


def chosen_row() -> dict[str, Any]:
    (row,) = json.loads(Path("confirm.json").read_text())
    assert isinstance(row, dict)
    return row


@pytest.mark.usefixtures("confirmed")
def test_the_ensemble_is_the_mean_of_probabilities() -> None:
    """Its dev loss is that of torch, below the mean of the single losses, and labelled as not certified."""
    loss = torch_ensemble_loss(MLP.units(load_corpus("data/words.txt"), "dev"))
    assert loss < chosen_row()["certified_mean"]
    text = Path("confirm.text").read_text()
    assert f"ensemble of these 3 models, mean of probabilities: {loss:.4f}, 95 % over words " in text
    assert "the certificate does not cover it" in text


@pytest.mark.usefixtures("confirmed")
def test_the_exported_ensemble_is_sampled_and_tested(capsys: Capture) -> None:
    """One look at the test words, whose loss is that of torch; the seeds have no test loss of their own."""
    assert main(["export", "small", "--ensemble", "-o", "all.toml"]) == 0
    assert "ensemble of 3 seeds, not certified" in capsys.readouterr().out
    raw = tomllib.loads(Path("all.toml").read_text())
    assert raw["ensemble"]["certified"] is False
    assert raw["ensemble"]["seeds"] == raw["certificate"]["seeds"]
    _, provenance = load_config("all.toml")
    assert provenance.ensemble is not None
    loss = torch_ensemble_loss(MLP.units(load_corpus("data/words.txt"), "dev"))
    assert provenance.ensemble.value == pytest.approx(loss, abs=1e-6)
    assert provenance.ensemble.low < loss < provenance.ensemble.high

    assert main(["sample", "all.toml", "-n", "5"]) == 0
    together = capsys.readouterr().out
    assert main(["export", "small", "-o", "one.toml"]) == 0
    capsys.readouterr()
    assert main(["sample", "one.toml", "-n", "5"]) == 0
    assert len(together.splitlines()) == 5
    assert capsys.readouterr().out != together

    assert main(["test", "all.toml"]) == 0
    printed = capsys.readouterr().out
    loss = torch_ensemble_loss(load_test_words("data/words.txt"))
    assert f"test loss  {loss:.4f} nats per character, ensemble of 3 seeds, not certified (look 1" in printed
    assert "95 % over words" in printed
    assert "95 % over seeds" not in printed
    (look,) = read_ledger()
    assert look.is_of_ensemble
    assert "(ensemble of 3 seeds)" in look.describe()
    assert main(["test", "one.toml"]) == 1
    assert main(["train", "all.toml"]) == 1
    assert "export without --ensemble to train one model" in capsys.readouterr().err


@pytest.mark.usefixtures("confirmed")
def test_the_cuts_give_the_corrected_interval() -> None:
    """SciPy's t interval with 1 / 10 + 40 / 320 in the place of 1 / 10; the losses are those of the cuts."""
    row = chosen_row()
    trainings = models("resplit", 10)
    losses = np.array([loss for _, loss in trainings])
    scale = losses.std(ddof=1) * np.sqrt(1 / 10 + 40 / 320)
    low, high = stats.t.interval(0.95, df=9, loc=losses.mean(), scale=scale)
    assert row["resplit_mean"] == pytest.approx(losses.mean())
    assert (row["resplit_low"], row["resplit_high"]) == pytest.approx((low, high))
    assert len(set(losses)) == 10
    config, loss = trainings[3]
    again = train_segment(config, resplit_corpus(load_corpus("data/words.txt"), 4), None, config.num_steps)
    assert again.dev_loss == pytest.approx(loss, abs=1e-6)
    text = Path("confirm.text").read_text()
    assert (
        f"over 10 cuts of train and dev: dev loss {losses.mean():.4f}, 95 % {low:.4f} to {high:.4f}" in text
    )
    assert "dev over train 0.125" in text
    assert "then 10 trainings of it on other cuts of train and dev" in Path("confirm.json.err").read_text()


@pytest.mark.usefixtures("confirmed")
def test_without_cuts_nothing_is_trained_again(capsys: Capture) -> None:
    """The certificate is the same with and without them; a plan without has no key of theirs."""
    before = len(stored()[1].trials)
    assert main([*ASKED, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert {**row, "resplit_mean": 0, "resplit_low": 0, "resplit_high": 0}.keys() == chosen_row().keys()
    assert row["certified_mean"] == chosen_row()["certified_mean"]
    study, confirmation = stored()
    assert len(confirmation.trials) == before
    assert "resplit" not in study.plans[-1]["settings"]
    assert "dev_to_train" not in study.plans[-1]


@pytest.mark.usefixtures("confirmed")
def test_too_few_cuts_are_refused(capsys: Capture) -> None:
    """Nine."""
    assert main([*ASKED, "--resplit", "9"]) == 2
    assert "--resplit must be 10 or more" in capsys.readouterr().err


@pytest.mark.usefixtures("confirmed")
def test_an_ensemble_needs_a_certificate_and_its_weights(capsys: Capture) -> None:
    """Neither a trial that was named nor weights that are gone can be combined."""
    assert main(["export", "small", "--ensemble", "--trial", "0", "-o", "x.toml"]) == 1
    assert "leave out --trial" in capsys.readouterr().err
    for state in Path("studies/sweep.db.d/small/confirm").rglob("state-*.safetensors"):
        state.unlink()
    assert main(["export", "small", "--ensemble", "-o", "x.toml"]) == 1
    assert "not all weights of its certified seeds are here" in capsys.readouterr().err
    assert not Path("x.toml").exists()


@pytest.mark.parametrize(
    "change", [{"seeds": [1, 3]}, {"seeds": 4}, {"certified": True}, {"value": "low"}, {"more": 1.0}, None]
)
def test_a_changed_ensemble_is_refused(change: dict[str, Any] | None) -> None:
    """Other seeds than the certificate's, a claim that it is certified, or a number that is none."""
    table = ensemble_table(Ensemble(seeds=(1, 2), value=2.0, low=1.9, high=2.1))
    found = read_ensemble({"ensemble": table}, (1, 2))
    assert found == Ensemble(seeds=(1, 2), value=2.0, low=1.9, high=2.1)
    certified = () if change is None else (1, 2)
    with pytest.raises(ConfigError, match=r"\[ensemble\] cannot be used"):
        read_ensemble({"ensemble": {**table, **(change or {})}}, certified)
    assert read_ensemble({}, ()) is None
