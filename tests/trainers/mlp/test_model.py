"""The MLP: forward pass, initial parameters and sampling, against numpy and hand-set models."""

import itertools
import math

import numpy as np
import pytest
import scipy
import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.model import forward, init_parameters, sample_ensemble, to_tensors
from sweep.trainers.mlp.randomness import generator
from tests.support.peak_memory import peak_bytes


def numpy_forward(parameters: dict[str, np.ndarray], contexts: np.ndarray) -> np.ndarray:
    """The model as the paper writes it, one example at a time, in float64."""
    p = {name: array.astype(np.float64) for name, array in parameters.items()}
    rows = []
    for context in contexts:
        x = np.concatenate([p["C"][symbol] for symbol in context])
        hidden = np.tanh(x @ p["W1"] + p["b1"])
        rows.append(hidden @ p["W2"] + p["b2"])
    return np.array(rows)


@pytest.mark.parametrize(("block_size", "embedding_dim", "hidden"), [(1, 1, 1), (3, 10, 40), (8, 2, 7)])
def test_forward_equals_a_plain_computation(block_size: int, embedding_dim: int, hidden: int) -> None:
    """Logits agree with a float64 computation example by example."""
    config = TrainConfig(
        block_size=block_size, embedding_dim=embedding_dim, hidden_neurons=hidden, init="normal", seed=3
    )
    parameters = init_parameters(config, 11)
    contexts = np.random.default_rng(0).integers(0, 11, (20, block_size))
    logits = forward(to_tensors(parameters, "cpu"), torch.from_numpy(contexts))
    assert logits.shape == (20, 11)
    np.testing.assert_allclose(
        logits.numpy(), numpy_forward(parameters, contexts), rtol=1e-5, atol=1e-5 * hidden
    )


def test_order_of_the_context_matters() -> None:
    """The oldest symbol meets the first rows of W1."""
    parameters = {
        "C": np.array([[0.0], [1.0]], np.float32),
        "W1": np.array([[2.0], [0.0]], np.float32),
        "b1": np.zeros(1, np.float32),
        "W2": np.array([[1.0, 0.0]], np.float32),
        "b2": np.array([0.0, 0.5], np.float32),
    }
    logits = forward(to_tensors(parameters, "cpu"), torch.tensor([[1, 0], [0, 1]])).numpy()
    np.testing.assert_allclose(logits, [[math.tanh(2), 0.5], [0, 0.5]], rtol=1e-6)


def test_scaled_init_has_the_scales_of_its_definition() -> None:
    """C has deviation 1, W1 (5/3)/sqrt(T D), b1 and W2 0.01, and b2 is exactly zero."""
    config = TrainConfig(block_size=8, embedding_dim=32, hidden_neurons=2_000)
    parameters = init_parameters(config, 300)
    expected = {"C": 1.0, "W1": 5 / 3 / 16, "b1": 0.01, "W2": 0.01}
    for name, deviation in expected.items():
        array = parameters[name]
        error = deviation / math.sqrt(2 * array.size)  # standard error of a deviation
        assert abs(array.std() - deviation) < 5 * error, name
        assert abs(array.mean()) < 5 * deviation / math.sqrt(array.size), name
    assert not parameters["b2"].any()


def test_normal_init_draws_every_parameter_from_the_standard_normal() -> None:
    """Each array passes a Kolmogorov-Smirnov test against N(0, 1), the biases included."""
    parameters = init_parameters(TrainConfig(init="normal", hidden_neurons=500), 300)
    for name, array in parameters.items():
        assert scipy.stats.kstest(array.ravel()[:20_000], "norm").pvalue > 1e-4, name


@pytest.mark.parametrize("init", ["scaled", "normal"])
def test_initial_parameters_depend_on_the_seed_alone(init: str) -> None:
    """Equal seeds give equal bits whatever is trained afterwards; another seed gives others."""
    config = TrainConfig(init=init, seed=5)
    one = init_parameters(config, 27)
    two = init_parameters(config.replace(batch_size=7, num_steps=3, learning_rate=0.5), 27)
    other = init_parameters(config.replace(seed=6), 27)
    assert {name: array.shape for name, array in one.items()} == config.parameter_shapes(27)
    for name, array in one.items():
        assert array.dtype == np.float32
        assert array.tobytes() == two[name].tobytes()
    assert all((one[name] != other[name]).any() for name in ("C", "W1", "b1", "W2"))


BIGRAM_LOGITS = np.array([[-1.0, 1.0, 0.5], [0.7, 0.0, -0.4], [0.2, 0.9, 0.2]])


@pytest.fixture
def bigram() -> dict[str, np.ndarray]:
    """A model of block size 1 whose logits after symbol k are row k of a table.

    The embedding is one-hot and tanh(50) is 1 in float32, so that W2 is that table.
    """
    return {
        "C": np.eye(3, dtype=np.float32),
        "W1": np.eye(3, dtype=np.float32) * 50,
        "b1": np.zeros(3, np.float32),
        "W2": BIGRAM_LOGITS.astype(np.float32),
        "b2": np.zeros(3, np.float32),
    }


def test_sampled_bigrams_follow_the_softmax(bigram: dict[str, np.ndarray]) -> None:
    """The transitions in 40,000 words pass a chi-square test against the table's softmax."""
    words = sample_ensemble([bigram], (".", "a", "b"), n=40_000, seed=0, max_length=60)
    counts = np.zeros((3, 3))
    for word in words:
        text = f".{word}." if len(word) < 60 else f".{word}"
        for before, after in itertools.pairwise(text):
            counts[".ab".index(before), ".ab".index(after)] += 1
    softmax = np.exp(BIGRAM_LOGITS) / np.exp(BIGRAM_LOGITS).sum(axis=1, keepdims=True)
    for row, probabilities in zip(counts, softmax, strict=True):
        assert row.sum() > 30_000
        assert scipy.stats.chisquare(row, probabilities * row.sum()).pvalue > 1e-3


def test_sampling_is_a_function_of_its_seed(bigram: dict[str, np.ndarray]) -> None:
    """Equal seeds give equal words, another seed gives others, torch's own state plays no part."""
    first = sample_ensemble([bigram], (".", "a", "b"), n=50, seed=1, max_length=20)
    torch.manual_seed(99)
    assert sample_ensemble([bigram], (".", "a", "b"), n=50, seed=1, max_length=20) == first
    assert sample_ensemble([bigram], (".", "a", "b"), n=50, seed=2, max_length=20) != first


def test_sampled_words_end_at_the_mark_or_the_limit(bigram: dict[str, np.ndarray]) -> None:
    """No word holds the end mark or is longer than the limit, and as many come as were asked for."""
    words = sample_ensemble([bigram], (".", "a", "b"), n=500, seed=1, max_length=3)
    assert len(words) == 500
    assert {len(word) for word in words} == {0, 1, 2, 3}
    assert set("".join(words)) == {"a", "b"}


def test_sampling_uses_the_whole_context() -> None:
    """A model that repeats the symbol two places back spells its period."""
    vocabulary = (".", "a", "b")
    parameters = {
        "C": np.eye(3, dtype=np.float32),
        "W1": np.vstack([np.eye(3), np.zeros((3, 3))]).astype(np.float32) * 50,
        "b1": np.zeros(3, np.float32),
        # after '.', a or b two places back come a, b and '.' almost surely
        "W2": np.array([[0, 60, 0], [0, 0, 60], [60, 0, 0]], np.float32),
        "b2": np.zeros(3, np.float32),
    }
    assert sample_ensemble([parameters], vocabulary, n=3, seed=0, max_length=9) == ["aabb"] * 3


def test_a_sample_of_many_words_needs_no_more_memory_than_one_part_of_it() -> None:
    """20,000 words over 4,000 symbols would be 640 MB for each intermediate; the words are the same."""
    config = TrainConfig(block_size=1, embedding_dim=2, hidden_neurons=3, init="normal")
    parameters = init_parameters(config, 4_000)
    vocabulary = (".", *map(chr, range(0x4E00, 0x4E00 + 3_999)))
    drawn: list[str] = []
    peak = peak_bytes(
        lambda: drawn.extend(sample_ensemble([parameters], vocabulary, 20_000, 5, max_length=1))
    )
    assert peak < 250_000_000
    contexts = torch.zeros((20_000, 1), dtype=torch.long)
    uniform = torch.from_numpy(generator(5, "sample").random((20_000, 1)))
    logits = forward(to_tensors(parameters, "cpu"), contexts[:1]).double()
    symbols = torch.searchsorted(logits.softmax(dim=1).cumsum(dim=1)[0], uniform[:, 0]).tolist()
    assert drawn == ["" if symbol == 0 else vocabulary[symbol] for symbol in symbols]
