"""What is worth noting of a study when a run has ended?

Losses without training, and the best trial's loss on dev words that do not stand in train. Both
need the words file, the second the weights too; they are computed here once and stored, so that
a table can speak of them later.
"""

import dataclasses

from sweep.errors import DataError, NotFoundError
from sweep.results.config_file import choose_trial
from sweep.results.weights import final_weights
from sweep.search.checkpoints import Checkpoints
from sweep.search.database import Database
from sweep.search.notes import Baselines, NewWords, Note
from sweep.search.records import StudyRecord
from sweep.search.study_store import store_note
from sweep.task.baselines import count_table_losses, uniform_loss
from sweep.task.corpus import Corpus, decode_words
from sweep.task.mlp import MLP
from sweep.task.spelling import normalized


def take_notes(study: StudyRecord, database: Database) -> StudyRecord:
    """Compute and store the notes of a study that was just run; return it with them."""
    data = MLP.load_data(study.data)
    baselines = Baselines(uniform=uniform_loss(data), count_tables=count_table_losses(data))
    new_words = note_new_words(study, data, Checkpoints(database.files / study.name))
    noted: list[Note] = [note for note in (baselines, new_words) if note is not None]
    storage = database.open_for_writing()
    for note in noted:
        store_note(storage, study.name, note)
    notes = dataclasses.replace(
        study.notes, baselines=baselines, new_words=new_words or study.notes.new_words
    )
    return dataclasses.replace(study, notes=notes)


def note_new_words(study: StudyRecord, data: Corpus, checkpoints: Checkpoints) -> NewWords | None:
    """Return the best trial's loss on new and on repeated dev words.

    None where there is no best trial, its weights are no longer kept or are not finite, or one of the
    two kinds of words is empty.
    """
    try:
        trial = choose_trial(study, None)
    except NotFoundError:
        return None
    try:
        state = final_weights(checkpoints, trial)
    except DataError:  # whoever asks for this model gets the reason; a note has no place for it
        return None
    in_train = set(map(normalized, decode_words(data.train, data.vocabulary)))
    dev = decode_words(data.dev, data.vocabulary)
    new = [word for word in dev if normalized(word) not in in_train]
    seen = [word for word in dev if normalized(word) in in_train]
    if state is None or not new or not seen:
        return None
    config = MLP.make_config(study.config_values(trial))
    return NewWords(
        trial=trial.number,
        dev_words=len(dev),
        new_words=len(new),
        new_loss=MLP.words_loss(config, data, state, new),
        seen_loss=MLP.words_loss(config, data, state, seen),
    )
