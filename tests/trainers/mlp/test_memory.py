"""The estimate of a worker's memory, against sizes of arrays that are known."""

import pytest

from sweep.trainers.mlp import evaluation, memory
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.memory import LIBRARIES, worker_bytes
from sweep.trainers.mlp.words.corpus import Corpus


def needed(corpus: Corpus, **changes: object) -> int:
    return worker_bytes(TrainConfig(num_steps=10).replace(**changes), corpus, device="cpu")


def test_a_small_model_needs_the_libraries_and_little_more(corpus: Corpus) -> None:
    """Forty words and 200 neurons are no more than 5 MB."""
    assert LIBRARIES < needed(corpus) < LIBRARIES + 5_000_000


@pytest.mark.parametrize("name", ["block_size", "embedding_dim", "hidden_neurons", "batch_size"])
def test_what_makes_a_model_larger_raises_the_estimate(corpus: Corpus, name: str) -> None:
    """No size is left out."""
    assert needed(corpus, **{name: 250}) < needed(corpus, **{name: 256})


def test_further_layers_and_moments_raise_the_estimate(corpus: Corpus) -> None:
    """A layer of 1,000 neurons is 4 MB in each of the arrays that hold it; so are AdamW's moments of it."""
    one, two = needed(corpus, hidden_neurons=1_000), needed(corpus, hidden_neurons=1_000, hidden_layers=2)
    assert two - one > 5 * 4_000_000
    moments = needed(corpus, hidden_neurons=1_000, hidden_layers=2, optimizer="adamw") - two
    assert moments > 4 * 4_000_000


def test_the_largest_model_is_known_to_fit_nowhere(corpus: Corpus) -> None:
    """Block 256, embedding 4,096 and hidden 65,536 are 275 GB of W1 alone, more than once."""
    W1 = 4 * 256 * 4_096 * 65_536
    assert needed(corpus, block_size=256, embedding_dim=4_096, hidden_neurons=65_536) > 4 * W1


def test_long_runs_are_counted(corpus: Corpus) -> None:
    """Rates and losses of a thousand million steps are gigabytes."""
    assert needed(corpus, num_steps=1_000_000_000) > 8_000_000_000


def test_on_a_gpu_its_own_memory_is_not_counted(corpus: Corpus) -> None:
    """The arrays of the steps are there."""
    wide = TrainConfig(hidden_neurons=60_000)
    assert worker_bytes(wide, corpus, device="cuda:0") < worker_bytes(wide, corpus, device="cpu")


def test_the_rows_that_are_evaluated_at_a_time_are_those_of_the_evaluation() -> None:
    """The number stands in two modules, as torch loads with one of them."""
    assert memory.ROWS_AT_ONCE == evaluation.ROWS_AT_ONCE
