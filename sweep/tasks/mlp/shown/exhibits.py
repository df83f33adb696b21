"""Plots, sections, baselines and files that the MLP adds to report and dashboard."""

from sweep.dashboard.showcase import Artifact
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Exhibits
from sweep.reporting.printable import printable
from sweep.tasks.mlp.shown.learned import Learned
from sweep.tasks.mlp.shown.note_kinds import Baselines
from sweep.tasks.mlp.shown.notes import note_baselines, take_notes
from sweep.tasks.mlp.shown.plots import PLOTS
from sweep.tasks.mlp.shown.sections import SECTIONS


def baselines(evidence: Evidence) -> dict[str, float]:
    """Return dev losses that need no training: name -> nats per character.

    Raises:
        NothingToShowError: If the words are not here.
    """
    data = evidence.data
    noted = evidence.study.note(Baselines) or note_baselines(data)
    tables = noted.count_tables
    best = min(range(len(tables)), key=tables.__getitem__)
    looks_at = "one character" if best == 0 else f"{best + 1} characters"
    return {
        "uniform distribution": noted.uniform,
        f"best count table (it looks at {looks_at})": tables[best],
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
)
