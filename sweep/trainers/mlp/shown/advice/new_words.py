"""Compare the best trial's losses on dev words that do and do not occur in train."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.shown.note_kinds import NewWords
from sweep.trainers.mlp.words.spelling import LOOK_ALIKE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OnNewWords:
    """The best trial's losses on new and on repeated dev words."""

    noted: NewWords
    dev_loss: float
    """The trial's loss over all dev words, nats per character."""
    has_look_alikes: bool
    """Whether the list has words that differ only in spelling."""


def find_new_words(study: StudyRecord, ranked: Sequence[Configuration]) -> OnNewWords | None:
    """Return the note about the best trial; nothing if another trial has become the best."""
    noted = study.note(NewWords)
    if noted is None or not ranked or ranked[0].trial != noted.trial:
        return None
    dev_loss = ranked[0].trials[0].dev_loss
    assert dev_loss is not None, "ranked configurations have complete trials"
    return OnNewWords(noted=noted, dev_loss=dev_loss, has_look_alikes=LOOK_ALIKE in study.data_facts)
