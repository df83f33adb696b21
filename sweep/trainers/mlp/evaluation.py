"""Compute the exact loss of a model on a split.

Equal contexts have equal logits, so the loss over all examples is a weighted sum over the distinct contexts,
which are far fewer than the examples.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from sweep.trainers.mlp.model import forward, to_tensors
from sweep.trainers.mlp.words.corpus import EncodedWords
from sweep.trainers.mlp.words.examples import DistinctExamples, build_examples

ROWS_AT_ONCE = 4_096
"""Number of contexts per matrix product; fixed, because rounding may depend on it."""

_NORMALISED_AT_ONCE = 256
"""Number of these rows that are normalised at a time; each row is normalised independently."""


@torch.inference_mode()
def split_loss(parameters: dict[str, np.ndarray], examples: DistinctExamples, device: str = "cpu") -> float:
    """Return the mean negative log-likelihood over all examples, in nats per character.

    Logits are float32; the weighted sum is float64, in a fixed order.
    """
    total = -(pair_log_likelihoods(parameters, examples, device) * examples.pair_count).sum()
    return float(total / examples.pair_count.sum())


@torch.inference_mode()
def pair_log_likelihoods(
    parameters: dict[str, np.ndarray], examples: DistinctExamples, device: str = "cpu"
) -> np.ndarray:
    """Return log p(target | context) of each distinct pair, float64, shape (P,).

    No more than ``ROWS_AT_ONCE`` rows of V logits exist at a time, however many contexts there are.
    """
    pairs = np.empty(len(examples.pair_target))
    target = torch.from_numpy(examples.pair_target)
    for first, log_p in _log_probabilities(to_tensors(parameters, device), examples.contexts):
        own = slice(*np.searchsorted(examples.pair_context, [first, first + len(log_p)]))
        row = torch.from_numpy(examples.pair_context[own] - first)
        pairs[own] = log_p[row, target[own]].double().cpu().numpy()
    return pairs


def _log_probabilities(
    tensors: dict[str, torch.Tensor], contexts: np.ndarray
) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield log p (R, V) for R of the contexts (N, T) at a time, with the index of the first.

    All are written to one tensor, because many large temporary tensors would fragment the heap.
    """
    room = tensors["b2"].new_empty((_NORMALISED_AT_ONCE, len(tensors["b2"])))
    for first in range(0, len(contexts), ROWS_AT_ONCE):
        rows = torch.from_numpy(contexts[first : first + ROWS_AT_ONCE].astype(np.int32))
        logits = forward(tensors, rows.to(room.device))
        for start in range(0, len(logits), _NORMALISED_AT_ONCE):
            some = logits[start : start + _NORMALISED_AT_ONCE]
            yield first + start, torch.log_softmax(some, dim=1, out=room[: len(some)])
        del logits, some  # before the next ones are computed


def word_losses(parameters: dict[str, np.ndarray], words: EncodedWords, block_size: int) -> np.ndarray:
    """Return each word's summed negative log-likelihood, including its end mark, in nats, shape (W,).

    Divided by ``words.lengths + 1``, it is the word's loss per character; the sum over all words divided by
    the sum of these lengths is ``split_loss``.
    """
    return -_summed_by_word(pair_log_likelihoods(parameters, _one_by_one(words, block_size)), words)


def ensemble_word_losses(models: Sequence[dict[str, np.ndarray]], words: EncodedWords) -> np.ndarray:
    """Return what ``word_losses`` does, for the mean of the probabilities that several models predict.

    Args:
        models: Parameters of each; its block size follows from their shapes.
        words: Words of the same alphabet.
    """
    log_p = [pair_log_likelihoods(model, _one_by_one(words, block_size_of(model))) for model in models]
    return -_summed_by_word(np.logaddexp.reduce(log_p, axis=0) - np.log(len(models)), words)


def block_size_of(parameters: dict[str, np.ndarray]) -> int:
    """Return the block size of a model."""
    return int(parameters["W1"].shape[0] // parameters["C"].shape[1])


def _one_by_one(words: EncodedWords, block_size: int) -> DistinctExamples:
    """Return every example of some words as a pair of its own, in order."""
    examples = build_examples(words, block_size)
    return DistinctExamples(
        contexts=examples.contexts,
        pair_context=np.arange(len(examples.targets)),
        pair_target=examples.targets.astype(np.int64),
        pair_count=np.ones(len(examples.targets), np.int64),
    )


def _summed_by_word(log_p: np.ndarray, words: EncodedWords) -> np.ndarray:
    """Return the sum over the examples of each word, shape (W,)."""
    first = np.cumsum(words.lengths + 1) - (words.lengths + 1)
    summed: np.ndarray = np.add.reduceat(log_p, first)
    return summed
