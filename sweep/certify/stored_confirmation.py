"""Read what is stored of a study's confirmations; ``confirm`` trains them, ``confirmation`` judges them."""

import dataclasses
import datetime

from sweep.certify.confirm_plan import ConfirmPlan, Job, Losses, next_jobs
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.database import Reader
from sweep.storage.stored_kinds import damage_refused
from sweep.storage.study_names import all_study_names, confirmation_name
from sweep.storage.study_reader import load_study


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What is stored of a study's confirmations."""

    plan: ConfirmPlan
    """The latest plan; earlier ones are in ``StudyRecord.plans``."""
    number: int
    """1 for the first plan of the study."""
    trials: dict[Job, TrialRecord]
    """Every training so far, of all plans: equal jobs have equal numbers."""
    name: str
    """Under which the trainings are stored."""
    direction: str = MINIMIZE
    """Of the study's metric."""

    @property
    def losses(self) -> Losses:
        """Value of each finished training in its loss form."""
        ended = {job: trial.dev_loss for job, trial in self.trials.items() if trial.is_finished}
        return {job: None if value is None else self.as_loss(value) for job, value in ended.items()}

    def as_loss(self, value: float) -> float:
        """Return a value, or a difference of two, as it is compared; applied twice, it gives it back."""
        return as_loss(self.direction, value)

    @property
    def remaining(self) -> list[Job]:
        """What is to be trained next; nothing where the confirmation is finished."""
        return next_jobs(self.plan, self.losses)


def load_confirmation(reader: Reader, study: StudyRecord) -> Confirmation | None:
    """Return what is stored of a study's confirmations, or None where none was planned.

    Raises:
        StorageError: If it cannot be read.
    """
    if not study.plans:
        return None
    name = confirmation_name(study.name)
    stored = load_study(reader, name).trials if name in all_study_names(reader) else ()
    with damage_refused(f"the confirmation of study {study.name!r}"):
        confirmation = Confirmation(
            plan=ConfirmPlan.from_dict(study.plans[-1]),
            number=len(study.plans),
            trials={Job(**trial.labels): trial for trial in stored},
            name=name,
            direction=study.direction,
        )
        _check_candidates(confirmation, study)
    return confirmation


def _check_candidates(confirmation: Confirmation, study: StudyRecord) -> None:
    """Refuse a confirmation of trials that the study has not."""
    check_kind(confirmation.plan, ConfirmPlan, "its plan")
    datetime.datetime.fromisoformat(confirmation.plan.made)
    named = {candidate.trial for candidate in confirmation.plan.candidates}
    named |= {job.candidate for job in confirmation.trials}
    if not named or not named <= {trial.number for trial in study.trials}:
        raise ValueError("it names trials that the study has not")
