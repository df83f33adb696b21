"""Load a words file into a corpus: vocabulary, splits and encoded words.

Words are used as written, including case and accents. ``.`` is index 0 and marks both ends of a word; the
characters follow in sorted order from 1. A ``Corpus`` contains only the train and dev parts.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from sweep.errors import DataError
from sweep.trainers.mlp.randomness import generator
from sweep.trainers.mlp.words.spelling import Spelling, normalized, unusual_spellings
from sweep.trainers.mlp.words.words_file import Dedupe, WordList, read_words, split_words

MAX_SYMBOLS = 65_536
"""Most symbols, including the end mark: an index has at most two bytes."""

BYTE_SYMBOLS = 256


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EncodedWords:
    """Words as symbol indices, without end marks."""

    symbols: np.ndarray
    """Symbols of all words, concatenated, from 1, uint8 (uint16 above 255 symbols), shape (S,)."""

    lengths: np.ndarray
    """Number of symbols of each word, int64, shape (W,)."""

    @property
    def n_examples(self) -> int:
        """Number of examples for any block size: one for each symbol and one for each end mark."""
        return len(self.symbols) + len(self.lengths)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFacts:
    """Facts about the words that a run reports."""

    words: int
    distinct: int
    repeats_left_out: int
    symbols: int
    """Size of the vocabulary, including the end mark."""
    longest: int
    examples_train: int
    examples_dev: int
    examples_test: int
    dev_words: int
    dev_words_in_train: int
    """Number of dev words that also occur in train, compared by ``spelling.normalized``."""
    spellings: tuple[Spelling, ...] = ()
    """Kinds of unusual spelling that occur in the list."""

    def sentence(self) -> str:
        """Return the facts as one line of text."""
        dropped = f" ({self.repeats_left_out:,} repeats removed)" if self.repeats_left_out else ""
        return (
            f"{self.words:,} words{dropped}, {self.distinct:,} distinct, {self.symbols} symbols, "
            f"longest {self.longest}; examples {self.examples_train:,} train, "
            f"{self.examples_dev:,} dev, {self.examples_test:,} test; "
            f"{self.dev_words_in_train:,} of {self.dev_words:,} dev words also occur in train"
            f"{self._unusual()}"
        )

    def _unusual(self) -> str:
        return "; spelling: " + ", ".join(map(str, self.spellings)) if self.spellings else ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Vocabulary, train part and dev part of a words file, without the test part."""

    vocabulary: tuple[str, ...]
    """Symbols by index; index 0 is the end mark ``.``."""
    train: EncodedWords
    dev: EncodedWords
    sha256: str
    """Hash of the words file, 64 hex digits."""
    dedupe: Dedupe
    facts: CorpusFacts
    cut: int = 0
    """Number of ``resplit_corpus``; 0 for the cut of the words file."""

    @property
    def vocabulary_size(self) -> int:
        """Number of symbols V, including the end mark."""
        return len(self.vocabulary)

    def describe(self) -> str:
        """Return the facts as one line."""
        return self.facts.sentence()


def load_corpus(path: Path | str, *, dedupe: Dedupe = False) -> Corpus:
    """Read a words file into its vocabulary, train and dev parts.

    Args:
        path: UTF-8 text, one word per line. A byte order mark and CRLF line ends are accepted.
        dedupe: Whether to keep only the first of equal words, before the split; ``normalized`` compares words
            by ``spelling.normalized``.

    Raises:
        DataError: If the file is missing, empty, not UTF-8, has fewer than 10 words, an empty
            line, a control character or a ``.``.
    """
    listed = read_words(path, dedupe)
    train, dev, test = split_words(listed.words)
    vocabulary = (".", *sorted(set("".join(listed.words))))
    if len(vocabulary) > MAX_SYMBOLS:
        raise DataError(
            f"{path}: at most {MAX_SYMBOLS:,} distinct symbols are supported, got {len(vocabulary):,}"
        )
    return Corpus(
        vocabulary=vocabulary,
        train=encode_words(train, vocabulary),
        dev=encode_words(dev, vocabulary),
        sha256=listed.sha256,
        dedupe=dedupe,
        facts=_facts(listed, (train, dev, test), symbols=len(vocabulary)),
    )


def resplit_corpus(corpus: Corpus, number: int) -> Corpus:
    """Return a corpus whose train and dev parts are shuffled together and cut again, with the same sizes.

    Args:
        corpus: Train and dev as the words file has them; its test part took no part and takes none.
        number: Of the cut, from 1; equal numbers give equal cuts.
    """
    assert corpus.cut == 0, "a cut is made of the words file's own"
    words = [w for part in (corpus.train, corpus.dev) for w in decode_words(part, corpus.vocabulary)]
    shuffled = [words[place] for place in generator(number, "resplit").permutation(len(words))]
    first = len(corpus.train.lengths)
    train, dev = (encode_words(part, corpus.vocabulary) for part in (shuffled[:first], shuffled[first:]))
    in_train = set(map(normalized, shuffled[:first]))
    facts = dataclasses.replace(
        corpus.facts,
        examples_train=train.n_examples,
        examples_dev=dev.n_examples,
        dev_words_in_train=sum(normalized(word) in in_train for word in shuffled[first:]),
    )
    return dataclasses.replace(corpus, train=train, dev=dev, facts=facts, cut=number)


def _facts(listed: WordList, split: tuple[list[str], list[str], list[str]], *, symbols: int) -> CorpusFacts:
    """Compute the facts of a word list."""
    words, (train, dev, test) = listed.words, split
    spellings = unusual_spellings(words, listed.lines)
    form = normalized if spellings else str  # without unusual spellings, each word equals its normalized form
    in_train = set(map(form, train))
    return CorpusFacts(
        words=len(words),
        distinct=len(set(words)),
        repeats_left_out=listed.left_out,
        symbols=symbols,
        longest=max(map(len, words)),
        examples_train=sum(map(len, train)) + len(train),
        examples_dev=sum(map(len, dev)) + len(dev),
        examples_test=sum(map(len, test)) + len(test),
        dev_words=len(dev),
        dev_words_in_train=sum(form(word) in in_train for word in dev),
        spellings=spellings,
    )


def encode_words(words: Iterable[str], vocabulary: Sequence[str]) -> EncodedWords:
    """Encode words as symbol indices; every character must be in the vocabulary."""
    index = {symbol: position for position, symbol in enumerate(vocabulary)}
    words = list(words)
    dtype = np.uint8 if len(vocabulary) <= BYTE_SYMBOLS else np.uint16
    symbols = np.fromiter((index[character] for word in words for character in word), dtype)
    lengths = np.fromiter(map(len, words), np.int64)
    return EncodedWords(symbols=symbols, lengths=lengths)


def decode_words(words: EncodedWords, vocabulary: Sequence[str]) -> list[str]:
    """Decode symbol indices into words.

    Examples:
        >>> decode_words(encode_words(["ab", "b"], (".", "a", "b")), (".", "a", "b"))
        ['ab', 'b']
    """
    code_points = np.array([ord(symbol) for symbol in vocabulary], "<u4")
    text = code_points[words.symbols].tobytes().decode("utf-32-le")
    ends = np.cumsum(words.lengths).tolist()
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
