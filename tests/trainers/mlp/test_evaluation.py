"""The exact loss of a split, against torch's cross entropy over every single example."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.evaluation import (
    ROWS_AT_ONCE,
    ensemble_word_losses,
    pair_log_likelihoods,
    split_loss,
    word_losses,
)
from sweep.trainers.mlp.inspection import inspect_model
from sweep.trainers.mlp.model import forward, init_parameters, to_tensors
from sweep.trainers.mlp.words.corpus import Corpus, EncodedWords, load_corpus
from sweep.trainers.mlp.words.examples import DistinctExamples, build_examples, merge_examples
from tests.support.peak_memory import peak_bytes


def torch_loss(parameters: dict[str, np.ndarray], words: EncodedWords, block_size: int) -> float:
    """Mean cross entropy over all examples, none merged, in float64."""
    examples = build_examples(words, block_size)
    p = {name: torch.tensor(array, dtype=torch.float64) for name, array in parameters.items()}
    x = torch.tensor(examples.contexts.astype(np.int64))
    y = torch.tensor(examples.targets.astype(np.int64))
    hidden = torch.tanh(p["C"][x].view(len(x), -1) @ p["W1"] + p["b1"])
    return float(cross_entropy(hidden @ p["W2"] + p["b2"], y))


@pytest.mark.parametrize("init", ["scaled", "normal"])
@pytest.mark.parametrize("block_size", [1, 3, 6])
def test_merged_loss_equals_cross_entropy_over_all_examples(
    corpus: Corpus, block_size: int, init: str
) -> None:
    """Summing over distinct contexts changes the loss by less than 1e-6."""
    config = TrainConfig(block_size=block_size, embedding_dim=5, hidden_neurons=20, init=init)
    parameters = init_parameters(config, corpus.vocabulary_size)
    for part in (corpus.train, corpus.dev):
        merged = merge_examples(build_examples(part, block_size))
        assert split_loss(parameters, merged) == pytest.approx(
            torch_loss(parameters, part, block_size), abs=1e-6
        )


def test_more_contexts_than_are_computed_at_once_give_the_same_loss(names_file: Path) -> None:
    """On the names' dev split, over 7,000 distinct contexts, the loss is exact as well."""
    names = load_corpus(names_file)
    config = TrainConfig(block_size=6, embedding_dim=4, hidden_neurons=16, init="normal")
    parameters = init_parameters(config, names.vocabulary_size)
    merged = merge_examples(build_examples(names.dev, 6))
    assert len(merged.contexts) > 7_000
    assert split_loss(parameters, merged) == pytest.approx(torch_loss(parameters, names.dev, 6), abs=1e-6)


def test_makemore_dev_loss_is_exact(makemore: Path) -> None:
    """The loss over 22,655 dev examples of the makemore names agrees to 1e-6."""
    names = load_corpus(makemore)
    parameters = init_parameters(TrainConfig(hidden_neurons=30, init="normal", seed=1), 27)
    merged = merge_examples(build_examples(names.dev, 3))
    assert split_loss(parameters, merged) == pytest.approx(torch_loss(parameters, names.dev, 3), abs=1e-6)


def test_uniform_model_has_loss_ln_v(corpus: Corpus) -> None:
    """With all parameters zero every symbol has probability 1/V."""
    config = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=4)
    shapes = config.parameter_shapes(corpus.vocabulary_size)
    zeros = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    merged = merge_examples(build_examples(corpus.dev, 2))
    assert split_loss(zeros, merged) == pytest.approx(math.log(corpus.vocabulary_size), abs=1e-6)


def test_log_likelihoods_are_one_for_each_distinct_pair(corpus: Corpus) -> None:
    """Each is log p of its own pair: over all targets of a context the probabilities sum to at most 1."""
    config = TrainConfig(block_size=1, embedding_dim=3, hidden_neurons=4, init="normal")
    parameters = init_parameters(config, corpus.vocabulary_size)
    merged = merge_examples(build_examples(corpus.train, 1))
    values = pair_log_likelihoods(parameters, merged)
    assert values.shape == merged.pair_count.shape
    assert values.dtype == np.float64
    sums = np.bincount(merged.pair_context, np.exp(values))
    assert (sums <= 1 + 1e-6).all()


def test_infinite_parameters_give_a_loss_that_is_not_finite(corpus: Corpus) -> None:
    """A model that has diverged is told by its loss, not by an exception."""
    config = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=4)
    parameters = init_parameters(config, corpus.vocabulary_size)
    parameters["b2"][1] = np.nan
    assert not math.isfinite(split_loss(parameters, merge_examples(build_examples(corpus.dev, 2))))


@torch.inference_mode()
def all_at_once(parameters: dict[str, np.ndarray], examples: DistinctExamples) -> np.ndarray:
    """The same log p from one table of every context and symbol; products are cut as ever."""
    contexts = torch.from_numpy(examples.contexts.astype(np.int32))
    tensors = to_tensors(parameters, "cpu")
    table = torch.cat([forward(tensors, rows) for rows in contexts.split(ROWS_AT_ONCE)]).log_softmax(dim=1)
    return table.numpy()[examples.pair_context, examples.pair_target].astype(np.float64)


@pytest.mark.parametrize("block_size", [1, 3, 8])
def test_losses_are_to_the_bit_those_of_the_whole_table(names_file: Path, block_size: int) -> None:
    """Where the rows are cut before they are normalised changes no bit."""
    names = load_corpus(names_file)
    config = TrainConfig(block_size=block_size, embedding_dim=4, hidden_neurons=30, init="normal", seed=3)
    parameters = init_parameters(config, names.vocabulary_size)
    merged = merge_examples(build_examples(names.dev, block_size))
    found = pair_log_likelihoods(parameters, merged)
    assert found.tobytes() == all_at_once(parameters, merged).tobytes()


def _many(contexts: int, symbols: int) -> tuple[dict[str, np.ndarray], EncodedWords]:
    """A small model of many symbols, and words of one symbol with as many contexts in all."""
    words = np.arange(contexts // 2) % (symbols - 1) + 1
    config = TrainConfig(block_size=1, embedding_dim=2, hidden_neurons=4)
    lengths = np.ones(len(words), np.int64)
    encoded = EncodedWords(symbols=words.astype(np.uint16), lengths=lengths)
    return init_parameters(config, symbols), encoded


def test_memory_does_not_grow_with_contexts_times_symbols() -> None:
    """30,000 contexts of 6,000 symbols would be 720 MB of probabilities; each use needs a slice of them."""
    parameters, words = _many(30_000, 6_000)
    a_slice = 4 * ROWS_AT_ONCE * 6_000
    uses = (lambda: word_losses(parameters, words, 1), lambda: inspect_model(parameters, words))
    for use in uses:
        assert peak_bytes(use) < 2 * a_slice


def test_an_ensemble_is_the_mean_of_probabilities(corpus: Corpus) -> None:
    """Of three models, one of another block size, against torch; of one model it is the model itself."""
    sizes = (2, 2, 4)
    models = [
        init_parameters(
            TrainConfig(block_size=size, embedding_dim=4, hidden_neurons=12, init="normal", seed=seed),
            corpus.vocabulary_size,
        )
        for seed, size in enumerate(sizes)
    ]
    probabilities = []
    for parameters, size in zip(models, sizes, strict=True):
        examples = build_examples(corpus.dev, size)
        contexts = torch.tensor(examples.contexts.astype(np.int64))
        softmax = torch.softmax(forward(to_tensors(parameters, "cpu"), contexts).double(), dim=1)
        probabilities.append(
            softmax[torch.arange(len(contexts)), torch.tensor(examples.targets.astype(np.int64))]
        )
    expected = -torch.log(torch.stack(probabilities).mean(dim=0)).numpy()
    words = np.split(expected, np.cumsum(corpus.dev.lengths + 1)[:-1])
    found = ensemble_word_losses(models, corpus.dev)
    assert found == pytest.approx([word.sum() for word in words], abs=1e-4)
    assert ensemble_word_losses(models[:1], corpus.dev) == pytest.approx(
        word_losses(models[0], corpus.dev, 2), abs=1e-12
    )
