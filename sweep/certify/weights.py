"""Read the stored weights of a trial, and refuse those that are not a valid model."""

from collections.abc import Iterator
from typing import Any

from sweep.definition.records import TrialRecord
from sweep.errors import ConfigError, DataError, NotFoundError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_names import confirmation_name
from sweep.storage.study_reader import load_study
from sweep.task import AnyTask, Config, check_weights


def final_weights(task: AnyTask, files: Checkpoints, trial: TrialRecord) -> bytes | None:
    """Return the final state of a trial with segments, or None if it is missing or changed.

    Raises:
        DataError: If the trainer refuses it, because a parameter is not finite.
    """
    last = trial.segments[-1]
    state = files.read_state(trial.number, last.step, last.state_sha256)
    if state is not None:
        try:
            check_weights(task, state)
        except DataError as error:
            folder = files.folder(trial.number).where
            raise DataError(f"trial {trial.number} ({folder}): {error}; export another trial") from error
    return state


def kept_weights(
    task: AnyTask, config: Config, dev_loss: float, study: str, database: Database
) -> bytes | None:
    """Return the final state of a stored training with this configuration and loss, or None.

    The training may belong to the study's search or to its confirmation; its file has the stored hash.

    Args:
        task: The trainer.
        config: Every hyperparameter, including the seed.
        dev_loss: The exported loss.
        study: Name of the study that it was exported from.
        database: Database that may store its weights.

    Raises:
        DataError: If the trainer refuses the weights.
    """
    for name, trial in stored_trainings(task, config, dev_loss, study, database):
        return final_weights(task, Checkpoints(database.files / name), trial)
    return None


def stored_trainings(
    task: AnyTask, config: Config, dev_loss: float, study: str, database: Database
) -> Iterator[tuple[str, TrialRecord]]:
    """Yield the stored trainings with this configuration and value, each with the name of its study."""
    for name in (study, confirmation_name(study)):
        try:
            stored = load_study(database.open_read_only(), name)
        except NotFoundError:
            continue
        for trial in stored.trials:
            if trial.dev_loss == dev_loss and _values(task, stored.config_values(trial)) == config.to_dict():
                yield name, trial


def _values(task: AnyTask, stored: dict[str, Any]) -> dict[str, Any]:
    """Return stored values converted by the trainer."""
    try:
        values: dict[str, Any] = task.make_config(stored).to_dict()
    except ConfigError:  # a study of that name with other hyperparameters
        return stored
    return values
