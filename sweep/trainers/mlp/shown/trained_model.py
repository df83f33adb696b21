"""Read a trained state: the words that it makes up, its embedding, what it has learned."""

from collections.abc import Sequence

import numpy as np

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.inspection import Inspection, inspect_model
from sweep.trainers.mlp.model import sample_ensemble
from sweep.trainers.mlp.state import TrainState, read_weights
from sweep.trainers.mlp.words.corpus import Corpus


def sampled_words(config: TrainConfig, data: Corpus, state: bytes, n: int, *, seed: int) -> list[str]:
    """Draw ``n`` words from a trained state; none is longer than twice the longest word read."""
    return sampled_by_ensemble(config, data, [state], n, seed=seed)


def sampled_by_ensemble(
    config: TrainConfig, data: Corpus, states: Sequence[bytes], n: int, *, seed: int
) -> list[str]:
    """Draw ``n`` words from the mean of the probabilities of several trained states, as ``sampled_words``."""
    models = [read_weights(state, config, data.vocabulary_size) for state in states]
    return sample_ensemble(models, data.vocabulary, n, seed, max_length=2 * data.facts.longest)


def embedding(config: TrainConfig, data: Corpus, state: bytes) -> np.ndarray:
    """Return the embedding of each symbol in a trained state, float32, shape (V, D)."""
    return TrainState.from_bytes(state, config, data.vocabulary_size).parameters["C"]


def inspection(config: TrainConfig, data: Corpus, state: bytes) -> Inspection:
    """Return what a trained state has learned, and where on dev it is bad."""
    return inspect_model(read_weights(state, config, data.vocabulary_size), data.dev)
