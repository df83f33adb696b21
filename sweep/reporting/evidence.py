"""Collect everything that tables, figures and reports of a study need.

Besides the study's record, this is the ranked table, importances, the winner's curve and weights, and the
data. Each is read or computed on first use; if it is missing, the error gives the reason in one sentence.
``Evidence.more`` holds the parts that only one trainer knows.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from sweep.certify.provenance import Certificate
from sweep.certify.stored_confirmation import Confirmation, load_confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.report import UnitReport
from sweep.certify.units.stored_report import known_unit_report
from sweep.certify.verdict import Verdict, certificate_of, judge
from sweep.certify.weights import final_weights
from sweep.definition.notes import Importances
from sweep.definition.ranking import Rows, rank_trials
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import DataError, NothingToShowError
from sweep.reporting.files import REPORTS
from sweep.reporting.units import words_of
from sweep.samplers.importances import MIN_TRIALS, parameter_importances
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.folders import Folder
from sweep.storage.guests.reader import load_shown_study
from sweep.storage.looks.stored_looks import TestLook, first_finished_look, looks_of_study
from sweep.storage.study_names import folder_name
from sweep.storage.study_reader import stored_conclusion
from sweep.task import HeldOut

ExtraT = TypeVar("ExtraT")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The result of a finished confirmation."""

    certificate: Certificate
    verdict: Verdict
    trial: int


class Evidence:
    """A study's record with everything that figures and sections need."""

    def __init__(
        self,
        study: StudyRecord,
        *,
        files: Folder | None = None,
        looks: Sequence[TestLook] = (),
        confirmation: Confirmation | None = None,
        report_units: Callable[[Confirmation, Verdict, StudyData], UnitReport | None] = lambda *_: None,
        study_data: StudyData | None = None,
        reports: Path | str = REPORTS,
        programs: Path | None = None,
        address: str = "",
        loss_ceiling: float | None = None,
    ) -> None:
        """Take a record; nothing is read yet.

        Args:
            study: As stored.
            files: Folder of the database's checkpoints; None if there is none.
            looks: Uses of the test split of the study's data.
            confirmation: The study's latest confirmation; None if none was planned.
            report_units: Returns the results on the dev units that extend a confirmation's verdict.
            study_data: The study's data; None reads them when they are needed.
            reports: Folder of all reports.
            programs: Folder in which the study's programs have one for each trial; None if there is none.
            address: URL of the database, without a password; a guest's report needs it.
            loss_ceiling: Value of a model that has learned nothing, as noted after the last run, or None.
        """
        self.study, self.programs, self.address = study, programs, address
        self.loss_ceiling = loss_ceiling
        self.looks = list(looks)
        self.confirmation = confirmation
        self._report_units = report_units
        self.study_data = study_data or StudyData(study)
        self.folder_name = folder_name(study.name) if study.is_guest else study.name
        self.folder = Path(reports) / self.folder_name
        self._checkpoints = Checkpoints(files / study.name) if files else None
        self._extras: dict[Callable[[Evidence], Any], Any] = {}

    def more(self, kind: Callable[["Evidence"], ExtraT]) -> ExtraT:
        """Return ``kind(self)``, which is made once: what one trainer alone knows."""
        if kind not in self._extras:
            self._extras[kind] = kind(self)
        made: ExtraT = self._extras[kind]
        return made

    @functools.cached_property
    def rows(self) -> Rows:
        """The ranked table."""
        return rank_trials(self.study)

    @functools.cached_property
    def scored(self) -> list[TrialRecord]:
        """The trials with a finite final value, by number.

        Raises:
            NothingToShowError: If there is none.
        """
        trials = [trial for trial in self.study.trials if trial.is_scored]
        if not trials:
            noun = self.study.metric.noun
            more = "" if self.study.is_guest else "; `sweep run` trains more"
            raise NothingToShowError(f"no trial has a final {noun} yet{more}")
        return sorted(trials, key=lambda trial: trial.number)

    @functools.cached_property
    def winner(self) -> TrialRecord:
        """The trial that ``sweep export`` takes: as confirmed, else the first of the best configuration.

        Raises:
            NothingToShowError: If no trial has a final loss.
        """
        scored = self.scored
        number = self.confirmed.trial if self.confirmed else self.rows.records[0]["trial"]
        return next(trial for trial in scored if trial.number == number)

    @functools.cached_property
    def verdict(self) -> Verdict | None:
        """Verdict of the confirmation, finished or not; None if none was planned."""
        return None if self.confirmation is None else judge(self.study, self.confirmation)

    @functools.cached_property
    def confirmed(self) -> Confirmed | None:
        """Result of the confirmation; None unless it is finished and chose a trial."""
        if self.confirmation is None or self.verdict is None or self.verdict.chosen is None:
            return None
        certificate = certificate_of(self.confirmation, self.verdict)
        if certificate is None:
            return None
        return Confirmed(certificate=certificate, verdict=self.verdict, trial=self.verdict.chosen.trial)

    @property
    def is_uncertified(self) -> bool:
        """Whether a confirmation ended without a certificate: too few of its trainings have a value."""
        return self.confirmation is not None and self.confirmed is None and not self.confirmation.remaining

    @property
    def look_at_winner(self) -> TestLook | None:
        """The first finished look at the test split with the winner; None if there is none."""
        try:
            return first_finished_look(self.looks, self.study, self.winner)
        except NothingToShowError:
            return None

    @property
    def unit(self) -> str:
        """Name of a held-out unit."""
        task = self.study.task
        return task.unit if isinstance(task, HeldOut) else "unit"

    @property
    def unit_report(self) -> UnitReport | None:
        """Results of the confirmation on the dev units; None if they are not available."""
        return None if isinstance(self._unit_report, str) else self._unit_report

    @property
    def why_no_unit_report(self) -> str:
        """Fault of the weights that prevents the unit report; empty if there is none."""
        return self._unit_report if isinstance(self._unit_report, str) else ""

    @functools.cached_property
    def _unit_report(self) -> UnitReport | str | None:
        if self.confirmation is None or self.verdict is None or self.study_data.why_missing:
            return None
        try:
            return self._report_units(self.confirmation, self.verdict, self.study_data)
        except DataError as error:
            return str(error)

    @functools.cached_property
    def importances(self) -> dict[str, float]:
        """Share of each searched hyperparameter, highest first.

        Raises:
            NothingToShowError: If too few trials are complete, or nothing varies.
        """
        noted = self.study.note(Importances)
        if noted is not None and noted.is_of(self.study.trials):
            return noted.shares
        found = parameter_importances(self.study)
        if not found:
            raise NothingToShowError(
                "importances need at least {} trials with a final {noun}, {nouns} that differ and a "
                "hyperparameter that varies".format(MIN_TRIALS, **words_of(self.study.metric))
            )
        return found

    @functools.cached_property
    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Steps and training losses of the winner.

        Raises:
            NothingToShowError: If they are not stored.
        """
        return self.curve_of(self.winner.number)

    def curve_of(self, trial: int) -> tuple[np.ndarray, np.ndarray]:
        """Return steps and training losses of a trial; raises ``NothingToShowError`` if none are stored."""
        if self._checkpoints is not None:
            steps, losses = self._checkpoints.read_curve(trial)
            if len(steps) > 1:
                return steps, losses
        raise NothingToShowError(f"the loss curve of trial {trial} is not stored here")

    @functools.cached_property
    def data(self) -> Any:
        """The data of the study.

        Raises:
            NothingToShowError: If the data are missing, or have changed since the run.
        """
        with nothing_without_data():
            return self.study_data.data

    def check_data(self) -> None:
        """Compare the hash of the data, without reading them; raises as ``data``."""
        with nothing_without_data():
            self.study_data.check_unchanged()

    @functools.cached_property
    def weights(self) -> bytes:
        """The winner's final state.

        Raises:
            NothingToShowError: If it is not kept, or its parameters are not finite.
        """
        winner = self.winner
        if self._checkpoints is not None and winner.segments:
            try:
                state = final_weights(self.study_data.task, self._checkpoints, winner)
            except DataError as error:
                raise NothingToShowError(str(error)) from error
            if state is not None:
                return state
        raise NothingToShowError(
            f"the weights of trial {winner.number} are not here; a study keeps those of its best trials"
        )


@contextlib.contextmanager
def nothing_without_data() -> Iterator[None]:
    """Convert the error for missing or changed data into ``NothingToShowError``."""
    try:
        yield
    except DataError as error:
        raise NothingToShowError(str(error)) from error


def gather_evidence(
    name: str,
    database: Database,
    *,
    reports: Path | str = REPORTS,
    study_data: StudyData | None = None,
    study: StudyRecord | None = None,
) -> Evidence:
    """Read a stored study; of a guest there is nothing beyond its record.

    Args:
        name: As stored.
        database: Where it is stored.
        reports: Folder of all reports.
        study_data: The study's data; None reads them when they are needed.
        study: Its record as it is stored now; None reads it.

    Raises:
        NotFoundError: If there is none of that name.
    """
    storage = database.open_read_only()
    study = study or load_shown_study(storage, name)
    if study.is_guest:
        return Evidence(study, reports=reports, address=database.address)
    concluded = stored_conclusion(storage, name) if study.cost else None
    return Evidence(
        study,
        files=database.files,
        looks=looks_of_study(study, storage),
        confirmation=load_confirmation(storage, study),
        report_units=functools.partial(known_unit_report, study, database),
        study_data=study_data,
        reports=reports,
        programs=database.program_folder(name),
        loss_ceiling=None if concluded is None else concluded.loss_ceiling,
    )
