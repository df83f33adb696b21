"""Which learning rate does a configuration get where a study says ``auto``?

The suggestion ``minimum`` of a short range test: the rate at which the smoothed loss is lowest. The
other rules leave a margin that this model, whose rate falls later, does not need. Dev loss on the
makemore list after 30,000 steps, mean of three seeds (spread 0.002 to 0.005), schedule ``step``:

    block, embedding, hidden, batch    steepest  minimum/10   valley  minimum    0.1   best of grid
    3, 6, 200, 32 (log's row 11)          2.271       2.266    2.239    2.174  2.172  2.166 at 0.2

The grid is 0.03, 0.1, 0.2, 0.4, 0.8. Over forty random configurations, with and without momentum, of
both inits and of batches from 2 to 128, the suggestion went from 0.004 to 1, always existed, and
from one seed to another differed by a factor of 1.4 mostly; three seeds of 1,000 steps gave no more.
The test costs 1,500 steps of training.
"""

from sweep.errors import RangeTestError
from sweep.task.config import TrainConfig
from sweep.task.corpus import Corpus
from sweep.task.lr_finder import range_test, suggestions

AUTO_RULE = "minimum"
"""One of ``lr_suggestions.RULES``."""

AUTO_SEEDS = 3
"""Runs of the test, from 0.001 to 1."""

AUTO_STEPS = 500
"""Steps of a run."""


def auto_learning_rate(config: TrainConfig, corpus: Corpus, *, engine: str, device: str) -> float:
    """Return the learning rate that a short range test suggests for a configuration.

    It belongs to the configuration, not to its seed: replicates share it.

    Args:
        config: Its learning rate, seed, steps and schedule play no part.
        corpus: Only its train part is used.
        engine: One of ``ENGINES``.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        RangeTestError: If the test says nothing; no rate is made up.
    """
    test = range_test(
        config.replace(seed=0), corpus, seeds=AUTO_SEEDS, steps=AUTO_STEPS, engine=engine, device=device
    )
    rate, why = suggestions(test)[AUTO_RULE]
    if rate is None:
        raise RangeTestError(f"no learning rate found: {why}; give one instead of auto")
    return rate
