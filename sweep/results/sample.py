"""What does the winner make up?"""

from collections.abc import Callable

from sweep.errors import NotFoundError
from sweep.results.config_file import Provenance, load_exported_data
from sweep.results.replay import choose_place, train_again
from sweep.search.checkpoints import Checkpoints
from sweep.search.database import Database
from sweep.search.study_store import load_study
from sweep.task.config import TrainConfig
from sweep.task.mlp import MLP


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
    """Draw words from an exported configuration's model.

    Its stored weights are used where they are kept; else it is trained again, and ``say`` is told.

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
    data = load_exported_data(words, provenance)
    state = _kept_weights(config, provenance, database)
    if state is None:
        say(f"the weights are not kept here: training {config.num_steps:,} steps again")
        place = choose_place(MLP, provenance.place, "auto")
        state = train_again(MLP, config, data, provenance.dev_loss, place).state
    return MLP.sample_words(config, data, state, n, seed)


def _kept_weights(config: TrainConfig, provenance: Provenance, database: Database) -> bytes | None:
    """Return the final state of the exported trial, if it is stored and of this configuration."""
    try:
        study = load_study(database.open_read_only(), provenance.study)
    except NotFoundError:
        return None
    for trial in study.trials:
        same = trial.number == provenance.trial and study.config_values(trial) == config.to_dict()
        if same and trial.dev_loss == provenance.dev_loss:
            last = trial.segments[-1]
            return Checkpoints(database.files / study.name).read_state(
                trial.number, last.step, last.state_sha256
            )
    return None
