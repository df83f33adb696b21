"""List what the MLP adds to tables and advice; ``exhibits`` lists what needs figures or weights."""

import math

from sweep.reporting.contributions import Check, Contributions
from sweep.trainers.mlp.shown.advice import wording
from sweep.trainers.mlp.shown.advice.baselines import find_baselines
from sweep.trainers.mlp.shown.advice.budgets import find_budgets
from sweep.trainers.mlp.shown.advice.new_words import find_new_words
from sweep.trainers.mlp.shown.advice.rates import find_auto_rates, find_rates

SEED_NOISE = 0.01
"""Typical standard deviation over seeds, nats per character: three seeds of the hand-made log's rows have
0.001 to 0.02, half of them above 0.007."""

NEGLIGIBLE = 0.002
"""Nats per character below which a gain is within the noise of seeds."""


def meaning(loss: float) -> str:
    """Describe a loss as the number of equally likely characters (perplexity)."""
    return f"On average, the model is as uncertain as between {math.exp(loss):.1f} equally likely characters"


CONTRIBUTIONS = Contributions(
    headings={"embedding_dim": "embed_dim"},
    checks={
        "baselines": Check(
            find=find_baselines, say=wording.say_baselines, in_headline=True, before="failures"
        ),
        "new_words": Check(find=find_new_words, say=wording.say_new_words, before="repeats"),
        "budgets": Check(find=find_budgets, say=wording.say_budgets, before="repeats"),
        "rates": Check(find=find_rates, say=wording.say_rates, before="repeats"),
        "auto-rates": Check(find=find_auto_rates, say=wording.say_auto_rates, before="repeats"),
    },
    meaning=meaning,
    seed_noise=SEED_NOISE,
    negligible=NEGLIGIBLE,
    filter_example="dev_loss < 2.1  n_params < 10000  pruned",
    commands=("sweep sample best.toml -n 20",),
    exhibits="sweep.trainers.mlp.shown.exhibits:EXHIBITS",
)
