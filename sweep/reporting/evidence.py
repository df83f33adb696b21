"""What is known of a study when it is shown?

Its record, and what must be read or computed beyond it: importances, the winner's curve and
weights, its words, a range test. Each is fetched when it is first asked for, and says in one
sentence why it is not there.
"""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas

from sweep.certify.confirm import Confirmation, load_confirmation
from sweep.certify.confirmation import Verdict, certificate_of, judge
from sweep.certify.final_test import looks_of_study
from sweep.certify.study_data import StudyData
from sweep.certify.units.report import UnitReport, report_units
from sweep.certify.weights import final_weights
from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import DataError, NothingToShowError
from sweep.reporting.lr_finder_page import REPORTS, read_lr_finder_csv
from sweep.reporting.page.headline import Confirmed, Headline, write_headline
from sweep.samplers.importances import MIN_TRIALS, parameter_importances
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.folders import Folder
from sweep.storage.study_store import load_study
from sweep.storage.test_looks import TestLook
from sweep.tasks.mlp.baselines import count_table_losses, uniform_loss
from sweep.tasks.mlp.corpus import Corpus
from sweep.tasks.mlp.inspection import Inspection
from sweep.tasks.mlp.lr_finder import RangeCurve
from sweep.tasks.mlp.spelling import normalized
from sweep.tasks.mlp.trainer import MLP

SAMPLED_WORDS = 20


class Evidence:
    """A study's record with everything that figures and sections are made of."""

    def __init__(
        self,
        study: StudyRecord,
        *,
        files: Folder | None = None,
        looks: Sequence[TestLook] = (),
        confirmation: Confirmation | None = None,
        report_units: Callable[[Confirmation, Verdict, StudyData], UnitReport | None] = lambda *_: None,
        words: StudyData | None = None,
        reports: Path | str = REPORTS,
    ) -> None:
        """Take a record; nothing is read yet.

        Args:
            study: As stored.
            files: Folder of the database's checkpoints; None where there is none.
            looks: Uses of the test split of the study's words.
            confirmation: The study's latest; None where none was planned.
            report_units: Returns what the dev units add to a confirmation's verdict.
            words: The study's words; None reads them when they are needed.
            reports: Folder of all reports, where a range test lies.
        """
        self.study = study
        self.looks = list(looks)
        self.confirmation = confirmation
        self._report_units = report_units
        self.words = words or StudyData(study)
        self.folder = Path(reports) / study.name
        self._checkpoints = Checkpoints(files / study.name) if files else None

    @functools.cached_property
    def rows(self) -> pandas.DataFrame:
        """The ranked table."""
        return rank_trials(self.study)

    @functools.cached_property
    def scored(self) -> list[TrialRecord]:
        """The trials with a finite final loss, by number.

        Raises:
            NothingToShowError: If there is none.
        """
        trials = [trial for trial in self.study.trials if math.isfinite(trial.dev_loss or math.nan)]
        if not trials:
            raise NothingToShowError("no trial has a final loss yet; `sweep run` trains more")
        return sorted(trials, key=lambda trial: trial.number)

    @functools.cached_property
    def winner(self) -> TrialRecord:
        """The trial that ``sweep export`` takes: as confirmed, else the first of the best configuration.

        Raises:
            NothingToShowError: If no trial has a final loss.
        """
        scored = self.scored
        number = self.confirmed.trial if self.confirmed else self.rows["trial"].iloc[0]
        return next(trial for trial in scored if trial.number == number)

    @functools.cached_property
    def verdict(self) -> Verdict | None:
        """What the confirmation shows, finished or not; None where none was planned."""
        return None if self.confirmation is None else judge(self.study, self.confirmation)

    @functools.cached_property
    def confirmed(self) -> Confirmed | None:
        """What the confirmation says, if it is finished and chose a trial."""
        if self.confirmation is None or self.verdict is None or self.verdict.chosen is None:
            return None
        certificate = certificate_of(self.confirmation, self.verdict)
        if certificate is None:
            return None
        return Confirmed(certificate=certificate, verdict=self.verdict, trial=self.verdict.chosen.trial)

    @functools.cached_property
    def headline(self) -> Headline:
        """What came out, in words."""
        try:
            baselines = self.baselines
        except NothingToShowError:
            baselines = {}
        return write_headline(self.study, self.rows, baselines, self.confirmed)

    @property
    def unit_report(self) -> UnitReport | None:
        """What the dev units add to the confirmation; None if nothing can be known."""
        return None if isinstance(self._unit_report, str) else self._unit_report

    @property
    def why_no_unit_report(self) -> str:
        """What is wrong with the weights, so that the dev units add nothing to a verdict; else empty."""
        return self._unit_report if isinstance(self._unit_report, str) else ""

    @functools.cached_property
    def _unit_report(self) -> UnitReport | str | None:
        if self.confirmation is None or self.verdict is None or self.words.why_missing:
            return None
        try:
            return self._report_units(self.confirmation, self.verdict, self.words)
        except DataError as error:
            return str(error)

    @functools.cached_property
    def importances(self) -> dict[str, float]:
        """Share of each searched hyperparameter, highest first.

        Raises:
            NothingToShowError: If too few trials are complete, or nothing varies.
        """
        found = parameter_importances(self.study)
        if not found:
            raise NothingToShowError(
                f"importances need at least {MIN_TRIALS} trials with a final loss, losses that differ and a "
                "hyperparameter that varies"
            )
        return found

    @functools.cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and training losses of the winner.

        Raises:
            NothingToShowError: If they are not stored.
        """
        number = self.winner.number
        if self._checkpoints is not None:
            steps, losses = self._checkpoints.read_curve(number)
            if len(steps) > 1:
                return steps, losses
        raise NothingToShowError(f"the loss curve of trial {number} is not stored here")

    @functools.cached_property
    def corpus(self) -> Corpus:
        """The study's words.

        Raises:
            NothingToShowError: If the file is not here, or is another one than at the time of the run.
        """
        with _nothing_without_data():
            corpus: Corpus = self.words.data
            return corpus

    @functools.cached_property
    def weights(self) -> bytes:
        """The winner's final state.

        Raises:
            NothingToShowError: If it is not kept, or its parameters are not finite.
        """
        winner = self.winner
        if self._checkpoints is not None and winner.segments:
            try:
                state = final_weights(self.words.task, self._checkpoints, winner)
            except DataError as error:
                raise NothingToShowError(str(error)) from error
            if state is not None:
                return state
        raise NothingToShowError(
            f"the weights of trial {winner.number} are not here; a study keeps those of its best trials"
        )

    @functools.cached_property
    def embedding(self) -> np.ndarray:
        """The winner's embedding of each symbol, shape (V, D).

        Raises:
            NothingToShowError: If its weights or words are not here.
        """
        config = MLP.make_config(self.study.config_values(self.winner))
        with _nothing_without_data():
            return MLP.embedding(config, self.corpus, self.weights)

    @functools.cached_property
    def inspection(self) -> Inspection:
        """What the winner has learned; this evaluates every dev example.

        Raises:
            NothingToShowError: If its weights or words are not here.
        """
        config = MLP.make_config(self.study.config_values(self.winner))
        with _nothing_without_data():
            return MLP.inspect(config, self.corpus, self.weights)

    @functools.cached_property
    def sampled_words(self) -> list[tuple[str, bool]]:
        """Words that the winner makes up, each with whether it stands in the training words.

        Raises:
            NothingToShowError: If its weights or words are not here.
        """
        config = MLP.make_config(self.study.config_values(self.winner))
        words = MLP.sample_words(config, self.corpus, self.weights, SAMPLED_WORDS, seed=0)
        return [(word, normalized(word) in self.words.in_train) for word in words]

    @functools.cached_property
    def range_test(self) -> RangeCurve:
        """The learning-rate finder's curve, from its table beside the report.

        Raises:
            NothingToShowError: If no range test was made.
        """
        return read_lr_finder_csv(self.folder / "lr_finder.csv")

    @functools.cached_property
    def baselines(self) -> dict[str, float]:
        """Dev losses that need no training: name -> nats per character.

        Raises:
            NothingToShowError: If the words are not here.
        """
        with _nothing_without_data():
            tables = self.words.derived(count_table_losses)
        best = min(range(len(tables)), key=tables.__getitem__)
        looks_at = "one character" if best == 0 else f"{best + 1} characters"
        return {
            "uniform distribution": uniform_loss(self.corpus),
            f"best count table (it looks at {looks_at})": tables[best],
        }


@contextlib.contextmanager
def _nothing_without_data() -> Iterator[None]:
    """Turn data that are missing or of another list into a reason why there is nothing to show."""
    try:
        yield
    except DataError as error:
        raise NothingToShowError(str(error)) from error


def gather_evidence(
    name: str, database: Database, *, reports: Path | str = REPORTS, words: StudyData | None = None
) -> Evidence:
    """Read a stored study.

    Args:
        name: As stored.
        database: Where it is stored.
        reports: Folder of all reports.
        words: The study's words; None reads them when they are needed.

    Raises:
        NotFoundError: If there is none of that name.
    """
    storage = database.open_read_only()
    study = load_study(storage, name)
    return Evidence(
        study,
        files=database.files,
        looks=looks_of_study(study, storage),
        confirmation=load_confirmation(storage, study),
        report_units=functools.partial(report_units, study, database),
        words=words,
        reports=reports,
    )
