"""Compute what a trained model has learned and where its loss is high.

These are numbers for figures and tables; nothing is drawn here.
"""

import dataclasses

import numpy as np

from sweep.trainers.mlp.evaluation import pair_log_likelihoods
from sweep.trainers.mlp.words.corpus import EncodedWords
from sweep.trainers.mlp.words.examples import DistinctExamples, build_examples


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MeanLosses:
    """Dev loss of groups of examples, nats per character."""

    mean: np.ndarray
    """Mean loss of each group, NaN for an empty group, float64, shape (G,)."""
    count: np.ndarray
    """Number of examples of each group, int64, shape (G,)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Facts about a trained model, as plain arrays."""

    embedding: np.ndarray
    """Row k is the embedding of symbol k, float32, shape (V, D)."""
    by_position: MeanLosses
    """Group k: the character at position k of a dev word, from 0, including the end mark."""
    by_character: MeanLosses
    """Group k: the next character is symbol k."""


def inspect_model(parameters: dict[str, np.ndarray], dev: EncodedWords) -> Inspection:
    """Evaluate a model on every example of the dev words, one by one.

    Args:
        parameters: Trained parameters; their shapes determine the block size.
        dev: The dev part.
    """
    embedding = parameters["C"]
    block_size = parameters["W1"].shape[0] // embedding.shape[1]
    examples = build_examples(dev, block_size)
    one_by_one = DistinctExamples(
        contexts=examples.contexts,
        pair_context=np.arange(len(examples.targets)),
        pair_target=examples.targets.astype(np.int64),
        pair_count=np.ones(len(examples.targets), np.int64),
    )
    losses = -pair_log_likelihoods(parameters, one_by_one)
    return Inspection(
        embedding=embedding,
        by_position=group_means(losses, positions(dev.lengths)),
        by_character=group_means(losses, one_by_one.pair_target, groups=len(embedding)),
    )


def positions(lengths: np.ndarray) -> np.ndarray:
    """Return each example's position in its word, for words of the given lengths without end marks.

    Examples:
        >>> positions(np.array([2, 1])).tolist()
        [0, 1, 2, 0, 1]
    """
    counts = lengths + 1
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places: np.ndarray = np.arange(counts.sum()) - first
    return places


def group_means(losses: np.ndarray, group: np.ndarray, groups: int = 0) -> MeanLosses:
    """Return the mean loss and size of each group.

    Args:
        losses: Loss of each example, shape (N,).
        group: Index of each example's group, from 0, shape (N,).
        groups: Smallest number of groups to return.
    """
    count = np.bincount(group, minlength=groups)
    total = np.bincount(group, weights=losses, minlength=groups)
    with np.errstate(invalid="ignore"):
        return MeanLosses(mean=total / count, count=count)
