"""List the plots, sections, baselines and files that the MLP adds to report and dashboard."""

from collections.abc import Iterable, Iterator

from sweep.dashboard.shown import Artifact
from sweep.definition.notes import Note
from sweep.definition.records import StudyRecord
from sweep.reporting.contributions import load_object
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Exhibits
from sweep.reporting.printable import printable
from sweep.storage.checkpoints import Checkpoints
from sweep.task import Data
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.note_kinds import Baselines
from sweep.trainers.mlp.shown.plots import PLOTS
from sweep.trainers.mlp.shown.sections import SECTIONS

_NOTES = "sweep.trainers.mlp.shown.notes"
"""Module that loads torch, which a report of stored notes does not need."""


def take_notes(study: StudyRecord, data: Data, checkpoints: Checkpoints) -> Iterable[Note]:
    """Return ``notes.take_notes``."""
    notes: Iterable[Note] = load_object(f"{_NOTES}:take_notes")(study, data, checkpoints)
    return notes


def note_winner(evidence: Evidence) -> Iterator[Note]:
    """Yield what the report shows of the winner's weights, unless it is noted."""
    learned = evidence.more(Learned)
    if learned.noted is None:
        yield learned.note()


def baselines(evidence: Evidence) -> dict[str, float]:
    """Return the baselines' dev losses: name -> nats per character.

    Raises:
        NothingToShowError: If the words file is not available.
    """
    evidence.check_data()
    noted = evidence.study.note(Baselines)
    if noted is None:
        noted = load_object(f"{_NOTES}:note_baselines")(evidence.data)
    tables = noted.count_tables
    best = min(range(len(tables)), key=tables.__getitem__)
    looks_at = "one character" if best == 0 else f"{best + 1} characters"
    return {
        "uniform distribution": noted.uniform,
        f"best count table (of {looks_at})": tables[best],
    }


def _samples(evidence: Evidence) -> Artifact:
    lines = [
        f"{word}  (a training word)" if known else word
        for word, known in evidence.more(Learned).sampled_words
    ]
    text = "".join(f"{printable(line)}\n" for line in lines)
    return Artifact(filename="samples.txt", mimetype="text/plain", content=text.encode())


EXHIBITS = Exhibits(
    plots=PLOTS,
    sections=SECTIONS,
    baselines=baselines,
    figures=("embedding",),
    artifacts=(_samples,),
    take_notes=take_notes,
    note_winner=note_winner,
)
