"""The learning rate that a configuration gets where a study says auto."""

import pytest

from sweep.errors import RangeTestError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.auto import AUTO_RULE, AUTO_SEEDS, AUTO_STEPS, auto_learning_rate
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.range_curve import suggestions
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus

CONFIG = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=16, batch_size=16)
PLACE = {"engine": "autograd", "device": "cpu"}


@pytest.fixture(scope="module")
def rate(corpus: Corpus) -> float:
    return auto_learning_rate(CONFIG, corpus, **PLACE)


def test_it_is_the_suggestion_of_a_short_range_test(corpus: Corpus, rate: float) -> None:
    """The same call by hand, with the seed that stands for no seed."""
    test = range_test(CONFIG.replace(seed=0), corpus, seeds=AUTO_SEEDS, steps=AUTO_STEPS, **PLACE).curve
    assert rate == suggestions(test)[AUTO_RULE][0]
    assert 1e-3 <= rate <= 1


def test_it_belongs_to_the_configuration_and_not_to_its_seed(corpus: Corpus, rate: float) -> None:
    """Replicates share it, and so do runs that differ only in what a range test does not use."""
    other = CONFIG.replace(seed=7, num_steps=5, learning_rate=0.9, schedule="cosine", decay_at=0.1)
    assert MLP.find_auto(other, corpus, ("learning_rate",), **PLACE) == {"learning_rate": rate}


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_adamw_is_tested_over_its_own_range(corpus: Corpus, engine: str) -> None:
    """Its rates are lower; depth and dropout are no obstacle."""
    config = CONFIG.replace(optimizer="adamw", hidden_layers=2, dropout=0.1, warmup=0.1)
    place = {**PLACE, "engine": engine}
    rate = auto_learning_rate(config, corpus, **place)
    assert rate == auto_learning_rate(config.replace(warmup=0.0), corpus, **place)
    assert 1e-5 <= rate <= 0.1
    test = range_test(config, corpus, seeds=2, steps=60, **place).curve
    assert (test.learning_rates[0], test.learning_rates[-1]) == pytest.approx((1e-5, 0.1))
    test = range_test(config, corpus, seeds=2, steps=60, low=1e-4, high=1e-2, **place).curve
    assert (test.learning_rates[0], test.learning_rates[-1]) == pytest.approx((1e-4, 1e-2))


def test_a_test_that_says_nothing_is_an_error(corpus: Corpus) -> None:
    """A weight decay that tears the weights apart at once leaves no curve; no rate is made up."""
    with pytest.raises(RangeTestError):
        auto_learning_rate(CONFIG.replace(weight_decay=1e30), corpus, **PLACE)
