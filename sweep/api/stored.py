"""Show a stored study in Python: its trials, table, figures, confirmation and weights."""

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.api.asked import open_database, shown_name
from sweep.api.wording import in_python
from sweep.certify.ablation.steps import AblationResult, judge_ablation
from sweep.certify.ablation.stored_ablation import stored_ablation
from sweep.certify.config_file import choose_trial, write_config
from sweep.certify.provenance import Certificate
from sweep.certify.verdict import Verdict
from sweep.certify.weights import weights_file
from sweep.definition.ranking import RANKED, column_of
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import NothingToShowError
from sweep.reporting.advice.checks import advise
from sweep.reporting.evidence import Evidence, gather_evidence
from sweep.reporting.figures.plots import draw, plots_of
from sweep.reporting.page.html_page import escape
from sweep.reporting.printable import printable
from sweep.reporting.table.columns import cell, column_key, heading, ranked_columns
from sweep.storage.database import Database
from sweep.values import Value

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go

SHOWN_ROWS = 10
"""Ranked rows of a study that a notebook shows."""


@in_python
def load_study(name: str, storage: str | None = None, files: str | None = None) -> "StoredStudy":
    """Read a stored study, one that Optuna made without sweep too; nothing of it can be changed.

    Args:
        name: As ``sweep list`` shows it, or the study's file.
        storage: URL of the database; None is ``SWEEP_STORAGE``, else the command line's default.
        files: Folder or bucket of weights and curves beside a database on a server.

    Raises:
        NotFoundError: If there is no such study or database.
        StorageError: If the database is damaged, locked, or none of Optuna's.

    Examples:
        >>> study = sweep.load_study("names")  # doctest: +SKIP
        >>> study.best["dev_loss"], study.best["hidden_neurons"]  # doctest: +SKIP
        (2.0069, 272)
        >>> study.plot("history").show()  # doctest: +SKIP
    """
    database = open_database(storage, files)
    return read_study(shown_name(name, database.open_read_only()), database)


def read_study(name: str, database: Database) -> "StoredStudy":
    """Read a study of a database; see ``load_study``."""
    return StoredStudy(gather_evidence(name, database), database)


class StoredStudy:
    """A study as it was stored when it was loaded."""

    def __init__(self, evidence: Evidence, database: Database) -> None:
        """Take what is known of it, and where it is stored; ``load_study`` reads it."""
        self.evidence = evidence
        self._database = database

    @property
    def record(self) -> StudyRecord:
        """Everything that is stored, as plain data."""
        return self.evidence.study

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """All trials, by number."""
        return self.record.trials

    @property
    def best(self) -> dict[str, Value]:
        """Number, value of the metric and every hyperparameter of the trial that ``sweep export`` takes.

        Raises:
            NothingToShowError: If no trial has a final loss.
        """
        winner = self.evidence.winner
        return {
            "trial": winner.number,
            self.record.metric.key: winner.dev_loss,
            **{
                column_of(name, self.record.task): value
                for name, value in self.record.config_values(winner).items()
            },
        }

    @property
    def plots(self) -> dict[str, str]:
        """The plots there are: name -> how to read it."""
        return {name: plot.reading for name, plot in plots_of(self.record).items()}

    def table(self) -> "pandas.DataFrame":
        """Return the ranked table, one row a configuration; see ``definition.ranking.rank_trials``.

        Whole numbers are int64, others float64 with NaN for what is missing; texts and lists are object.
        """
        from sweep.api.columns import as_frame

        return as_frame(self.evidence.rows.renamed(lambda name: column_key(name, self.record.metric)))

    @property
    def confirmation(self) -> Verdict | None:
        """What the confirmation shows, finished or not; None if none was planned."""
        return self.evidence.verdict

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the configuration that the confirmation chose; None unless it is finished."""
        return self.evidence.confirmed.certificate if self.evidence.confirmed else None

    @property
    def advice(self) -> list[str]:
        """What ``sweep table --advice`` prints, the most important first."""
        return advise(self.record)

    @property
    def ablation(self) -> AblationResult | None:
        """What each change brings, finished or not; None if the study is no ablation."""
        stored = stored_ablation(self.record)
        return None if stored is None else judge_ablation(stored)

    def weights(self, trial: int | None = None) -> bytes:
        """Return the final state of a trial, by default the best, as the bytes of a safetensors file.

        Raises:
            NotFoundError: If there is no such trial, or it has no final loss.
            NothingToShowError: If its weights are not kept; a study keeps those of its best trials.
            DataError: If they are not finite.

        Examples:
            >>> safetensors.numpy.load(study.weights(7))["C"].shape  # doctest: +SKIP
            (27, 10)
        """
        record = choose_trial(self.record, self.evidence.winner.number if trial is None else trial)
        return weights_file(self.record, record, self._database)

    @in_python
    def export(
        self, path: Path | str, *, trial: int | None = None, weights: bool = False, force: bool = False
    ) -> Path:
        """Write a configuration to a file, as ``sweep export`` does, and return its path.

        Args:
            path: Of the file.
            trial: Its number; None is what was confirmed, with its certificate, else the best.
            weights: Whether its weights are written beside it, as ``.safetensors``. With a certificate they
                are those of the first certifying seed, so they may differ from ``weights()``.
            force: Whether an existing file is overwritten.

        Raises:
            NotFoundError: If there is no such trial, or it has no final loss.
            NothingToShowError: If its weights are asked for and not kept.
            SweepError: If a file exists and ``force`` is False.
            MachineError: If it cannot be written.
        """
        confirmed = self.evidence.confirmed if trial is None else None
        chosen = choose_trial(self.record, confirmed.trial if confirmed else trial)
        certificate = confirmed.certificate if confirmed else None
        state = weights_file(self.record, chosen, self._database, certificate) if weights else None
        write_config(self.record, chosen, Path(path), certificate=certificate, weights=state, force=force)
        return Path(path)

    def plot(self, name: str) -> "go.Figure":
        """Draw one of ``plots``.

        Raises:
            NotFoundError: If there is no such plot.
            NothingToShowError: If the study lacks what it is made of, with the reason.
        """
        from sweep.api.shown_figure import ShownFigure

        return ShownFigure(draw(name, self.evidence).to_dict())

    def __repr__(self) -> str:
        return f"<Study {self.record.name!r}: {self._summary()}>"

    def _repr_html_(self) -> str:
        rows, study = self.evidence.rows, self.record
        goal = f"<br>{escape(study.goal)}" if study.goal else ""
        title = f"<p><b>{escape(study.name)}</b>: {escape(self._summary())}{goal}</p>"
        ranked = rows.where(lambda row: row["state"] == RANKED)
        if not len(ranked):
            return title
        columns = ranked_columns(ranked, study)
        head = "".join(f"<th>{escape(heading(name, study).replace('_', ' '))}</th>" for name in columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(cell(name, row[name]))}</td>" for name in columns) + "</tr>"
            for row in ranked.first(SHOWN_ROWS).records
        )
        hidden = len(ranked) - SHOWN_ROWS
        more = f"<p>and {hidden:,} more: <code>.table()</code></p>" if hidden > 0 else ""
        return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"

    def _summary(self) -> str:
        done = sum(trial.is_finished for trial in self.trials)
        text = f"{done:,} of {self.record.trials_in_all:,} trials done"
        try:
            winner = self.evidence.winner
        except NothingToShowError:
            return f"{text}, no final {self.record.metric.noun} yet"
        return printable(
            f"{text}, best {self.record.metric.label} {winner.dev_loss:.4f} (trial {winner.number})"
        )
