"""Compute sampled words, embedding and inspection from a trained state."""

from collections.abc import Sequence

import numpy as np

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.inspection import Inspection, inspect_model
from sweep.trainers.mlp.model import sample_ensemble
from sweep.trainers.mlp.state import TrainState, read_weights
from sweep.trainers.mlp.words.corpus import Corpus


def sampled_words(config: TrainConfig, data: Corpus, state: bytes, n: int, *, seed: int) -> list[str]:
    """Sample ``n`` words from a trained state, each at most twice as long as the longest word of the data."""
    return sampled_by_ensemble(config, data, [state], n, seed=seed)


def sampled_by_ensemble(
    config: TrainConfig, data: Corpus, states: Sequence[bytes], n: int, *, seed: int
) -> list[str]:
    """Sample ``n`` words from the mean probabilities of several trained states; see ``sampled_words``."""
    models = [read_weights(state, config, data.vocabulary_size) for state in states]
    return sample_ensemble(models, data.vocabulary, n, seed, max_length=2 * data.facts.longest)


def embedding(config: TrainConfig, data: Corpus, state: bytes) -> np.ndarray:
    """Return the embedding of each symbol in a trained state, float32, shape (V, D)."""
    return TrainState.from_bytes(state, config, data.vocabulary_size).parameters["C"]


def inspection(config: TrainConfig, data: Corpus, state: bytes) -> Inspection:
    """Return what a trained state has learned, and its losses by position and character on dev."""
    return inspect_model(read_weights(state, config, data.vocabulary_size), data.dev)
