import numpy as np
import pytest
import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.inspection import group_means, inspect_model, positions
from sweep.trainers.mlp.model import init_parameters
from sweep.trainers.mlp.words.corpus import encode_words
from sweep.trainers.mlp.words.examples import build_examples

CONFIG = TrainConfig(block_size=3, embedding_dim=4, hidden_neurons=8)


def test_positions_count_the_end_mark_of_each_word():
    assert positions(np.array([3, 0, 1])).tolist() == [0, 1, 2, 3, 0, 0, 1]


def test_group_means_by_hand():
    """Groups without an example have no mean."""
    found = group_means(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 2]), groups=4)
    assert found.count.tolist() == [2, 0, 1, 0]
    assert found.mean[[0, 2]].tolist() == [2.0, 5.0]
    assert np.isnan(found.mean[[1, 3]]).all()


def test_losses_are_those_of_pytorch_one_example_at_a_time():
    """Cross entropy of each example, summed up by place and by next character."""
    vocabulary = (".", "a", "b", "c")
    words = ["ab", "c", "ab"]
    parameters = init_parameters(CONFIG, len(vocabulary))
    dev = encode_words(words, vocabulary)
    found = inspect_model(parameters, dev)

    examples = build_examples(dev, CONFIG.block_size)
    C, W1, b1, W2, b2 = (torch.tensor(parameters[name]) for name in ("C", "W1", "b1", "W2", "b2"))
    hidden = torch.tanh(C[torch.tensor(examples.contexts.astype(int))].flatten(1) @ W1 + b1)
    targets = torch.tensor(examples.targets.astype(int))
    losses = torch.nn.functional.cross_entropy(hidden @ W2 + b2, targets, reduction="none").numpy()
    # a b . c . a b .: the words' places are 0 1 2, 0 1, 0 1 2
    assert found.by_position.count.tolist() == [3, 3, 2]
    assert found.by_position.mean[0] == pytest.approx(losses[[0, 3, 5]].mean(), abs=1e-6)
    assert found.by_position.mean[2] == pytest.approx(losses[[2, 7]].mean(), abs=1e-6)
    assert found.by_character.count.tolist() == [3, 2, 2, 1]
    assert found.by_character.mean[0] == pytest.approx(losses[[2, 4, 7]].mean(), abs=1e-6)
    assert found.by_character.mean[3] == pytest.approx(losses[3], abs=1e-6)
    assert (found.embedding == parameters["C"]).all()
