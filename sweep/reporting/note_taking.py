"""Compute and store the notes of a study when a run has ended.

Notes are findings that a trainer adds to the trials. Computing them may need the data and the weights; they
are stored so that advice can use them later without either.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from sweep.certify.study_data import StudyData
from sweep.definition.notes import Importances, Note, plain_note
from sweep.definition.records import StudyRecord
from sweep.reporting.exhibits import exhibits_of, notes_of_trainer
from sweep.samplers.importances import parameter_importances
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_store import store_note

Call = Callable[..., Any]
"""Calls a function with arguments, wherever its libraries are loaded."""


def take_notes(
    study: StudyRecord,
    study_data: StudyData,
    database: Database,
    call: Call = lambda function, *arguments: function(*arguments),
) -> StudyRecord:
    """Compute and store the notes of a study that was just run; return it with them.

    What the trainer notes is computed by ``call``; by default it is called here.

    Raises:
        DataError: If the data are needed, and gone or changed.
    """
    noted: list[Note] = list(_note_importances(study))
    if (take := exhibits_of(study).take_notes) is not None:
        files = Checkpoints(database.files / study.name)
        noted += call(notes_of_trainer, take, study, study_data.data, files)
    storage = database.open_for_writing()
    for note in noted:
        store_note(storage, study.name, note)
    values = {note.key: plain_note(note) for note in noted}
    return dataclasses.replace(study, notes={**study.notes, **values})


def _note_importances(study: StudyRecord) -> Iterator[Importances]:
    """Yield the importances of the hyperparameters, if they can be computed."""
    shares = parameter_importances(study)
    if shares:
        yield Importances(trials=sum(trial.is_finished for trial in study.trials), shares=shares)
