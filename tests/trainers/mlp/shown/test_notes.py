"""What is noted of a study when a run has ended."""

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.definition.notes import plain_note
from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from sweep.trainers.mlp.shown.embedding import embedding_map
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.note_kinds import LearnedModel, NewWords
from sweep.trainers.mlp.shown.notes import take_notes
from sweep.trainers.mlp.shown.weak_spots import loss_by_character, loss_by_position
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus
from sweep.trainers.mlp.words.words_file import split_words
from tests.conftest import WORDS
from tests.support.study_evidence import made_study, trained_evidence


@pytest.fixture
def repeated(tmp_path: Path) -> tuple[StudyRecord, Corpus]:
    """A study of forty words, each of them twice, whose trial 7 is the best and has its weights."""
    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS.split() * 2) + "\n")
    return trained_evidence(tmp_path, words).study, MLP.load_data({"words": str(words)})


def new_words_of(study: StudyRecord, data: Corpus, folder: Path) -> NewWords | None:
    """Return what is noted of new words, with the weights of a folder."""
    noted = take_notes(study, data, Checkpoints(LocalFolder(folder)))
    return next((note for note in noted if isinstance(note, NewWords)), None)


def test_the_report_shows_the_noted_numbers_as_it_shows_those_of_the_weights(
    repeated: tuple[StudyRecord, Corpus], tmp_path: Path
) -> None:
    """Stored as JSON and read again, they give the same figures and words; the weights are not read."""
    study, data = repeated
    noted = next(
        note
        for note in take_notes(study, data, Checkpoints(LocalFolder(tmp_path / "made")))
        if isinstance(note, LearnedModel)
    )
    stored = {LearnedModel.key: json.loads(json.dumps(plain_note(noted)))}
    computed = Evidence(study, files=LocalFolder(tmp_path))
    shown = Evidence(dataclasses.replace(study, notes=stored), files=LocalFolder(tmp_path / "gone"))
    for numbers in (embedding_map, loss_by_position, loss_by_character):
        assert numbers(shown) == numbers(computed)
    assert shown.more(Learned).sampled_words == computed.more(Learned).sampled_words


def test_numbers_of_other_weights_or_other_words_are_not_shown(
    repeated: tuple[StudyRecord, Corpus], tmp_path: Path
) -> None:
    """Another winner's note is passed over, and changed words are told as ever."""
    study, data = repeated
    files = Checkpoints(LocalFolder(tmp_path / "made"))
    notes = {note.key: plain_note(note) for note in take_notes(study, data, files)}
    other = {**notes, "learned": {**notes["learned"], "state_sha256": "0" * 64}}
    gone = LocalFolder(tmp_path / "gone")
    with pytest.raises(NothingToShowError, match="the weights of trial 7 are not here"):
        embedding_map(Evidence(dataclasses.replace(study, notes=other), files=gone))
    Path(study.data["words"]).write_text("other\nwords\n")
    with pytest.raises(NothingToShowError, match="has changed since study"):
        embedding_map(Evidence(dataclasses.replace(study, notes=notes), files=gone))


def test_new_and_repeated_words_make_up_the_dev_loss(
    repeated: tuple[StudyRecord, Corpus], tmp_path: Path
) -> None:
    """Weighted by their characters, the two losses are the exact loss of all dev words."""
    study, data = repeated
    noted = new_words_of(study, data, tmp_path / "made")
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
    kept = tmp_path / "made"
    assert new_words_of(made_study(), data, kept) is None
    assert new_words_of(study, data, tmp_path / "elsewhere") is None
    distinct = trained_evidence(tmp_path, write_words(words, "distinct.txt"))
    assert new_words_of(distinct.study, distinct.data, kept) is None
