"""What does the winner make up?"""

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
    """Draw words from an exported configuration's model, or from an ensemble of several.

    Their stored weights are used where they are kept; else it is trained again, and ``say`` is told.

    Args:
        config: As exported.
        provenance: Where it comes from.
        database: Where its weights may be kept.
        words: Path of its words file.
        n: How many words.
        seed: Of the sampling.
        say: Called with a line on what takes long.

    Raises:
        DataError: If the words are not those of the export.
    """
    data = load_exported_data({**provenance.data, "words": words}, provenance)
    states = []
    for each, dev_loss in provenance.models(config):
        state = kept_weights(MLP, each, dev_loss, provenance.study, database)
        if state is None:
            say(f"the weights are not kept here: training {config.num_steps:,} steps again")
            place = choose_place(MLP, provenance.place, "auto")
            state = train_again(MLP, each, data, dev_loss, place).state
        states.append(state)
    return sampled_by_ensemble(config, data, states, n, seed=seed)
