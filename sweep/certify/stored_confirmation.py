"""Read a study's stored confirmations; ``confirm`` trains them, ``verdict`` gives their results."""

import dataclasses
import datetime

from sweep.certify.choice import exploded_jobs, next_jobs, sound_candidates
from sweep.certify.confirm_plan import Candidate, ConfirmPlan, Job, Losses, finished_losses
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.database import Reader
from sweep.storage.stored_kinds import damage_refused
from sweep.storage.study_names import all_study_names, confirmation_name
from sweep.storage.study_reader import load_study


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The stored confirmations of a study."""

    plan: ConfirmPlan
    """The latest plan; earlier ones are in ``StudyRecord.plans``."""
    number: int
    """Number of the plan, from 1."""
    trials: dict[Job, TrialRecord]
    """Every training so far, of all plans; plans share equal jobs."""
    name: str
    """Name of the study that stores the trainings."""
    direction: str = MINIMIZE
    """Direction of the study's metric."""

    @property
    def losses(self) -> Losses:
        """Value of each finished training as a loss."""
        return finished_losses(self.trials, self.direction)

    def as_loss(self, value: float) -> float:
        """Return a value, or a difference of two, as a loss; applying it twice returns the original."""
        return as_loss(self.direction, value)

    @property
    def remaining(self) -> list[Job]:
        """The next trainings; empty if the confirmation is finished."""
        return next_jobs(self.plan, self.losses)

    @property
    def exploded(self) -> dict[Job, TrialRecord]:
        """The trainings of the plan with an exploded value; see ``explosions``."""
        return {job: self.trials[job] for job in exploded_jobs(self.plan, self.losses)}

    def certifying(self, candidate: Candidate) -> dict[Job, TrialRecord]:
        """Return the finished certifying trainings of the plan; some may have no value."""
        jobs = [Job(candidate.trial, "certify", number) for number in range(self.plan.settings.certify)]
        return {job: self.trials[job] for job in jobs if job in self.trials and self.trials[job].is_finished}

    def why_left_out(self, candidate: Candidate) -> str | None:
        """Return the reason of a candidate's failed or exploded round; None if it is compared."""
        if candidate in sound_candidates(self.plan, self.losses):
            return None
        own = {job: t for job, t in self.trials.items() if job[:2] == (candidate.trial, "choice")}
        lost = [trial for trial in own.values() if trial.is_finished and trial.dev_loss is None]
        if lost:
            return lost[0].reason or lost[0].state
        exploded = next(trial for job, trial in self.exploded.items() if job in own)
        return f"exploded: {exploded.dev_loss:.3g} on seed {exploded.seed}"


def load_confirmation(reader: Reader, study: StudyRecord) -> Confirmation | None:
    """Return the stored confirmations of a study, or None if none was planned.

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
    """Refuse a confirmation of trials that the study does not have."""
    check_kind(confirmation.plan, ConfirmPlan, "its plan")
    datetime.datetime.fromisoformat(confirmation.plan.made)
    named = {candidate.trial for candidate in confirmation.plan.candidates}
    named |= {job.candidate for job in confirmation.trials}
    if not named or not named <= {trial.number for trial in study.trials}:
        raise ValueError("it names trials that the study does not have")
