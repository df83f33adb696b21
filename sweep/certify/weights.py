"""Read the stored weights of a trial, and refuse those that are not a valid model."""

from collections.abc import Iterator

import safetensors

from sweep.certify.provenance import Certificate
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import ConfigError, DataError, NotFoundError, NothingToShowError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_names import confirmation_name
from sweep.storage.study_reader import load_study
from sweep.task import AnyTask, Config, RunsPrograms, check_weights
from sweep.values import Json, Value

NO_WEIGHTS = "no-weights"
"""Key of the error that there are no weights to give."""


def weights_file(
    study: StudyRecord, trial: TrialRecord, database: Database, certificate: Certificate | None = None
) -> bytes:
    """Return the final weights of the training that an export describes, as a safetensors file.

    Args:
        study: The study.
        trial: A complete trial.
        database: Where the study is stored.
        certificate: If given, the weights are those of the training on its first seed.

    Raises:
        NothingToShowError: If the trainer leaves no weights to sweep, or they are not kept.
        DataError: If the trainer refuses them, because a parameter is not finite.
    """
    if study.is_guest:
        raise NothingToShowError("Optuna made this study, and it stores no weights", key=NO_WEIGHTS)
    _check_leaves_weights(study, trial, database)
    state = _stored_state(study, trial, database, certificate)
    if state is None:
        whose = f"trial {trial.number}" + (
            f" on certifying seed {certificate.seeds[0]}" if certificate else ""
        )
        raise NothingToShowError(
            f"the weights of {whose} are not here; a study keeps those of its best trials", key=NO_WEIGHTS
        )
    try:
        safetensors.deserialize(state)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise NothingToShowError(
            f"trainer {study.trainer} stores no safetensors, so its weights cannot be exported",
            key=NO_WEIGHTS,
        ) from error
    return state


def _check_leaves_weights(study: StudyRecord, trial: TrialRecord, database: Database) -> None:
    """Refuse a trainer that runs a user's program, which writes its model where it likes."""
    if isinstance(study.task, RunsPrograms):
        folder = database.program_folder(study.name) / f"{trial.number:06d}"
        where = f"its files are in {folder}" if folder.is_dir() else f"{folder} is not on this machine"
        raise NothingToShowError(
            f"sweep keeps no weights of a program of yours, only what trial {trial.number} wrote; {where}",
            key=NO_WEIGHTS,
        )


def _stored_state(
    study: StudyRecord, trial: TrialRecord, database: Database, certificate: Certificate | None
) -> bytes | None:
    if certificate is None:
        return final_weights(study.task, Checkpoints(database.files / study.name), trial)
    values = {**study.config_values(trial), "seed": certificate.seeds[0]}
    config = study.task.make_config(values)
    return kept_weights(study.task, config, certificate.dev_losses[0], study.name, database)


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


def _values(task: AnyTask, stored: dict[str, Json]) -> dict[str, Value]:
    """Return stored values converted by the trainer."""
    try:
        values: dict[str, Value] = task.make_config(stored).to_dict()
    except ConfigError:  # a study of that name with other hyperparameters
        return stored
    return values
