"""Compute the dev loss of models without gradient training, as baselines.

They are count tables with add-one smoothing: the probability of a character after a context of
``context_length`` characters is (count + 1) / (total + V). The training examples are sorted once for all
tables.

References:
    Jurafsky, Martin, "Speech and Language Processing", 3rd ed., section 3.6 (Laplace smoothing).
"""

import math
from collections.abc import Iterator

import numpy as np

from sweep.trainers.mlp.words.corpus import Corpus, EncodedWords
from sweep.trainers.mlp.words.examples import build_examples

BIGRAM = 1
"""Context length of a bigram table."""

LONGEST = 5
"""Longest context of the compared count tables."""

_WORDS_AT_ONCE = 65_536
"""Number of words whose examples are built at a time: some 10 MB for words of seven letters."""


def baselines(corpus: Corpus) -> dict[str, float]:
    """Return the baselines' losses: uniform, the bigram table, the best table of up to 5 characters."""
    tables = dict(enumerate(count_table_losses(corpus), start=BIGRAM))
    best = min(tables, key=lambda length: tables[length])
    found = {"uniform": uniform_loss(corpus), "bigram count table": tables[BIGRAM]}
    return found if best == BIGRAM else {**found, f"count table over {best} characters": tables[best]}


def uniform_loss(corpus: Corpus) -> float:
    """Return ln V, the loss of the uniform distribution, nats per character."""
    return math.log(corpus.vocabulary_size)


def count_table_losses(corpus: Corpus, longest: int = LONGEST) -> tuple[float, ...]:
    """Return the dev losses of count tables over 1 to ``longest`` characters, nats per character.

    For a large alphabet, contexts whose keys would not fit into 64 bits are omitted.
    """
    lengths = [n for n in range(1, longest + 1) if _fits(n, corpus.vocabulary_size)]
    examples = _SortedExamples(corpus, lengths[-1])
    return tuple(examples.loss(n) for n in lengths)


class _SortedExamples:
    """All train examples, sorted by (next, last, last but one, ...), for counting by prefix.

    A key is an integer with one base-V digit per character. The examples of a shorter context are the keys
    between two numbers, so two binary searches count them.
    """

    def __init__(self, corpus: Corpus, longest: int) -> None:
        """Sort the examples by their next character and the ``longest`` characters before it."""
        self._size, self._longest = corpus.vocabulary_size, longest
        self._n_words = len(corpus.train.lengths)
        self._train = _example_keys(corpus.train, longest, self._size)
        self._train.sort()
        dev = _example_keys(corpus.dev, longest, self._size)
        self._dev_order = np.argsort(dev)  # sorted needles make the searches ten times as fast
        self._dev = dev[self._dev_order]

    def loss(self, n: int) -> float:
        """Return the dev loss of the table over ``n`` characters, nats per character."""
        tail = self._size ** (self._longest - n)
        seen = self._count(self._dev // tail, n + 1)
        total = self._count_contexts(self._dev % self._size**self._longest // tail, n)
        return float(-np.log((self._in_order(seen) + 1) / (self._in_order(total) + self._size)).mean())

    def _count_contexts(self, contexts: np.ndarray, n: int) -> np.ndarray:
        """Return the number of train examples with each context of ``n`` characters, most recent first.

        The last character of a context is the target of the preceding example, so those examples are counted.
        Only the beginning of a word has no preceding example.
        """
        return np.where(contexts == 0, self._n_words, self._count(contexts, n))

    def _count(self, prefixes: np.ndarray, digits: int) -> np.ndarray:
        """Return the number of train keys that begin with each prefix of ``digits`` digits."""
        width = self._size ** (self._longest + 1 - digits)
        first = np.searchsorted(self._train, prefixes * width)
        after = np.searchsorted(self._train, (prefixes + 1) * width)
        return np.asarray(after - first)

    def _in_order(self, counts: np.ndarray) -> np.ndarray:
        """Return counts of the sorted dev examples in the order of the dev words."""
        found = np.empty_like(counts)
        found[self._dev_order] = counts
        return found


def _fits(context_length: int, size: int) -> bool:
    return bool(size ** (context_length + 1) < 2**63)


def _example_keys(words: EncodedWords, context_length: int, size: int) -> np.ndarray:
    """Return (next, last, last but one, ...) of each example as one integer, base V, shape (N,)."""
    assert _fits(context_length, size), "the key must fit a 64-bit integer"
    keys = np.empty(words.n_examples, np.int64)
    done = 0
    for part in _parts(words):
        examples, found = build_examples(part, context_length), keys[done : done + part.n_examples]
        found[:] = examples.targets
        for column in examples.contexts.T[::-1]:
            found *= size
            found += column
        done += part.n_examples
    return keys


def _parts(words: EncodedWords) -> Iterator[EncodedWords]:
    """Yield the words in order, ``_WORDS_AT_ONCE`` at a time."""
    begun = 0
    for start in range(0, len(words.lengths), _WORDS_AT_ONCE):
        lengths = words.lengths[start : start + _WORDS_AT_ONCE]
        ended = begun + int(lengths.sum())
        yield EncodedWords(symbols=words.symbols[begun:ended], lengths=lengths)
        begun = ended
