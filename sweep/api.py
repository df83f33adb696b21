"""What does a stored study look like from Python, in a notebook or a script?"""

import os
from typing import TYPE_CHECKING, Any

from sweep.definition.ranking import RANKED
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence, gather_evidence
from sweep.reporting.figures.plots import draw, plots_of
from sweep.reporting.page.html_page import escape
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell, heading, ranked_columns
from sweep.storage.addresses import DEFAULT_STORAGE, STORAGE_VARIABLE
from sweep.storage.database import Database

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

SHOWN_ROWS = 10
"""Ranked rows of a study that a notebook shows."""


def load_study(name: str, storage: str | None = None) -> "StoredStudy":
    """Read a stored study; nothing of it can be changed.

    Args:
        name: As ``sweep list`` shows it.
        storage: URL of the database; None is ``SWEEP_STORAGE``, else the command line's default.

    Raises:
        NotFoundError: If there is no such study or database.
        StorageError: If the database is damaged, locked, or none of sweep's.

    Examples:
        >>> study = sweep.load_study("names")  # doctest: +SKIP
        >>> study.best["dev_loss"], study.best["hidden_neurons"]  # doctest: +SKIP
        (2.0069, 272)
        >>> study.plot("history").show()  # doctest: +SKIP
    """
    url = storage or os.environ.get(STORAGE_VARIABLE, DEFAULT_STORAGE)
    return StoredStudy(gather_evidence(name, Database(url)))


class StoredStudy:
    """A study as it was stored when it was loaded."""

    def __init__(self, evidence: Evidence) -> None:
        """Take what is known of it; ``load_study`` reads it."""
        self._evidence = evidence

    @property
    def record(self) -> StudyRecord:
        """Everything that is stored, as plain data."""
        return self._evidence.study

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials, by number."""
        return self.record.trials

    @property
    def best(self) -> dict[str, Any]:
        """Trial number, dev loss and every hyperparameter of the trial that ``sweep export`` takes.

        Raises:
            NothingToShowError: If no trial has a final loss.
        """
        winner = self._evidence.winner
        return {
            "trial": winner.number,
            "dev_loss": winner.dev_loss,
            **self.record.config_values(winner),
        }

    @property
    def plots(self) -> dict[str, str]:
        """The plots there are: name -> how to read it."""
        return {name: plot.reading for name, plot in plots_of(self.record).items()}

    def table(self) -> "pandas.DataFrame":
        """Return the ranked table, one row a configuration; see ``results.table.rank_trials``."""
        return self._evidence.rows.copy()

    def plot(self, name: str) -> "go.Figure":
        """Draw one of ``plots``.

        Raises:
            NotFoundError: If there is no such plot.
            NothingToShowError: If the study lacks what it is made of, with the reason.
        """
        return draw(name, self._evidence)

    def __repr__(self) -> str:
        return f"<Study {self.record.name!r}: {self._summary()}>"

    def _repr_html_(self) -> str:
        rows, study = self._evidence.rows, self.record
        goal = f"<br>{escape(study.goal)}" if study.goal else ""
        title = f"<p><b>{escape(study.name)}</b>: {escape(self._summary())}{goal}</p>"
        ranked = rows[rows["state"] == RANKED]
        if ranked.empty:
            return title
        columns = ranked_columns(ranked, study)
        head = "".join(f"<th>{escape(heading(name, study).replace('_', ' '))}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell(name, row[name]))}</td>" for name in columns) + "</tr>"
            for row in ranked.head(SHOWN_ROWS).to_dict("records")
        )
        hidden = len(ranked) - SHOWN_ROWS
        more = f"<p>and {hidden:,} more: <code>.table()</code></p>" if hidden > 0 else ""
        return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"

    def _summary(self) -> str:
        done = sum(trial.is_finished for trial in self.trials)
        text = f"{done:,} of {self.record.total_trials:,} trials done"
        try:
            winner = self._evidence.winner
        except NothingToShowError:
            return f"{text}, no final loss yet"
        return printable(f"{text}, best dev loss {winner.dev_loss:.4f} (trial {winner.number})")
