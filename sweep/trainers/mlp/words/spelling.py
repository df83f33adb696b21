"""Decides which words count as the same word although they are written differently.

Two words are the same if they differ only in Unicode normalisation (NFC or NFD), in blanks at their ends,
in the kind of blank, or in invisible characters (zero-width, bidirectional controls, variation selectors).
Words are never changed here: what to do about such words is left to the caller.
"""

import operator
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x180B, 0x180E), 0x034F}
"""Variation selectors and the grapheme joiner: invisible, but no format characters for Unicode."""


class Spelling(NamedTuple):
    """How many words of a list are written in one unusual way; holds no word."""

    kind: str
    words: int
    first_line: int
    """Line of the first of them in the file, from 1."""

    def __str__(self) -> str:
        """Return the count with the kind and the line."""
        return f"{self.words:,} {self.kind} (first in line {self.first_line:,})"


def normalized(word: str) -> str:
    """Return the form in which words that count as the same are equal.

    Examples:
        >>> normalized("zoe\u0308\u200b\u00a0") == "zo\u00eb"
        True
    """
    if word.isascii():
        return word.strip(" ")
    return unicodedata.normalize("NFC", word.translate(_VISIBLE)).strip(" ")


def unusual_spellings(words: Sequence[str], lines: Sequence[int]) -> tuple[Spelling, ...]:
    """Count the words that another program or reader may take for a different or the same word.

    Args:
        words: As written.
        lines: The line of each in the file.

    Returns:
        One entry for each kind that occurs; empty if and only if every word is its own ``normalized`` form.
    """
    if all(map(operator.eq, map(normalized, words), words)):  # nearly every list
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
    """What each character, by its code, becomes for a comparison; filled as characters are met."""

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
"""Kind of unusual spelling -> whether a word, which is not empty, has it."""
