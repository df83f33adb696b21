"""What a model without training reaches, against counting by hand."""

import collections
import dataclasses
import math
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.trainers.mlp.baselines import baselines, count_table_losses, uniform_loss
from sweep.trainers.mlp.words.corpus import (
    Corpus,
    CorpusFacts,
    EncodedWords,
    encode_words,
    load_corpus,
)
from sweep.trainers.mlp.words.examples import build_examples
from sweep.trainers.mlp.words.words_file import split_words


def counted_loss(words: list[str], context_length: int) -> float:
    """Return the dev loss of add-one-smoothed counts, with strings and dictionaries only."""
    train, dev, _ = split_words(words)
    symbols = {".", *"".join(words)}
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for context, following in transitions(train, context_length):
        counts[context][following] += 1
    losses = [
        -math.log((counts[context][following] + 1) / (counts[context].total() + len(symbols)))
        for context, following in transitions(dev, context_length)
    ]
    return math.fsum(losses) / len(losses)


def transitions(words: list[str], context_length: int) -> list[tuple[str, str]]:
    """Return each (the characters before, the character)."""
    found = []
    for word in words:
        padded = "." * context_length + word + "."
        found += [(padded[i - context_length : i], padded[i]) for i in range(context_length, len(padded))]
    return found


def tabulated_loss(corpus: Corpus, context_length: int) -> float:
    """Return the dev loss of one table that is made by itself, of whole rows, in float64."""
    train, dev = (
        [(*context, target) for context, target in zip(*rows_of(part, context_length), strict=True)]
        for part in (corpus.train, corpus.dev)
    )
    pairs, contexts = collections.Counter(train), collections.Counter(row[:-1] for row in train)
    seen, total = np.array([pairs[row] for row in dev]), np.array([contexts[row[:-1]] for row in dev])
    return float(-np.log((seen + 1) / (total + corpus.vocabulary_size)).mean())


def rows_of(words: EncodedWords, context_length: int) -> tuple[list[tuple[int, ...]], list[int]]:
    examples = build_examples(words, context_length)
    return [tuple(row) for row in examples.contexts.tolist()], examples.targets.tolist()


def corpus_of(train: list[str], dev: list[str]) -> Corpus:
    vocabulary = (".", *sorted(set("".join([*train, *dev]))))
    return Corpus(
        vocabulary=vocabulary,
        train=encode_words(train, vocabulary),
        dev=encode_words(dev, vocabulary),
        sha256="0" * 64,
        dedupe=False,
        facts=CorpusFacts(**dict.fromkeys(CorpusFacts.__dataclass_fields__, 0)),
    )


@pytest.mark.parametrize("context_length", [1, 2, 3])
def test_count_table_equals_counting_by_hand(context_length: int, words: list[str], corpus: Corpus) -> None:
    """Count tables of any context length give the loss of a naive count."""
    assert count_table_losses(corpus, context_length)[-1] == pytest.approx(
        counted_loss(words, context_length), abs=1e-12
    )


def test_contexts_never_seen_cost_the_uniform_loss(write_words: Callable[..., Path]) -> None:
    """A dev word of letters that train lacks: each step out of them costs ln V."""
    letters = [chr(ord("a") + i) for i in range(20)]
    corpus = load_corpus(write_words(letters))
    assert corpus.vocabulary_size == 21
    _, dev, _ = split_words(letters)
    first = -math.log(1 / (16 + 21))  # after "." train saw 16 words, none of them this letter
    assert len(dev) == 2
    assert count_table_losses(corpus)[0] == pytest.approx((first + math.log(21)) / 2, abs=1e-12)


def test_more_than_a_byte_of_symbols(write_words: Callable[..., Path]) -> None:
    """Above 255 symbols the keys of a table are still told apart."""
    words = [chr(0x4E00 + i) + chr(0x4E00 + (7 * i) % 300) for i in range(300)]
    corpus = load_corpus(write_words(words))
    assert corpus.vocabulary_size == 301
    assert count_table_losses(corpus, 3)[-1] == pytest.approx(counted_loss(words, 3), abs=1e-12)


def test_uniform_loss_is_that_of_the_alphabet(corpus: Corpus) -> None:
    """The forty words have V symbols with the end mark, and ln V is the loss of knowing nothing."""
    assert uniform_loss(corpus) == pytest.approx(math.log(len(corpus.vocabulary)))


def test_makemore_baselines(makemore: Path) -> None:
    """On the field's list: uniform 3.296, bigram 2.453, three characters 2.195 nats per character."""
    corpus = load_corpus(makemore)
    assert uniform_loss(corpus) == pytest.approx(3.296, abs=5e-4)
    bigram, _, trigram = count_table_losses(corpus, 3)
    assert bigram == pytest.approx(2.453, abs=1e-3)
    assert trigram == pytest.approx(2.195, abs=1e-3)


def test_what_must_be_beaten_is_the_best_of_each_kind(corpus: Corpus) -> None:
    """Uniform, the bigram table, and the best table of up to five characters where that is another."""
    found = baselines(corpus)
    assert found["uniform"] == uniform_loss(corpus)
    assert found["bigram count table"] == count_table_losses(corpus)[0]
    assert min(found.values()) == min(*count_table_losses(corpus), uniform_loss(corpus))


def test_tables_go_as_far_as_their_keys_fit(corpus: Corpus, write_words: Callable[..., Path]) -> None:
    """Five lengths for a small alphabet; of 2,001 symbols six no longer fit 64 bits, so four lengths."""
    tables = count_table_losses(corpus)
    assert tables == tuple(count_table_losses(corpus, length)[-1] for length in (1, 2, 3, 4, 5))
    large = load_corpus(write_words([chr(0x4E00 + i) for i in range(2_000)], "large.txt"))
    assert large.vocabulary_size == 2_001
    assert len(count_table_losses(large)) == 4


WORD_LISTS = st.lists(st.text("ab\u00e9\u4e00", min_size=1, max_size=9), min_size=1, max_size=30)


@given(train=WORD_LISTS, dev=WORD_LISTS)
@settings(deadline=None)
def test_tables_of_one_order_equal_tables_made_one_by_one(train: list[str], dev: list[str]) -> None:
    """All five losses, bit for bit, also of contexts that train lacks and of beginnings of words."""
    corpus = corpus_of(train, dev)
    assert count_table_losses(corpus) == tuple(tabulated_loss(corpus, n) for n in (1, 2, 3, 4, 5))


def test_tables_of_real_words_are_those_made_one_by_one(
    names_file: Path, write_words: Callable[..., Path]
) -> None:
    """On words of the project's own list the five losses are the same, bit for bit."""
    corpus = load_corpus(write_words(names_file.read_text().split()[:3_000]))
    assert count_table_losses(corpus) == tuple(tabulated_loss(corpus, n) for n in (1, 2, 3, 4, 5))


def test_words_laid_out_part_by_part_are_counted_as_one(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses do not depend on how many words are laid out at a time."""
    at_once = count_table_losses(corpus)
    for words in (1, 3, len(corpus.train.lengths)):
        monkeypatch.setattr("sweep.trainers.mlp.baselines._WORDS_AT_ONCE", words)
        assert count_table_losses(corpus) == at_once


def test_tables_of_many_words_take_little_beside_their_keys() -> None:
    """A million examples need less than 40 MB at their peak: a key for each, and some of the layout."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 12, 150_000)
    words = EncodedWords(symbols=rng.integers(1, 27, lengths.sum(), dtype=np.uint8), lengths=lengths)
    dev = EncodedWords(symbols=words.symbols[: lengths[:100].sum()], lengths=lengths[:100])
    corpus = dataclasses.replace(corpus_of(["abcdefghijklmnopqrstuvwxyz"], ["a"]), train=words, dev=dev)
    assert words.n_examples > 1_000_000
    tracemalloc.start()
    count_table_losses(corpus)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6
