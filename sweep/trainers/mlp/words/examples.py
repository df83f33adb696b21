"""Build examples from words: contexts with their next symbols, in order or merged by context."""

import dataclasses

import numpy as np

from sweep.trainers.mlp.words.corpus import EncodedWords


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Contexts with their next symbols."""

    contexts: np.ndarray
    """Symbol indices, oldest first, padded with 0, shape (N, block_size)."""

    targets: np.ndarray
    """Next symbol, shape (N,)."""

    @property
    def nbytes(self) -> int:
        """Size of the arrays, in bytes."""
        return self.contexts.nbytes + self.targets.nbytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DistinctExamples:
    """Examples merged by equal context, for an exact loss over far fewer rows."""

    contexts: np.ndarray
    """Distinct contexts, shape (M, block_size)."""
    pair_context: np.ndarray
    """Row in ``contexts`` of each distinct (context, target) pair, in ascending order, shape (P,)."""
    pair_target: np.ndarray
    """Target of each pair, shape (P,)."""
    pair_count: np.ndarray
    """Number of occurrences of each pair, shape (P,)."""

    @property
    def nbytes(self) -> int:
        """Size of the arrays, in bytes."""
        return self.contexts.nbytes + 3 * self.pair_count.nbytes


def build_examples(words: EncodedWords, block_size: int) -> Examples:
    """Return one example for each symbol and each end mark, word by word.

    Each word is padded as ``block_size`` zeros, its symbols and one zero. Every position from the first
    symbol to the final zero is a target, and the ``block_size`` positions before it are its context.
    """
    starts = np.cumsum(words.lengths + block_size + 1) - (words.lengths + block_size + 1)
    word_of_symbol = np.repeat(np.arange(len(words.lengths)), words.lengths)
    symbols_before = np.cumsum(words.lengths) - words.lengths
    place_in_word = np.arange(len(words.symbols)) - symbols_before[word_of_symbol]
    stream = np.zeros(words.n_examples + block_size * len(words.lengths), words.symbols.dtype)
    stream[starts[word_of_symbol] + block_size + place_in_word] = words.symbols

    targets_in_word = words.lengths + 1
    word_of_target = np.repeat(np.arange(len(words.lengths)), targets_in_word)
    targets_before = np.cumsum(targets_in_word) - targets_in_word
    window = starts[word_of_target] + np.arange(words.n_examples) - targets_before[word_of_target]
    contexts = np.lib.stride_tricks.sliding_window_view(stream, block_size)[window]
    return Examples(contexts=contexts, targets=stream[window + block_size])


def merge_examples(examples: Examples) -> DistinctExamples:
    """Merge equal contexts and count their targets."""
    block_size = examples.contexts.shape[1]
    rows = np.column_stack([examples.contexts, examples.targets])
    _, first, counts = np.unique(_as_scalars(rows), return_index=True, return_counts=True)
    pairs = rows[first]
    contexts = pairs[:, :block_size]
    _, first, pair_context = np.unique(_as_scalars(contexts), return_index=True, return_inverse=True)
    return DistinctExamples(
        contexts=contexts[first],
        pair_context=pair_context,
        pair_target=pairs[:, block_size].astype(np.int64),
        pair_count=counts,
    )


def _as_scalars(rows: np.ndarray) -> np.ndarray:
    """View each row as one opaque scalar, for comparing and sorting whole rows."""
    return np.ascontiguousarray(rows).view(f"V{rows.shape[1] * rows.itemsize}").ravel()
