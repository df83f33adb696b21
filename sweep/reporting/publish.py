"""Store figures, notes and files of a study for the Optuna dashboard.

Figures of the winner, a note with the result and the next commands, notes on the best trials,
and the winner's files. The dashboard renders notes as Markdown with HTML in it, so every text
from outside is escaped.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator

from sweep.certify.units.report_writer import store_unit_report
from sweep.dashboard.showcase import save_showcase
from sweep.dashboard.shown import Artifact, Showcase
from sweep.definition.ranking import RANKED
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import exhibits_of, notes_of_winner
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.plots import draw, plot_of
from sweep.reporting.page.configuration import winner_file
from sweep.reporting.page.headline import headline_of
from sweep.reporting.page.provenance import commands
from sweep.reporting.printable import printable
from sweep.storage.database import Database
from sweep.storage.study_reader import Conclusion, stored_conclusion
from sweep.storage.study_store import store_conclusion, store_note
from sweep.task import loss_ceiling
from sweep.version import __version__

FIGURES = ("training-curve",)
"""Names of ``PLOTS`` that the dashboard shows of every study."""

NOTED = 5
"""Best configurations that get a note on their first trial."""

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
"""What Markdown, HTML or a formula may begin with, in ASCII; each can be escaped by a backslash."""


def publish(evidence: Evidence, database: Database, *, concludes: bool = False) -> None:
    """Store a study's figures, notes and files for the dashboard; write only what is not stored yet.

    What the trainer notes of the winner is stored too, if it was computed here: a confirmation may choose
    another one than the best of the search, of which a run takes notes.

    Args:
        evidence: What is known of the study.
        database: Where it is stored.
        concludes: Whether its notes are stored, so that the next run has nothing to do if no trial is added.

    Raises:
        NotFoundError: If there is no such study.
        MachineError: If a file or the database cannot be written.
    """
    study, storage = evidence.study, database.open_for_writing()
    for note in notes_of_winner(evidence):
        store_note(storage, study.name, note)
    save_showcase(storage, database.files, study.name, make_showcase(evidence))
    keep_unit_report(evidence, database)
    if concludes and evidence.study_data.why_missing is None:
        conclusion = Conclusion(
            sweep=__version__,
            trials=sum(trial.is_finished for trial in study.trials),
            plans=len(study.plans),
            loss_ceiling=loss_ceiling(study.task, evidence.study_data.data),
        )
        store_conclusion(storage, study.name, conclusion)
    elif (earlier := stored_conclusion(storage, study.name)) is not None and earlier.is_of_trials(study):
        store_conclusion(storage, study.name, dataclasses.replace(earlier, plans=len(study.plans)))


def keep_unit_report(evidence: Evidence, database: Database) -> None:
    """Store what the dev units add to a finished confirmation, so that no report computes it again."""
    confirmation = evidence.confirmation
    if confirmation is None or confirmation.remaining or (report := evidence.unit_report) is None:
        return
    store_unit_report(database, evidence.study, confirmation, report)


def make_showcase(evidence: Evidence) -> Showcase:
    """Return what can be shown; what lacks its source is left out."""
    contributed = exhibits_of(evidence.study)
    makers = (*ARTIFACTS, *contributed.artifacts)
    return Showcase(
        figures={name: _figure(name, evidence) for name in (*FIGURES, *contributed.figures)},
        note=study_note(evidence),
        trial_notes=dict(_trial_notes(evidence)),
        artifacts=[artifact for make in makers for artifact in _there(make, evidence)],
    )


def study_note(evidence: Evidence) -> str:
    """Return goal, outcome and commands as Markdown."""
    headline = headline_of(evidence)
    sentences = " ".join(_prose(sentence) for sentence in headline.sentences).strip()
    goal = [markdown(evidence.study.goal.strip())] if evidence.study.goal.strip() else []
    title = f"**{markdown(headline.title)}**"
    return "\n\n".join([*goal, title, sentences, _code(commands(evidence))])


def markdown(text: str) -> str:
    r"""Return Markdown that shows a text as it is, whatever it holds.

    Examples:
        >>> print(markdown("<b>*2* $x$"))
        \<b\>\*2\* \$x\$
    """
    return _PUNCTUATION.sub(r"\\\1", printable(text))


def _figure(name: str, evidence: Evidence) -> Figure | None:
    try:
        figure = draw(name, evidence)
    except NothingToShowError:
        return None
    title = {"text": plot_of(name, evidence.study).title, "x": 0.02, "font": {"size": 15}}
    return figure.update_layout(title=title, margin={"t": max(48, figure.layout["margin"]["t"])})


def _prose(text: str) -> str:
    """Return a sentence as Markdown; what stands between backticks is code."""
    parts = printable(text).split("`")
    return "".join(f"`{part}`" if k % 2 and part else markdown(part) for k, part in enumerate(parts))


def _code(lines: list[str]) -> str:
    """Return lines as an indented block, which nothing inside can end."""
    return "\n".join(f"    {printable(line)}" for line in lines)


def _trial_notes(evidence: Evidence) -> Iterator[tuple[int, str]]:
    rows, name, label = evidence.rows, evidence.study.name, evidence.study.metric.label
    ranked = rows.where(lambda row: row["state"] == RANKED)
    for row in ranked.first(NOTED).records:
        seeds = f"mean of {row['n']} seeds " if row["n"] > 1 else ""
        place = f"Rank {row['rank']} of {len(ranked):,} configurations: {seeds}{label} {row['value']:.4f}."
        number = row["trial"]
        commands = [
            f"sweep export {name} --trial {number} -o best.toml",
            f"sweep replay {name} --trial {number}",
        ]
        yield number, f"**{markdown(place)}**\n\n{_code(commands)}"


def _there(make: Callable[[Evidence], Artifact], evidence: Evidence) -> Iterator[Artifact]:
    try:
        yield make(evidence)
    except NothingToShowError:
        return


def _configuration(evidence: Evidence) -> Artifact:
    return Artifact(filename="best.toml", mimetype="text/plain", content=winner_file(evidence).encode())


def _weights(evidence: Evidence) -> Artifact:
    binary = "application/octet-stream"
    return Artifact(filename="weights.safetensors", mimetype=binary, content=evidence.weights)


ARTIFACTS: tuple[Callable[[Evidence], Artifact], ...] = (_configuration, _weights)
"""The winner's files of every study; each raises ``NothingToShowError`` if it cannot be made."""
