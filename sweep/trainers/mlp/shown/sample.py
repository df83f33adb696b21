"""Sample words from an exported configuration's model."""

from collections.abc import Callable

from sweep.certify.config_file import load_exported_data
from sweep.certify.provenance import Provenance
from sweep.certify.replay import choose_place, train_again
from sweep.certify.weights import kept_weights
from sweep.storage.database import Database
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.shown.trained_model import sampled_by_ensemble
from sweep.trainers.mlp.trainer import MLP


def sample_from(
    config: TrainConfig,
    provenance: Provenance,
    database: Database,
    *,
    words: str,
    n: int,
    seed: int,
    say: Callable[[str], None],
) -> list[str]:
    """Return words sampled from an exported configuration's model, or from an ensemble of several.

    Stored weights are used if available; otherwise a model is trained again, and ``say`` is called.

    Args:
        config: The exported configuration.
        provenance: The origin of the configuration.
        database: The database with the weights, if stored.
        words: Path of the words file.
        n: Number of words.
        seed: Seed of the sampling.
        say: Called with a message before a long training.

    Raises:
        DataError: If the words are not those of the export.
    """
    data = load_exported_data({**provenance.data, "words": words}, provenance)
    states = []
    for each, dev_loss in provenance.models(config):
        state = kept_weights(MLP, each, dev_loss, provenance.study, database)
        if state is None:
            say(f"the weights are not stored here: training {config.num_steps:,} steps again")
            place = choose_place(MLP, provenance.place, "auto")
            state = train_again(MLP, each, data, dev_loss, place).state
        states.append(state)
    return sampled_by_ensemble(config, data, states, n, seed=seed)
