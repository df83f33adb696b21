"""Words files, splits and examples, against naive loops and the known facts of the data."""

import dataclasses
import hashlib
import pickle
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.errors import DataError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import (
    Corpus,
    EncodedWords,
    decode_words,
    encode_words,
    load_corpus,
    resplit_corpus,
)
from sweep.trainers.mlp.words.examples import build_examples, merge_examples
from sweep.trainers.mlp.words.spelling import normalized
from sweep.trainers.mlp.words.words_file import load_test_words, split_words

WriteWords = Callable[..., Path]

# The oracles below read, split and window words in the plainest way; they share no code with sweep.


def shuffled(items: Sequence[Any]) -> list[Any]:
    items = list(items)
    random.Random(42).shuffle(items)  # noqa: S311  the split that the field uses
    return items


def naive_split(path: Path) -> tuple[list[str], list[str], list[str]]:
    words = shuffled(path.read_text(encoding="utf-8").splitlines())
    n = len(words)
    return words[: int(0.8 * n)], words[int(0.8 * n) : int(0.9 * n)], words[int(0.9 * n) :]


def naive_examples(
    words: list[str], vocabulary: list[str], block_size: int
) -> list[tuple[tuple[int, ...], int]]:
    examples = []
    for word in words:
        context = [0] * block_size
        for character in [*word, "."]:
            target = vocabulary.index(character)
            examples.append((tuple(context), target))
            context = [*context[1:], target]
    return examples


def naive_distinct_contexts(words: list[str], block_size: int) -> int:
    padded = ["." * block_size + word for word in words]
    return len({text[i : i + block_size] for text in padded for i in range(len(text) - block_size + 1)})


def as_pairs(contexts: np.ndarray, targets: np.ndarray) -> list[tuple[tuple[int, ...], int]]:
    return [(tuple(c), t) for c, t in zip(contexts.tolist(), targets.tolist(), strict=True)]


def texts(part: EncodedWords, vocabulary: tuple[str, ...]) -> list[str]:
    ends = np.cumsum(part.lengths)
    starts = ends - part.lengths
    symbols = part.symbols.tolist()
    return [
        "".join(vocabulary[i] for i in symbols[a:b])
        for a, b in zip(starts.tolist(), ends.tolist(), strict=True)
    ]


@pytest.fixture(scope="module")
def makemore_corpus(makemore: Path) -> Corpus:
    return load_corpus(makemore)


@pytest.fixture(scope="module")
def names_corpus(names_file: Path) -> Corpus:
    return load_corpus(names_file)


class TestMakemore:
    def test_hash_is_that_of_the_known_file(self, makemore_corpus: Corpus) -> None:
        """The corpus carries the sha256 of the file itself."""
        assert makemore_corpus.sha256.startswith("0a30b555")
        assert makemore_corpus.sha256.endswith("ea8cc4d")

    def test_counts_are_the_known_ones(self, makemore_corpus: Corpus) -> None:
        """Words, distinct words, symbols and examples are the figures of the field."""
        facts = makemore_corpus.facts
        assert (facts.words, facts.distinct, facts.symbols) == (32_033, 29_494, 27)
        assert (facts.examples_train, facts.examples_dev, facts.examples_test) == (182_625, 22_655, 22_866)
        assert (facts.longest, facts.repeats_left_out) == (15, 0)
        assert makemore_corpus.vocabulary == tuple(".abcdefghijklmnopqrstuvwxyz")

    def test_dev_and_test_words_that_stand_in_train_are_counted(
        self, makemore: Path, makemore_corpus: Corpus
    ) -> None:
        """424 of 3,203 dev words and 377 of 3,204 test words are train words too."""
        assert (makemore_corpus.facts.dev_words_in_train, makemore_corpus.facts.dev_words) == (424, 3_203)
        train = set(texts(makemore_corpus.train, makemore_corpus.vocabulary))
        test = load_test_words(makemore)
        assert (sum(word in train for word in test), len(test)) == (377, 3_204)

    @pytest.mark.parametrize(("block_size", "distinct"), [(2, 595), (3, 5_438), (4, 20_243), (8, 50_457)])
    def test_distinct_training_contexts_are_the_known_ones(
        self, makemore_corpus: Corpus, block_size: int, distinct: int
    ) -> None:
        """Merging leaves the known number of contexts, and every example is counted once."""
        merged = merge_examples(build_examples(makemore_corpus.train, block_size))
        assert merged.contexts.shape == (distinct, block_size)
        assert merged.pair_count.sum() == 182_625

    def test_examples_are_as_many_at_every_block_size(self, makemore_corpus: Corpus) -> None:
        """The number of examples does not depend on the block size."""
        for block_size in (1, 5):
            assert len(build_examples(makemore_corpus.train, block_size).targets) == 182_625
            assert len(build_examples(makemore_corpus.dev, block_size).targets) == 22_655

    def test_describe_says_what_was_read(self, makemore_corpus: Corpus) -> None:
        """The line shown to the user has the figures in it."""
        line = makemore_corpus.describe()
        for figure in ("32,033 words", "29,494 distinct", "27 symbols", "longest 15", "182,625", "22,866"):
            assert figure in line
        assert "424 of 3,203 dev words" in line
        assert "\n" not in line


class TestNames:
    def test_facts_equal_those_of_a_naive_count(self, names_file: Path, names_corpus: Corpus) -> None:
        """The list that ships has 32,257 words, and all its facts agree with plain counting."""
        train, dev, test = naive_split(names_file)
        everything = [*train, *dev, *test]
        facts = names_corpus.facts
        assert facts.words == len(everything) == 32_257
        assert facts.distinct == len(set(everything))
        assert facts.symbols == len({*"".join(everything), "."})
        assert facts.longest == len(max(everything, key=len))
        for count, part in (
            (facts.examples_train, train),
            (facts.examples_dev, dev),
            (facts.examples_test, test),
        ):
            assert count == sum(len(word) + 1 for word in part)
        assert facts.dev_words == len(dev)
        trained = set(train)
        assert facts.dev_words_in_train == len([word for word in dev if word in trained])

    def test_parts_hold_the_words_of_a_naive_split(self, names_file: Path, names_corpus: Corpus) -> None:
        """Train, dev and test words are those of shuffling with seed 42 and cutting at 80 and 90 %."""
        train, dev, test = naive_split(names_file)
        assert texts(names_corpus.train, names_corpus.vocabulary) == train
        assert texts(names_corpus.dev, names_corpus.vocabulary) == dev
        assert load_test_words(names_file) == test

    @pytest.mark.parametrize("block_size", [1, 3, 8])
    def test_distinct_contexts_equal_a_naive_count(
        self, names_file: Path, names_corpus: Corpus, block_size: int
    ) -> None:
        """Merging finds exactly the contexts that slicing the padded words finds."""
        train, _, _ = naive_split(names_file)
        merged = merge_examples(build_examples(names_corpus.train, block_size))
        assert len(merged.contexts) == naive_distinct_contexts(train, block_size)


class TestExamples:
    def test_emma_gives_the_contexts_written_by_hand(self) -> None:
        """The word emma gives five examples, the last one predicting the end mark."""
        examples = build_examples(encode_words(["emma"], ".aem"), 3)
        assert examples.contexts.tolist() == [[0, 0, 0], [0, 0, 2], [0, 2, 3], [2, 3, 3], [3, 3, 1]]
        assert examples.targets.tolist() == [2, 3, 3, 1, 0]

    @given(
        words=st.lists(st.text("abc", min_size=1, max_size=7), min_size=1, max_size=12),
        block_size=st.integers(1, 9),
    )
    @settings(max_examples=60, deadline=None)
    def test_examples_equal_those_of_a_naive_loop(self, words: list[str], block_size: int) -> None:
        """Any words at any block size give the naive loop's examples, in its order."""
        examples = build_examples(encode_words(words, ".abc"), block_size)
        assert as_pairs(examples.contexts, examples.targets) == naive_examples(
            words, list(".abc"), block_size
        )

    @pytest.mark.parametrize("block_size", [1, 2, 5])
    def test_one_letter_words_give_two_examples_each(self, block_size: int) -> None:
        """A word of one letter predicts the letter and then the end."""
        examples = build_examples(encode_words(["a", "b"], ".ab"), block_size)
        empty = [0] * block_size
        assert examples.contexts.tolist() == [empty, [*empty[1:], 1], empty, [*empty[1:], 2]]
        assert examples.targets.tolist() == [1, 0, 2, 0]

    def test_more_than_255_symbols_are_kept_apart(self) -> None:
        """A vocabulary of 401 symbols is held in uint16 and gives the naive examples."""
        alphabet = [chr(0x4E00 + i) for i in range(400)]
        vocabulary = [".", *alphabet]
        words = ["".join(alphabet[i : i + 5]) for i in range(0, 400, 5)]
        encoded = encode_words(words, vocabulary)
        assert encoded.symbols.dtype == np.uint16
        examples = build_examples(encoded, 4)
        assert as_pairs(examples.contexts, examples.targets) == naive_examples(words, vocabulary, 4)
        merged = merge_examples(examples)
        assert len(merged.contexts) == len({c for c, _ in naive_examples(words, vocabulary, 4)})

    @pytest.mark.parametrize(("symbols", "dtype"), [(255, np.uint8), (256, np.uint16)])
    def test_a_byte_is_used_as_long_as_it_suffices(self, symbols: int, dtype: type) -> None:
        """255 symbols beside the end mark fit a byte, 256 do not."""
        alphabet = [chr(0x4E00 + i) for i in range(symbols)]
        encoded = encode_words(alphabet, [".", *alphabet])
        assert encoded.symbols.dtype == dtype
        assert encoded.symbols.tolist() == list(range(1, symbols + 1))

    @given(
        words=st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=20),
        block_size=st.integers(1, 4),
    )
    @settings(max_examples=60, deadline=None)
    def test_merging_keeps_every_example_once(self, words: list[str], block_size: int) -> None:
        """Contexts are distinct, and the pair counts are those of a Counter."""
        merged = merge_examples(build_examples(encode_words(words, ".ab"), block_size))
        expected = Counter(naive_examples(words, list(".ab"), block_size))
        contexts = [tuple(row) for row in merged.contexts.tolist()]
        assert len(set(contexts)) == len(contexts)
        pairs = zip(
            merged.pair_context.tolist(), merged.pair_target.tolist(), merged.pair_count.tolist(), strict=True
        )
        assert {(contexts[c], t): n for c, t, n in pairs} == dict(expected)


class TestReading:
    def test_facts_of_a_small_list_are_those_counted_by_hand(self, write_words: WriteWords) -> None:
        """Ten words: eight train, one dev, one test, each letter and each end an example."""
        corpus = load_corpus(write_words(["ab", "ab", "c", "d", "e", "f", "g", "h", "i", "jjjj"]))
        facts = corpus.facts
        assert (facts.words, facts.distinct, facts.symbols, facts.longest) == (10, 9, 11, 4)
        assert facts.examples_train + facts.examples_dev + facts.examples_test == 15 + 10
        assert (len(corpus.train.lengths), len(corpus.dev.lengths), facts.dev_words) == (8, 1, 1)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda text: text.replace("\n", "\r\n"), id="crlf"),
            pytest.param(lambda text: "\ufeff" + text, id="byte order mark"),
            pytest.param(lambda text: text.rstrip("\n"), id="no newline at the end"),
            pytest.param(lambda text: text + "\n\n", id="blank lines at the end"),
            pytest.param(lambda text: "\ufeff" + text.replace("\n", "\r\n") + "\r\n", id="all of it"),
        ],
    )
    def test_line_ends_and_marks_do_not_change_what_is_read(
        self, words: list[str], write_words: WriteWords, change: Callable[[str], str]
    ) -> None:
        """The same words in another editor's format give the same corpus, but for the hash."""
        plain = load_corpus(write_words(words, "plain.txt"))
        raw = change("\n".join(words) + "\n").encode()
        other = load_corpus(write_words(raw, "other.txt"))
        assert other.vocabulary == plain.vocabulary
        assert other.facts == plain.facts
        for split in ("train", "dev"):
            np.testing.assert_array_equal(getattr(other, split).symbols, getattr(plain, split).symbols)
            np.testing.assert_array_equal(getattr(other, split).lengths, getattr(plain, split).lengths)
        assert other.sha256 == hashlib.sha256(raw).hexdigest() != plain.sha256

    def test_words_are_taken_as_they_stand(self, write_words: WriteWords) -> None:
        """Case, accents, emoji, spaces and U+2028 are symbols like any other, in sorted order."""
        words = ["Zoë", "zoe", "😀", "a b", "x\u2028y", "Ñ", "n\u0303", "-", "'", "ß"]
        path = write_words(words)
        corpus = load_corpus(path)
        assert corpus.vocabulary == (".", *sorted({c for word in words for c in word}))
        assert {"Z", "z", "ë", "😀", " ", "\u2028", "\u0303"} < set(corpus.vocabulary)
        assert texts(corpus.train, corpus.vocabulary) == shuffled(words)[:8]
        assert texts(corpus.dev, corpus.vocabulary) == shuffled(words)[8:9]
        assert load_test_words(path) == shuffled(words)[9:]

    def test_dedupe_keeps_the_first_of_equal_words(self, words: list[str], write_words: WriteWords) -> None:
        """With dedupe a list with repeats is the list without, but for the hash and a fact."""
        clean = load_corpus(write_words(words, "clean.txt"))
        repeated = [*words[:20], *words[:7], *words[20:], words[3]]
        path = write_words(repeated, "repeated.txt")
        deduped = load_corpus(path, dedupe=True)
        assert deduped.facts == dataclasses.replace(clean.facts, repeats_left_out=8)
        np.testing.assert_array_equal(deduped.train.symbols, clean.train.symbols)
        np.testing.assert_array_equal(deduped.dev.symbols, clean.dev.symbols)
        assert "8 repeats removed" in deduped.describe()
        assert deduped.facts.dev_words_in_train == 0
        kept = load_corpus(path)
        assert (kept.facts.words, kept.facts.distinct, kept.facts.repeats_left_out) == (48, 40, 0)
        assert "repeats removed" not in kept.describe()

    def test_split_is_a_permutation_that_leaves_its_argument_alone(self) -> None:
        """All words land in exactly one part, and the caller's list keeps its order."""
        words = [str(n) for n in range(101)]
        train, dev, test = split_words(words)
        assert (len(train), len(dev), len(test)) == (80, 10, 11)
        assert sorted([*train, *dev, *test]) == sorted(words)
        assert words == [str(n) for n in range(101)]


GOOD = b"aa\nbb\ncc\ndd\nee\nff\ngg\nhh\nii\njj\n"


class TestRefusals:
    def test_missing_file_is_refused(self, tmp_path: Path) -> None:
        """A path that does not exist is named, with what to do."""
        with pytest.raises(DataError, match=r"nowhere\.txt does not exist.*--words"):
            load_corpus(tmp_path / "nowhere.txt")

    def test_directory_is_refused(self, tmp_path: Path) -> None:
        """A folder is no words file."""
        with pytest.raises(DataError, match="is not a file"):
            load_corpus(tmp_path)

    def test_path_that_the_system_refuses_is_refused(self, tmp_path: Path) -> None:
        """A name too long for the file system is the user's mistake, not a crash."""
        with pytest.raises(DataError, match="words file"):
            load_corpus(tmp_path / ("x" * 5_000))

    @pytest.mark.parametrize("raw", [b"", b"\n", b"\n\n\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
    def test_file_without_words_is_refused(self, write_words: WriteWords, raw: bytes) -> None:
        """Nothing, line ends only or a byte order mark only: no words."""
        with pytest.raises(DataError, match=r"words\.txt: the file contains no words"):
            load_corpus(write_words(raw))

    @pytest.mark.parametrize(
        ("raw", "line"),
        [(b"\n" + GOOD, 1), (b"aa\n\n" + GOOD, 2), (GOOD + b"\r\nkk\r\n", 11), (b"aa\r\n\r\n" + GOOD, 2)],
    )
    def test_blank_line_between_words_is_refused(
        self, write_words: WriteWords, raw: bytes, line: int
    ) -> None:
        """An empty line is no word; its number is told."""
        with pytest.raises(
            DataError, match=rf"words\.txt: 1 of 1[0-9] lines cannot be words: 1 empty \(line {line}\)"
        ):
            load_corpus(write_words(raw))

    @pytest.mark.parametrize("n", [1, 9])
    def test_too_few_words_are_refused(self, write_words: WriteWords, n: int) -> None:
        """Below ten words a split would be empty."""
        with pytest.raises(DataError, match=rf"at least 10 words .*got {n}$"):
            load_corpus(write_words(["word"] * n))

    def test_ten_words_are_enough(self, write_words: WriteWords) -> None:
        """Ten words give each split at least one."""
        assert load_corpus(write_words(GOOD)).facts.examples_test == 3

    def test_too_few_distinct_words_are_refused_under_dedupe(self, write_words: WriteWords) -> None:
        """Twenty times the same word are one word once repeats are left out."""
        with pytest.raises(DataError, match=r"at least 10 distinct words .*got 1$"):
            load_corpus(write_words(["word"] * 20), dedupe=True)

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    @pytest.mark.parametrize(("before", "line"), [(b"", 1), (b"aa\n", 2), (GOOD, 11)])
    def test_bytes_that_are_not_utf8_are_refused(
        self, write_words: WriteWords, mark: bytes, before: bytes, line: int
    ) -> None:
        """The line and the byte are told, with and without a byte order mark."""
        with pytest.raises(DataError, match=rf"words\.txt, line {line}: not UTF-8 \(byte 0xe9\)"):
            load_corpus(write_words(mark + before + b"\xe9t\xe9\nzz\n" + GOOD))

    def test_utf16_is_refused(self, write_words: WriteWords) -> None:
        """A list saved as UTF-16 is not UTF-8."""
        with pytest.raises(DataError, match=r"line 1: not UTF-8"):
            load_corpus(write_words(GOOD.decode().encode("utf-16")))

    @pytest.mark.parametrize("word", [b"a.b", b".", b"b."])
    def test_the_end_mark_inside_a_word_is_refused(self, write_words: WriteWords, word: bytes) -> None:
        """A dot cannot be a symbol, since it marks the ends of words."""
        with pytest.raises(DataError, match=r"1 with '\.', which marks the ends of words \(line 11\)"):
            load_corpus(write_words(GOOD + word + b"\n"))

    @pytest.mark.parametrize(
        ("word", "code"),
        [("a\0b", "0000"), ("a\tb", "0009"), ("\x1b[31m", "001B"), ("a\rb", "000D"), ("a\x85b", "0085")],
    )
    def test_control_characters_are_refused(self, write_words: WriteWords, word: str, code: str) -> None:
        """NUL, tabs, escapes and carriage returns inside a word are told by code and line."""
        with pytest.raises(DataError, match=rf"1 with a control character such as U\+{code} \(line 11\)"):
            load_corpus(write_words(GOOD + word.encode() + b"\n"))

    def test_more_symbols_than_two_bytes_hold_are_refused(self, write_words: WriteWords) -> None:
        """65,536 symbols with the end mark are the limit."""
        words = [chr(0x20000 + i) for i in range(66_000)]
        with pytest.raises(DataError, match=r"at most 65,536 distinct symbols .*got 66,001$"):
            load_corpus(write_words(words))


class TestTestPart:
    def test_a_corpus_holds_no_test_word(self, write_words: WriteWords) -> None:
        """Neither an attribute nor the bytes sent to a worker hold a test word or the path."""
        marked = [f"{'ab'[i % 2]}{i:03d}" for i in range(200)]
        path = write_words(marked)
        corpus = load_corpus(path)
        assert {f.name for f in dataclasses.fields(Corpus)} == {
            "vocabulary", "train", "dev", "sha256", "dedupe", "facts", "cut",
        }  # fmt: skip
        counts = {**dataclasses.asdict(corpus.facts), "spellings": 0}
        assert all(isinstance(v, int) for v in counts.values())
        assert corpus.facts.spellings == ()
        test_words = load_test_words(path)
        readable = {*texts(corpus.train, corpus.vocabulary), *texts(corpus.dev, corpus.vocabulary)}
        assert len(test_words) == 20
        assert readable.isdisjoint(test_words)
        assert readable | set(test_words) == set(marked)
        sent = pickle.dumps(corpus)
        assert str(path).encode() not in sent
        assert path.name.encode() not in sent
        for word in test_words:
            assert word.encode() not in sent

    def test_noise_in_the_test_words_changes_nothing_that_is_trained(
        self, words: list[str], write_words: WriteWords
    ) -> None:
        """Other test words of the same symbols, in the same lines, leave arrays and loss bitwise equal."""
        path = write_words(words, "before.txt")
        before = load_corpus(path)
        noise = np.random.default_rng(7)
        letters = sorted(set("".join(words)))
        changed = list(words)
        for line in shuffled(range(len(words)))[int(0.9 * len(words)) :]:
            changed[line] = "".join(noise.choice(letters, size=noise.integers(1, 9)))
        other_path = write_words(changed, "after.txt")
        after = load_corpus(other_path)

        assert load_test_words(other_path) != load_test_words(path)
        assert after.vocabulary == before.vocabulary
        for split in ("train", "dev"):
            for array in ("symbols", "lengths"):
                left, right = (getattr(getattr(c, split), array) for c in (before, after))
                assert left.tobytes() == right.tobytes()
        config = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=8, num_steps=40, batch_size=8)
        one = train_segment(config, before, None, 40, engine="autograd")
        two = train_segment(config, after, None, 40, engine="autograd")
        assert one.dev_loss == two.dev_loss
        assert one.state.to_bytes() == two.state.to_bytes()
        assert one.losses.tobytes() == two.losses.tobytes()


def test_another_cut_has_the_same_words_but_not_those_of_test(names_file: Path) -> None:
    """Train and dev keep their sizes and together their words; equal numbers give equal cuts."""
    corpus, test = load_corpus(names_file), set(load_test_words(names_file))
    own = [*decode_words(corpus.train, corpus.vocabulary), *decode_words(corpus.dev, corpus.vocabulary)]
    cuts = [resplit_corpus(corpus, number) for number in (1, 2, 1)]
    for cut in cuts:
        train, dev = (decode_words(part, cut.vocabulary) for part in (cut.train, cut.dev))
        assert (len(train), len(dev)) == (len(corpus.train.lengths), len(corpus.dev.lengths))
        assert sorted([*train, *dev]) == sorted(own)
        assert cut.vocabulary == corpus.vocabulary
        in_both = sum(normalized(word) in set(map(normalized, train)) for word in dev[:50])
        assert cut.facts.dev_words_in_train >= in_both
    dev_words = [frozenset(decode_words(cut.dev, cut.vocabulary)) for cut in cuts]
    assert dev_words[0] == dev_words[2] != dev_words[1]
    assert not (test - set(own)) & dev_words[0]
