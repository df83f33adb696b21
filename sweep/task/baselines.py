"""What does a model without training reach?

Count tables with add-one smoothing: the probability of a character after the ``context_length``
characters before it is (count + 1) / (total + V).

References:
    Jurafsky, Martin, "Speech and Language Processing", 3rd ed., section 3.6 (Laplace smoothing).
"""

import math

import numpy as np

from sweep.task.corpus import Corpus, EncodedWords, build_examples

BIGRAM = 1
"""Context length of a bigram table."""

LONGEST = 5
"""Longest context of the count tables that are compared."""


def baselines(corpus: Corpus) -> dict[str, float]:
    """Return what a model must beat: uniform, the bigram table, the best table of up to 5 characters."""
    tables = dict(enumerate(count_table_losses(corpus), start=BIGRAM))
    best = min(tables, key=lambda length: tables[length])
    found = {"uniform": uniform_loss(corpus), "bigram count table": tables[BIGRAM]}
    return found if best == BIGRAM else {**found, f"count table over {best} characters": tables[best]}


def uniform_loss(corpus: Corpus) -> float:
    """Return ln V, the loss of giving every symbol the same probability, nats per character."""
    return math.log(corpus.vocabulary_size)


def count_table_loss(corpus: Corpus, context_length: int = BIGRAM) -> float:
    """Return the dev loss of a count table made on train, nats per character.

    Args:
        corpus: Train and dev parts.
        context_length: Characters looked at, 0 (unigram) or more.
    """
    size = corpus.vocabulary_size
    keys = [_pair_keys(words, context_length, size) for words in (corpus.train, corpus.dev)]
    pairs, pair_counts = np.unique(keys[0], return_counts=True)
    contexts, context_counts = np.unique(keys[0] // size, return_counts=True)
    seen = _look_up(pairs, pair_counts, keys[1])
    total = _look_up(contexts, context_counts, keys[1] // size)
    return float(-np.log((seen + 1) / (total + size)).mean())


def count_table_losses(corpus: Corpus, longest: int = LONGEST) -> tuple[float, ...]:
    """Return the dev losses of count tables over 1 to ``longest`` characters, nats per character.

    A large alphabet ends earlier, where a table's keys would no longer fit 64 bits.
    """
    lengths = [n for n in range(1, longest + 1) if _fits(n, corpus.vocabulary_size)]
    return tuple(count_table_loss(corpus, n) for n in lengths)


def _fits(context_length: int, size: int) -> bool:
    return bool(size ** (context_length + 1) < 2**63)


def _pair_keys(words: EncodedWords, context_length: int, size: int) -> np.ndarray:
    """Return each (context, next) as one whole number, base V, shape (N,)."""
    assert _fits(context_length, size), "the key must fit a 64-bit integer"
    examples = build_examples(words, max(context_length, 1))
    keys = np.zeros(words.n_examples, np.int64)
    for column in (*examples.contexts.T[:context_length], examples.targets):
        keys *= size
        keys += column
    return keys


def _look_up(keys: np.ndarray, counts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the count of each wanted key, 0 where it is not among ``keys`` (sorted)."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, counts[place], 0)
