"""Read a stored ablation: its two configurations, and the trainings so far."""

import dataclasses
from typing import TypedDict

from sweep.certify.ablation.ablation_plan import Ablation, Allowed, Course, follow
from sweep.certify.confirm_plan import Job, Losses, finished_losses
from sweep.definition.identity import is_ablation
from sweep.definition.plain import check_kind
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import ConfigError
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.stored_kinds import damage_refused
from sweep.task import AnyTask
from sweep.values import Params


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StoredAblation:
    """An ablation with its trainings so far."""

    ablation: Ablation
    trials: dict[Job, TrialRecord]
    direction: str = MINIMIZE
    """Direction of the metric."""
    accepts: Allowed
    """Whether the trainer accepts a configuration on the way."""

    @property
    def losses(self) -> Losses:
        """Value of each finished training as a loss."""
        return finished_losses(self.trials, self.direction)

    def as_loss(self, value: float) -> float:
        """Return a value, or a difference of two, as a loss; applying it twice returns the original."""
        return as_loss(self.direction, value)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The stored trainings, in the order of their trials."""
        return tuple(sorted(self.trials, key=lambda job: self.trials[job].number))

    @property
    def course(self) -> Course:
        """The path so far and the next trainings."""
        return follow(self.ablation, self.losses, self.accepts)


class _Plain(TypedDict):
    """An ablation as an identity has it."""

    changes: list[dict[str, list[str]]]
    seeds: int


def stored_ablation(study: StudyRecord) -> StoredAblation | None:
    """Return the ablation that a study is; None if it is none.

    Raises:
        StorageError: If it cannot be read.
    """
    if not is_ablation(study.identity):
        return None
    with damage_refused(f"the ablation {study.name!r}"):
        plain = study.identity["ablation"]
        check_kind(plain, _Plain, "ablation")
        ablation = Ablation.from_dict(plain)
        trials = {Job(**trial.labels): trial for trial in study.trials}
        return StoredAblation(
            ablation=ablation,
            trials=trials,
            direction=study.direction,
            accepts=acceptance(study.task, study.fixed, ablation),
        )


def acceptance(task: AnyTask, fixed: Params, ablation: Ablation) -> Allowed:
    """Return the function that tells whether the trainer accepts a configuration on the way."""

    def accepts(number: int) -> bool:
        try:
            task.make_config({**fixed, **ablation.params(number)})
        except ConfigError:
            return False
        return True

    return accepts
