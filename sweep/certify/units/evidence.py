"""Evaluate the confirmed models on each held-out unit.

The dev part is a sample of units, so a loss on it is uncertain however many seeds there are. The units'
losses measure that uncertainty. Units that also occur in train show little about new ones.
"""

import collections
import dataclasses

import numpy as np

from sweep.certify.confirm_plan import Job
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.uncertainty import mean_losses
from sweep.certify.weights import final_weights
from sweep.definition.records import StudyRecord
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.task import HeldOut


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitEvidence:
    """Losses of each training of a confirmation on each distinct dev unit."""

    unit: str
    """Name of a unit."""
    losses: dict[Job, np.ndarray]
    """Summed loss of each unit, including its repeats in dev, shape (U,)."""
    sizes: np.ndarray
    """Size of each unit, including its repeats, shape (U,)."""
    in_train: np.ndarray
    """Whether the unit also occurs in train, whatever its spelling, shape (U,)."""

    def of(self, candidate: int, phase: str, rounds: int) -> np.ndarray:
        """Return the losses of a candidate's first rounds, shape (rounds, U)."""
        return np.array([self.losses[Job(candidate, phase, r)] for r in range(rounds)])

    def loss_on(self, losses: np.ndarray, taken: np.ndarray) -> float:
        """Return the loss over some units, averaged over seeds, in the metric's unit."""
        return float(mean_losses(losses, self.sizes, taken).mean())


def gather_unit_evidence(
    study: StudyRecord, confirmation: Confirmation, study_data: StudyData, database: Database
) -> UnitEvidence | None:
    """Evaluate the stored states of a confirmation unit by unit.

    Returns:
        None if the trainer holds out no units, or a state is missing.

    Raises:
        DataError: If the data are missing or changed, or weights are not finite.
    """
    task, data = study_data.task, study_data.data
    if not isinstance(task, HeldOut):
        return None
    checkpoints = Checkpoints(database.files / confirmation.name)
    counts = collections.Counter(task.units(data, "dev"))
    units, repeats = list(counts), np.array(list(counts.values()))
    losses = {}
    for job, trial in confirmation.trials.items():
        if trial.dev_loss is None:
            continue
        state = final_weights(task, checkpoints, trial)
        if state is None:
            return None
        config = task.make_config(study.config_values(trial))
        losses[job] = task.unit_losses(config, data, state, units) * repeats
    return UnitEvidence(
        unit=task.unit,
        losses=losses,
        sizes=task.unit_sizes(units) * repeats,
        in_train=np.array([task.unit_key(unit) in study_data.in_train for unit in units]),
    )
