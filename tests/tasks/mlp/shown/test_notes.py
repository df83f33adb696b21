"""What is noted of a study when a run has ended."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WORDS
from study_evidence import made_study, trained_evidence

from sweep.definition.records import StudyRecord
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from sweep.tasks.mlp.shown.notes import note_new_words
from sweep.tasks.mlp.trainer import MLP
from sweep.tasks.mlp.words.corpus import Corpus, split_words


@pytest.fixture
def repeated(tmp_path: Path) -> tuple[StudyRecord, Corpus]:
    """A study of forty words, each of them twice, whose trial 7 is the best and has its weights."""
    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS.split() * 2) + "\n")
    return trained_evidence(tmp_path, words).study, MLP.load_data({"words": str(words)})


def test_new_and_repeated_words_make_up_the_dev_loss(
    repeated: tuple[StudyRecord, Corpus], tmp_path: Path
) -> None:
    """Weighted by their characters, the two losses are the exact loss of all dev words."""
    study, data = repeated
    noted = note_new_words(study, data, Checkpoints(LocalFolder(tmp_path / "made")))
    train, dev, _ = split_words(WORDS.split() * 2)
    new = [word for word in dev if word not in train]
    seen = [word for word in dev if word in train]
    assert noted is not None
    assert (noted.trial, noted.dev_words, noted.new_words) == (7, 8, len(new))
    examples = [sum(len(word) + 1 for word in words) for words in (new, seen)]
    pooled = (noted.new_loss * examples[0] + noted.seen_loss * examples[1]) / sum(examples)
    winner = next(trial for trial in study.trials if trial.number == 7)
    last = winner.segments[-1]
    state = Checkpoints(LocalFolder(tmp_path / "made")).read_state(7, last.step, last.state_sha256)
    assert state is not None
    config = MLP.make_config(study.config_values(winner))
    assert pooled == pytest.approx(MLP.units_loss(config, data, state, dev), abs=1e-9)
    assert math.isfinite(noted.new_loss)


def test_nothing_is_noted_where_something_is_missing(
    repeated: tuple[StudyRecord, Corpus], tmp_path: Path, words: list[str], write_words: Callable[..., Path]
) -> None:
    """No trial, weights that are not kept, or no dev word that also stands in train."""
    study, data = repeated
    kept = Checkpoints(LocalFolder(tmp_path / "made"))
    assert note_new_words(made_study(), data, kept) is None
    assert note_new_words(study, data, Checkpoints(LocalFolder(tmp_path / "elsewhere"))) is None
    distinct = trained_evidence(tmp_path, write_words(words, "distinct.txt"))
    assert note_new_words(distinct.study, distinct.data, kept) is None
