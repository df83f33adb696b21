"""Are a configuration's weights kept, and are they its own?"""

from sweep.errors import NotFoundError
from sweep.search.checkpoints import Checkpoints
from sweep.search.database import Database
from sweep.search.study_store import confirmation_name, load_study
from sweep.task.config import TrainConfig


def kept_weights(config: TrainConfig, dev_loss: float, study: str, database: Database) -> bytes | None:
    """Return the final state of a stored training with this configuration and loss, or None.

    It may belong to the study's search or to its confirmation; its file has the stored hash.

    Args:
        config: Every hyperparameter, the seed included.
        dev_loss: As exported, nats per character.
        study: Name of the study that it was exported from.
        database: Where its weights may be kept.
    """
    for name in (study, confirmation_name(study)):
        try:
            stored = load_study(database.open_read_only(), name)
        except NotFoundError:
            continue
        for trial in stored.trials:
            if trial.dev_loss == dev_loss and stored.config_values(trial) == config.to_dict():
                last = trial.segments[-1]
                files = Checkpoints(database.files / name)
                return files.read_state(trial.number, last.step, last.state_sha256)
    return None
