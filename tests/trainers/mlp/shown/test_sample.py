"""Words that a model makes up, from stored weights or from training again."""

import dataclasses
from pathlib import Path

import pytest

from sweep.certify.config_file import choose_trial, load_config, write_config
from sweep.certify.provenance import Provenance
from sweep.errors import DataError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.shown.sample import sample_from
from tests.support.small_study import _own_ledger, made_up_words, small, trained, write_words

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

Exported = tuple[TrainConfig, Provenance]


@pytest.fixture
def best(small: Path) -> Exported:
    """The best trial of the small study, exported and read back."""
    assert Path.cwd() == small
    study = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "small")
    write_config(study, choose_trial(study, None), Path("best.toml"))
    return load_config("best.toml")


def sample(
    exported: Exported, *, url: str = "sqlite:///studies/sweep.db", seed: int = 0, words: str = ""
) -> tuple[list[str], list[str]]:
    """Return twenty words and what was said meanwhile."""
    said: list[str] = []
    config, provenance = exported
    drawn = sample_from(
        config,
        provenance,
        Database(url),
        words=words or provenance.data["words"],
        n=20,
        seed=seed,
        say=said.append,
    )
    return drawn, said


def test_stored_weights_and_training_again_say_the_same(best: Exported) -> None:
    """With the weights nothing is trained; without, or damaged, they are trained again and say so."""
    drawn, said = sample(best)
    assert said == []
    assert len(drawn) == 20
    assert sample(best, url="sqlite:///nowhere.db") == (
        drawn,
        [f"the weights are not stored here: training {best[0].num_steps:,} steps again"],
    )
    assert not Path("nowhere.db").exists()
    (state,) = Path(f"studies/sweep.db.d/small/{best[1].trial:06d}").glob("state-*.safetensors")
    state.write_bytes(state.read_bytes()[:-8] + b"\x00" * 8)
    again, said = sample(best)
    assert again == drawn
    assert len(said) == 1


def test_the_seed_decides(best: Exported) -> None:
    """The same seed gives the same words, another seed others."""
    assert sample(best, seed=3) == sample(best, seed=3)
    assert sample(best, seed=3) != sample(best, seed=4)


def test_words_are_of_the_alphabet_and_bounded(best: Exported) -> None:
    """No word holds an end mark or a letter that was not read, or is longer than twice the longest."""
    drawn, _ = sample(best)
    alphabet = set("".join(made_up_words()))
    assert set("".join(drawn)) <= alphabet
    assert max(map(len, drawn)) <= 2 * max(map(len, made_up_words()))


def test_weights_of_another_model_are_not_taken(best: Exported) -> None:
    """A config that differs from the stored trial, in its seed or its loss, is trained and not looked up."""
    config, provenance = best
    assert len(sample((config.replace(seed=1), provenance))[1]) == 1
    assert len(sample((config, dataclasses.replace(provenance, dev_loss=1.0)))[1]) == 1


def test_other_words_are_refused(best: Exported) -> None:
    """An index would mean another letter on another list."""
    write_words(Path("other.txt"), made_up_words(seed=2))
    with pytest.raises(DataError, match=r"other\.txt does not hold the data of the export"):
        sample(best, words="other.txt")
