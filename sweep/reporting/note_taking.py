"""Compute and store the notes of a study when a run has ended.

Losses without training, and the best trial's loss on dev words that do not occur in train. Both need
the words that the study was run on, the second also the weights. They are computed once and stored, so
that advice can use them later without either.
"""

import dataclasses

from sweep.certify.config_file import choose_trial
from sweep.certify.study_data import StudyData
from sweep.certify.weights import final_weights
from sweep.definition.notes import Baselines, NewWords, Note
from sweep.definition.records import StudyRecord
from sweep.errors import DataError, NotFoundError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_store import store_note
from sweep.tasks.mlp.baselines import count_table_losses, uniform_loss
from sweep.tasks.mlp.corpus import decode_words
from sweep.tasks.mlp.spelling import normalized
from sweep.tasks.mlp.trainer import MLP


def take_notes(study: StudyRecord, words: StudyData, database: Database) -> StudyRecord:
    """Compute and store the notes of a study that was just run; return it with them.

    Raises:
        DataError: If the words are gone or changed.
    """
    baselines = Baselines(uniform=uniform_loss(words.data), count_tables=words.derived(count_table_losses))
    new_words = note_new_words(study, words, Checkpoints(database.files / study.name))
    noted: list[Note] = [note for note in (baselines, new_words) if note is not None]
    storage = database.open_for_writing()
    for note in noted:
        store_note(storage, study.name, note)
    notes = dataclasses.replace(
        study.notes, baselines=baselines, new_words=new_words or study.notes.new_words
    )
    return dataclasses.replace(study, notes=notes)


def note_new_words(study: StudyRecord, words: StudyData, checkpoints: Checkpoints) -> NewWords | None:
    """Return the best trial's loss on new and on repeated dev words.

    None where there is no best trial, its weights are no longer kept or are not finite, or one of the
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
    data = words.data
    dev = decode_words(data.dev, data.vocabulary)
    new = [word for word in dev if normalized(word) not in words.in_train]
    seen = [word for word in dev if normalized(word) in words.in_train]
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
