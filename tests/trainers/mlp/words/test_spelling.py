"""Words that look alike: which count as the same word, and how a list of them is described."""

import dataclasses
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sweep.definition.identity import fingerprint
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import load_corpus
from sweep.trainers.mlp.words.spelling import normalized

WriteWords = Callable[..., Path]

SAME_AS_ZOE = {
    "NFD": unicodedata.normalize("NFD", "zoë"),
    "blank after": "zoë ",
    "blank before": " zoë",
    "no-break space": "zoë\u00a0",
    "ideographic space": "\u3000zoë",
    "zero-width space": "zo\u200bë",
    "zero-width joiner": "zoë\u200d",
    "byte order mark inside": "\ufeffzoë",
    "soft hyphen": "zo\u00adë",
    "right-to-left override": "\u202ezoë",
    "left-to-right mark": "zoë\u200e",
    "isolate": "\u2068zoë\u2069",
    "variation selector": "zoë\ufe0f",
    "a mark between letter and accent": "zoe\u200b\u0308",
    "all of it": "\u00a0\u2068zoe\u0308\u200b \u2069",
}

OTHERS = ["zoe", "Zoë", "zoé", "z oë", "zöe", "ƶoë"]


@pytest.mark.parametrize("word", SAME_AS_ZOE.values(), ids=list(SAME_AS_ZOE))
def test_spellings_of_one_word_have_one_form(word: str) -> None:
    """Normalisation, blanks at the ends and invisible characters make no other word."""
    assert word != "zoë"
    assert normalized(word) == normalized("zoë") == "zoë"


@pytest.mark.parametrize("word", OTHERS)
def test_other_words_keep_another_form(word: str) -> None:
    """Case, accents, letters and blanks inside a word tell words apart."""
    assert normalized(word) != "zoë"


def test_blanks_inside_a_word_are_all_alike() -> None:
    """A no-break space between two names is the same as a plain one."""
    assert (
        normalized("anna\u00a0lena") == normalized("anna\u2009lena") == "anna lena" != normalized("annalena")
    )


def test_a_clean_list_is_described_as_before(words_file: Path) -> None:
    """Facts of a list without unusual spellings, which studies have stored, do not change."""
    facts = load_corpus(words_file).describe()
    assert facts.endswith("dev words also occur in train")
    assert "spelling" not in facts


def test_unusual_spellings_are_counted_with_their_first_line(
    words: list[str], write_words: WriteWords
) -> None:
    """Each kind is named once, with how many words have it and the line of the first."""
    listed = [*words, "zoë", "zoe\u0308", "anna ", "bob\u00a0", "ca\u200bra", "dan\u202c", "eva ", "zoë"]
    facts = load_corpus(write_words(listed)).describe()
    assert facts.endswith(
        "; spelling: 6 equal to an earlier word except for spelling (first in line 42), "
        "1 not in NFC (first in line 42), 3 with a blank at an end (first in line 43), "
        "1 with a blank other than a space (first in line 44), "
        "2 with an invisible character (first in line 45)"
    )
    assert "\n" not in facts


@pytest.mark.parametrize("word", SAME_AS_ZOE.values(), ids=list(SAME_AS_ZOE))
def test_every_unusual_spelling_is_named(word: str, words: list[str], write_words: WriteWords) -> None:
    """No kind passes without a word, also where nothing else in the list looks like it."""
    alone = load_corpus(write_words([*words, word]))
    assert {entry.first_line for entry in alone.facts.spellings} == {41}
    assert "equal to an earlier word" not in alone.describe()
    assert word in alone.vocabulary or set(word) <= set(alone.vocabulary)  # kept as written


def test_normalized_dedupe_keeps_the_first_as_written(words: list[str], write_words: WriteWords) -> None:
    """Under it a list with look-alikes is the list without them, and the first spelling stays."""
    first, *others = SAME_AS_ZOE.values()
    clean = load_corpus(write_words([first, *words], "clean.txt"))
    path = write_words([first, *words[:20], *others, "zoë", words[3], *words[20:]], "alike.txt")
    deduped = load_corpus(path, dedupe="normalized")
    assert deduped.vocabulary == clean.vocabulary
    np.testing.assert_array_equal(deduped.train.symbols, clean.train.symbols)
    np.testing.assert_array_equal(deduped.dev.symbols, clean.dev.symbols)
    assert deduped.facts == dataclasses.replace(clean.facts, repeats_left_out=len(others) + 2)
    assert load_corpus(path, dedupe=True).facts.repeats_left_out == 1


def test_dev_words_that_look_like_train_words_are_counted(write_words: WriteWords) -> None:
    """A list with every word twice, the second time in NFD, repeats as much as one with plain repeats."""
    letters = [chr(code) for code in range(0xC0, 0x100) if unicodedata.decomposition(chr(code))]
    words = [a + b for a in letters[:10] for b in letters]
    plain = load_corpus(write_words(words * 2, "plain.txt"))
    alike = [*words, *(unicodedata.normalize("NFD", word) for word in words)]
    facts = load_corpus(write_words(alike, "alike.txt")).facts
    assert facts.dev_words_in_train == plain.facts.dev_words_in_train > 0.7 * facts.dev_words
    assert load_corpus(write_words(alike, "alike.txt"), dedupe="normalized").facts.dev_words_in_train == 0


def test_a_study_without_it_keeps_its_identity() -> None:
    """The data section of a study file that names no dedupe, or true, is the one that was stored."""
    assert MLP.check_data_section({}) == {"words": "data/names.txt", "dedupe": False}
    assert MLP.check_data_section({"dedupe": "normalized"})["dedupe"] == "normalized"
    identities = [{"data": {"dedupe": value}} for value in (False, True, "normalized")]
    assert len(set(map(fingerprint, identities))) == 3
