"""The average of snapshots: its weights, its place in a run, and that training never sees it."""

import numpy as np
import pytest

from sweep.trainers.mlp.averaging import ETA, add_snapshot, snapshot_steps
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.evaluation import split_loss
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import dev_examples, train_segment
from sweep.trainers.mlp.words.corpus import Corpus

CONFIG = TrainConfig(num_steps=300, hidden_neurons=8, embedding_dim=3, batch_size=4)


def test_the_weights_are_those_of_polynomial_decay() -> None:
    """By hand: after n snapshots the k-th weighs in proportion to (k + 1) (k + 2) ... (k + ETA)."""
    average: dict[str, np.ndarray] = {}
    for k in range(1, 6):  # snapshot k is the k-th unit vector, so the average shows the weights
        average = add_snapshot(average, {"C": np.eye(5, dtype=np.float32)[k - 1]}, k, 100)
    weights = np.array([np.prod([float(k + i) for i in range(ETA)]) for k in range(1, 6)])
    np.testing.assert_allclose(average["C"], weights / weights.sum(), rtol=1e-5)


@pytest.mark.parametrize("num_steps", [1, 7, 100, 999, 2_000])
def test_every_percent_has_one_snapshot(num_steps: int) -> None:
    """No step is taken twice, the last one is the end, and cutting the run loses none."""
    steps = snapshot_steps(num_steps, 0, num_steps)
    assert steps == sorted(set(steps))
    assert steps[-1] == num_steps
    assert len(steps) == min(100, num_steps)
    middle = num_steps // 3
    assert snapshot_steps(num_steps, 0, middle) + snapshot_steps(num_steps, middle, num_steps) == steps


@pytest.mark.parametrize("engine", ["autograd", "fused"])
def test_training_never_sees_the_average(corpus: Corpus, engine: str) -> None:
    """Parameters, dev loss and training losses are bitwise those of a run without it."""
    plain = train_segment(CONFIG, corpus, None, 200, engine=engine)
    averaged = train_segment(CONFIG, corpus, None, 200, engine=engine, averaged=True)
    assert plain.average_loss is None
    assert plain.dev_loss == averaged.dev_loss
    np.testing.assert_array_equal(plain.losses, averaged.losses)
    for name, array in plain.state.parameters.items():
        np.testing.assert_array_equal(array, averaged.state.parameters[name])


def test_the_average_does_not_depend_on_the_cuts(corpus: Corpus) -> None:
    """Cut at any step, between snapshots too, and through a file: bitwise the same average and loss."""
    whole = train_segment(CONFIG, corpus, None, 200, averaged=True)
    state = None
    for until in (10, 11, 100, 199, 200):
        part = train_segment(CONFIG, corpus, state, until, averaged=True)
        state = TrainState.from_bytes(part.state.to_bytes(), CONFIG, corpus.vocabulary_size)
    assert part.average_loss == whole.average_loss
    assert whole.average_loss == split_loss(whole.state.average, dev_examples(corpus, CONFIG.block_size))
    for name, array in whole.state.average.items():
        np.testing.assert_array_equal(array, part.state.average[name])


def test_at_the_end_the_average_is_gone(corpus: Corpus) -> None:
    """A finished run's state is its weights, as large as without averaging, and it has one loss."""
    end = train_segment(CONFIG, corpus, None, 300, averaged=True)
    assert end.average_loss is None
    assert end.state.average == {}
    assert end.state.to_bytes() == train_segment(CONFIG, corpus, None, 300).state.to_bytes()
