"""Compute what is noted of a study of the MLP when a run has ended.

Losses without training, and the best trial's loss on dev words that do not occur in train.
"""

from collections.abc import Iterator

from sweep.certify.config_file import choose_trial
from sweep.certify.weights import final_weights
from sweep.definition.notes import Note
from sweep.definition.records import StudyRecord
from sweep.errors import DataError, NotFoundError
from sweep.storage.checkpoints import Checkpoints
from sweep.tasks.mlp.baselines import count_table_losses, uniform_loss
from sweep.tasks.mlp.shown.learned import training_words
from sweep.tasks.mlp.shown.note_kinds import Baselines, NewWords
from sweep.tasks.mlp.trainer import MLP
from sweep.tasks.mlp.words.corpus import Corpus, decode_words
from sweep.tasks.mlp.words.spelling import normalized


def take_notes(study: StudyRecord, data: Corpus, checkpoints: Checkpoints) -> Iterator[Note]:
    """Yield the losses without training, and the best trial's on new words if they can be told."""
    yield note_baselines(data)
    new_words = note_new_words(study, data, checkpoints)
    if new_words is not None:
        yield new_words


def note_baselines(data: Corpus) -> Baselines:
    """Return the dev losses of models that need no training."""
    return Baselines(uniform=uniform_loss(data), count_tables=count_table_losses(data))


def note_new_words(study: StudyRecord, data: Corpus, checkpoints: Checkpoints) -> NewWords | None:
    """Return the best trial's loss on new and on repeated dev words.

    None if there is no best trial, its weights are no longer kept or are not finite, or one of the
    two kinds of words is empty.
    """
    try:
        trial = choose_trial(study, None)
    except NotFoundError:
        return None
    try:
        state = final_weights(MLP, checkpoints, trial)
    except DataError:  # whoever asks for this model gets the reason; a note has no place for it
        return None
    trained = training_words(data)
    dev = decode_words(data.dev, data.vocabulary)
    new = [word for word in dev if normalized(word) not in trained]
    seen = [word for word in dev if normalized(word) in trained]
    if state is None or not new or not seen:
        return None
    config = MLP.make_config(study.config_values(trial))
    return NewWords(
        trial=trial.number,
        dev_words=len(dev),
        new_words=len(new),
        new_loss=MLP.units_loss(config, data, state, new),
        seen_loss=MLP.units_loss(config, data, state, seen),
    )
