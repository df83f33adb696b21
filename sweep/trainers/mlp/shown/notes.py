"""Compute the notes of a study of the MLP at the end of a run.

The notes are the baselines' losses, and of the best trial its loss on dev words that do not occur in train
and the report's facts about its weights.
"""

from collections.abc import Iterator

from sweep.certify.config_file import choose_trial
from sweep.certify.weights import final_weights
from sweep.definition.notes import Note
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import DataError, NotFoundError
from sweep.storage.checkpoints import Checkpoints
from sweep.trainers.mlp.baselines import count_table_losses, uniform_loss
from sweep.trainers.mlp.shown import trained_model
from sweep.trainers.mlp.shown.embedding import map_embedding
from sweep.trainers.mlp.shown.learned import sample, training_words
from sweep.trainers.mlp.shown.note_kinds import Baselines, LearnedModel, NewWords
from sweep.trainers.mlp.shown.weak_spots import spots_by_character, spots_by_position
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus, decode_words
from sweep.trainers.mlp.words.spelling import normalized


def take_notes(study: StudyRecord, data: Corpus, checkpoints: Checkpoints) -> Iterator[Note]:
    """Yield the baselines' losses, and the notes about the best trial if its weights are available."""
    yield note_baselines(data)
    best = _best_weights(study, checkpoints)
    if best is None:
        return
    new_words = note_new_words(study, data, *best)
    if new_words is not None:
        yield new_words
    yield note_learned(study, data, *best)


def note_baselines(data: Corpus) -> Baselines:
    """Return the dev losses of models without training."""
    return Baselines(uniform=uniform_loss(data), count_tables=count_table_losses(data))


def _best_weights(study: StudyRecord, checkpoints: Checkpoints) -> tuple[TrialRecord, bytes] | None:
    """Return the best trial and its weights; None if there is no trial, or no finite stored weights."""
    try:
        trial = choose_trial(study, None)
        state = final_weights(MLP, checkpoints, trial) if trial.segments else None
    except (NotFoundError, DataError):  # commands that use the model report the reason
        return None
    return None if state is None else (trial, state)


def note_new_words(study: StudyRecord, data: Corpus, trial: TrialRecord, state: bytes) -> NewWords | None:
    """Return a trial's losses on new and on repeated dev words; None if there are none of one kind."""
    trained = training_words(data)
    dev = decode_words(data.dev, data.vocabulary)
    new = [word for word in dev if normalized(word) not in trained]
    seen = [word for word in dev if normalized(word) in trained]
    if not new or not seen:
        return None
    config = MLP.make_config(study.config_values(trial))
    return NewWords(
        trial=trial.number,
        dev_words=len(dev),
        new_words=len(new),
        new_loss=MLP.units_loss(config, data, state, new),
        seen_loss=MLP.units_loss(config, data, state, seen),
    )


def note_learned(study: StudyRecord, data: Corpus, trial: TrialRecord, state: bytes) -> LearnedModel:
    """Return the facts about a trial's weights, so that the report needs neither weights nor torch."""
    config = MLP.make_config(study.config_values(trial))
    inspection = trained_model.inspection(config, data, state)
    sampled = sample(config, data, state)
    return LearnedModel(
        trial=trial.number,
        state_sha256=trial.segments[-1].state_sha256,
        embedding=map_embedding(trained_model.embedding(config, data, state), data),
        by_position=spots_by_position(inspection),
        by_character=spots_by_character(inspection, data.vocabulary),
        words=[word for word, _ in sampled],
        known=[is_known for _, is_known in sampled],
    )
