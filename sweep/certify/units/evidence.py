"""Evaluate the confirmed models on each held-out unit.

The dev part is a sample of units, so a loss on it is uncertain however many seeds there are. The units'
losses measure that uncertainty. Units that also occur in train show little about new ones.
"""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from sweep.certify.confirm_plan import Job
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.study_data import StudyData
from sweep.certify.units.uncertainty import distinct_units, mean_losses
from sweep.certify.weights import final_weights
from sweep.definition.records import StudyRecord
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.task import Config, Data, Ensembles, HeldOut


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UnitEvidence:
    """Losses of each training of a confirmation on each distinct dev unit."""

    unit: str
    """Name of a unit."""
    losses: dict[Job, np.ndarray]
    """Summed loss of each unit, including its repeats in dev, shape (U,)."""
    sizes: np.ndarray
    """Size of each unit, including its repeats, shape (U,)."""
    ensemble: np.ndarray | None
    """The same as one of ``losses`` for the ensemble of some trainings; None if it is not known."""
    in_train: np.ndarray
    """Whether the unit also occurs in train, whatever its spelling, shape (U,)."""

    def of(self, jobs: Iterable[Job]) -> np.ndarray:
        """Return the losses of some trainings, shape (len(jobs), U)."""
        return np.array([self.losses[job] for job in jobs])

    def loss_on(self, losses: np.ndarray, taken: np.ndarray) -> float:
        """Return the loss over some units, averaged over seeds, in the metric's unit."""
        return float(mean_losses(losses, self.sizes, taken).mean())


def gather_unit_evidence(
    study: StudyRecord,
    confirmation: Confirmation,
    study_data: StudyData,
    database: Database,
    *,
    members: Sequence[Job] = (),
) -> UnitEvidence | None:
    """Evaluate the stored states of a confirmation unit by unit.

    Args:
        study: The confirmed study.
        confirmation: Its trainings.
        study_data: The data of the study.
        database: Database that stores the trained states.
        members: Trainings whose ensemble is evaluated too; none for no ensemble.

    Returns:
        None if the trainer holds out no units, or a state is missing.

    Raises:
        DataError: If the data are missing or changed, or weights are not finite.
    """
    task, data = study_data.task, study_data.data
    if not isinstance(task, HeldOut):
        return None
    units, repeats = distinct_units(task.units(data, "dev"))
    models = _models(study, confirmation, Checkpoints(database.files / confirmation.name))
    if models is None:
        return None
    ensemble = None
    if isinstance(task, Ensembles) and members and models.keys() >= {*members}:
        ensemble = _ensemble_losses(task, data, [models[job] for job in members], units) * repeats
    return UnitEvidence(
        unit=task.unit,
        losses={job: task.unit_losses(c, data, state, units) * repeats for job, (c, state) in models.items()},
        ensemble=ensemble,
        sizes=task.unit_sizes(units) * repeats,
        in_train=np.array([task.unit_key(unit) in study_data.in_train for unit in units]),
    )


def _ensemble_losses(
    task: Ensembles, data: Data, models: Sequence[tuple[Config, bytes]], units: Sequence[str]
) -> np.ndarray:
    configs, states = zip(*models, strict=True)
    return task.ensemble_losses(configs, data, states, units)


def _models(
    study: StudyRecord, confirmation: Confirmation, files: Checkpoints
) -> dict[Job, tuple[Config, bytes]] | None:
    """Return the configuration and final state of each training on the study's own train part.

    None if a state is missing.
    """
    models: dict[Job, tuple[Config, bytes]] = {}
    for job, trial in confirmation.trials.items():
        if trial.dev_loss is None or job.phase == "resplit":
            continue
        if (state := final_weights(study.task, files, trial)) is None:
            return None
        models[job] = (study.task.make_config(study.config_values(trial)), state)
    return models
