"""Compute and store the notes of a study when a run has ended.

Notes are what a trainer contributes beside the trials. Computing them may need the data and the weights; they
are stored, so that advice can use them later without either.
"""

import dataclasses

from sweep.certify.study_data import StudyData
from sweep.definition.notes import plain_note
from sweep.definition.records import StudyRecord
from sweep.reporting.exhibits import exhibits_of
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_store import store_note


def take_notes(study: StudyRecord, study_data: StudyData, database: Database) -> StudyRecord:
    """Compute and store the notes of a study that was just run; return it with them.

    Raises:
        DataError: If the data are needed, and gone or changed.
    """
    take = exhibits_of(study).take_notes
    if take is None:
        return study
    noted = list(take(study, study_data.data, Checkpoints(database.files / study.name)))
    storage = database.open_for_writing()
    for note in noted:
        store_note(storage, study.name, note)
    values = {note.key: plain_note(note) for note in noted}
    return dataclasses.replace(study, notes={**study.notes, **values})
