"""Decide which words count as the same word despite different spellings.

Two words are the same if they differ only in Unicode normalisation (NFC or NFD), in blanks at their ends, in
the kind of blank, or in invisible characters (zero-width, bidirectional controls, variation selectors). Words
are never changed here; the caller decides what to do about them.
"""

import operator
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x180E), 0x034F}
"""Variation selectors and the grapheme joiner: invisible, but not format characters in Unicode."""


class Spelling(NamedTuple):
    """Number of words of a list with one kind of unusual spelling."""

    kind: str
    words: int
    first_line: int
    """Line of the first such word in the file, from 1."""

    def __str__(self) -> str:
        """Return the count with the kind and the line."""
        return f"{self.words:,} {self.kind} (first in line {self.first_line:,})"


def normalized(word: str) -> str:
    """Return the normalized form of a word, which is equal for words that count as the same.

    Examples:
        >>> normalized("zoe\u0308\u200b\u00a0") == "zo\u00eb"
        True
    """
    if word.isascii():
        return word.strip(" ")
    return unicodedata.normalize("NFC", word.translate(_VISIBLE)).strip(" ")


def unusual_spellings(words: Sequence[str], lines: Sequence[int]) -> tuple[Spelling, ...]:
    """Count the words that another program or reader may mistake for a different or the same word.

    Args:
        words: The words as written.
        lines: The line of each word in the file.

    Returns:
        One entry for each kind that occurs; empty if and only if every word equals its ``normalized`` form.
    """
    if all(map(operator.eq, map(normalized, words), words)):  # true for nearly every list
        return ()
    found: dict[str, list[int]] = {}
    first_spelling: dict[str, str] = {}
    for word, line in zip(words, lines, strict=True):
        form = normalized(word)
        kinds = [] if form == word else [kind for kind, applies in _KINDS.items() if applies(word)]
        if first_spelling.setdefault(form, word) != word:
            kinds.append(LOOK_ALIKE)
        for kind in kinds:
            found.setdefault(kind, []).append(line)
    order = [LOOK_ALIKE, *_KINDS]
    return tuple(Spelling(kind, len(found[kind]), found[kind][0]) for kind in order if kind in found)


def _is_blank(character: str) -> bool:
    return unicodedata.category(character).startswith("Z")


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf" or ord(character) in _SELECTORS


class _Visible(dict[int, int | str | None]):
    """Character code -> replacement for comparisons, filled on demand."""

    def __missing__(self, code: int) -> int | str | None:
        character = chr(code)
        self[code] = " " if _is_blank(character) else None if _is_invisible(character) else code
        return self[code]


_VISIBLE = _Visible()

LOOK_ALIKE = "equal to an earlier word except for spelling"

_KINDS: dict[str, Callable[[str], bool]] = {
    "not in NFC": lambda word: not unicodedata.is_normalized("NFC", word),
    "with a blank at an end": lambda word: _is_blank(word[0]) or _is_blank(word[-1]),
    "with a blank other than a space": lambda word: any(_is_blank(c) and c != " " for c in word),
    "with an invisible character": lambda word: any(map(_is_invisible, word)),
}
"""Kind of unusual spelling -> function that returns whether a non-empty word has it."""
