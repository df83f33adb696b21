"""Find the learning rate of a configuration for which a study sets ``auto``.

It is the suggestion ``minimum`` of a short range test: the rate at which the smoothed loss is lowest. The
other rules leave a margin that this model, whose rate falls later, does not need. Dev loss on the
makemore list, mean of three seeds (spread 0.002 to 0.005, 0.011 for the small one), 30,000 steps with
schedule ``step``, 20,000 for the last with ``cosine`` to 0.001 and weight decay 0.001:

    block, embedding, hidden, batch    steepest  minimum/10   valley  minimum   fixed 0.1
    3, 6, 200, 32 (log's row 11)          2.271       2.266    2.239    2.174       2.172
    4, 16, 200, 64                        2.190       2.152    2.175    2.057       2.084
    the same, momentum 0.9                2.136       2.126    2.117    2.089       2.120
    3, 6, 200, 32, init normal            2.465       2.432    2.441    2.256       2.292
    3, 4, 20, 8                           2.314       2.345    2.363    2.349       2.321
    6, 32, 300, 128                       2.123       2.114    2.148    2.032       2.051

The first four rows' other suggestions are from the longer test of ``sweep lr-find``. So ``minimum`` is the
best suggestion in five of six rows, and beats the usual 0.1 in four; a small model with a small batch needs a
lower rate. Over forty random configurations, with and without momentum, with both inits and batches from 2 to
128, it ranged from 0.004 to 1 and always existed; another seed of the test changed it by a factor of 1.4 in
most cases, and 1,000 steps instead of 500 were not better. The test costs 1,500 steps.

With optimizer ``adamw``, the test has another range (``lr_finder.RATE_RANGES``), and the same rule is the
best suggestion in three of four rows. Dev loss on ``data/names.txt``, one seed, 10,000 steps with ``cosine``
to 0, a warm-up of 0.02 and weight decay 0.1; all rates are from the same test:

    block, embedding, hidden, batch    steepest  minimum/10   valley  minimum   fixed 0.003
    3, 6, 200, 32                         2.266       2.285    2.351    2.295         2.255
    4, 16, 200, 64                        2.188       2.187    2.257    2.114         2.111
    6, 32, 300, 128                       2.100       2.067    2.137    1.997         2.002
    4, 16, 128, 64, two layers            2.180       2.179    2.252    2.086         2.094

The test does not know the number of steps, nor does it see weight decay at work, and the best rate depends on
both. For block 8, embedding 32, 512 neurons and batches of 256 it suggests 0.0063. Dev loss on the makemore
list, one seed, ``cosine`` to 0:

    rate, weight decay    0.0063, 0.1    0.0063, 0.3    0.002, 0.1    0.002, 0.3    0.001, 0.3
    4,000 steps                 1.980                                      2.018
    15,000 steps                1.968          1.983         1.970         1.965         1.981

So ``auto`` suits short trainings better than long ones, and the shipped studies search both.
"""

from sweep.errors import RangeTestError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.range_curve import suggestions
from sweep.trainers.mlp.learning_rate.recommendation import RULE
from sweep.trainers.mlp.words.corpus import Corpus

AUTO_RULE = RULE
"""One of ``lr_suggestions.RULES``."""

AUTO_SEEDS = 3
"""Number of runs of the test, from 0.001 to 1."""

AUTO_STEPS = 500
"""Number of steps of a run."""


def auto_learning_rate(config: TrainConfig, corpus: Corpus, *, engine: str, device: str) -> float:
    """Return the learning rate that a short range test suggests for a configuration.

    It does not depend on the seed, so replicates share it.

    Args:
        config: The configuration; learning rate, seed, steps and schedule are ignored.
        corpus: The data; only the train part is used.
        engine: One of ``ENGINES``.
        device: ``cpu``, ``cuda`` or ``cuda:N``.

    Raises:
        RangeTestError: If the test has no result; no rate is guessed.
    """
    test = range_test(
        config.replace(seed=0), corpus, seeds=AUTO_SEEDS, steps=AUTO_STEPS, engine=engine, device=device
    )
    rate, why = suggestions(test.curve)[AUTO_RULE]
    if rate is None:
        raise RangeTestError(f"no learning rate found: {why}; set one instead of auto")
    return rate
