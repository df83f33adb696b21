"""Read a words file, UTF-8, one word per line, each word kept as written, and split it.

The section ``[data]`` of a study names the file and the treatment of repeats. All lines that cannot be words
are reported in one message; nothing is repaired. ``corpus`` builds the training data. Only the final test
calls ``load_test_words``, so that workers never receive the test part.
"""

import hashlib
import itertools
import random
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeGuard

from sweep.errors import DataError
from sweep.spelling import unknown
from sweep.trainers.mlp.words.spelling import normalized
from sweep.values import Toml

DEFAULT_WORDS = "data/names.txt"

MIN_WORDS = 10
"""Fewest words for which each of the three splits has one."""

NORMALIZED: Literal["normalized"] = "normalized"

Dedupe = bool | Literal["normalized"]
"""Whether only the first of equal words is kept: of identical words, or of words that are equal after
``spelling.normalized``."""

DEDUPES: tuple[Dedupe, ...] = (False, True, NORMALIZED)
"""Every value of ``dedupe``."""

SPLIT_SEED = 42
"""Seed of Python's ``random.Random``, which shuffles the words before the split."""

SPLIT_RULE = f"shuffle by random.Random({SPLIT_SEED}), cut at 80 and 90 %"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FORBIDDEN = re.compile(r"[.\x00-\x1f\x7f-\x9f]")

_FILTER = (
    r"import re, sys; a, b = sys.argv[1:]; "
    r'text = open(a, encoding="utf-8-sig", newline="").read(); '
    r'words = re.findall(r"(?m)^[^.\x00-\x1f\x7f-\x9f]+(?=\r?$)", text); '
    r'print(*words, sep="\n", file=open(b, "x", encoding="utf-8"))'
)
"""Program that copies the valid lines to a new file."""


class WordList(NamedTuple):
    """The words of a file that are used, in file order."""

    words: list[str]
    lines: list[int]
    """The line of each word in the file, from 1."""
    left_out: int
    """Number of repeats that ``dedupe`` removed."""
    sha256: str
    """Hash of the file, 64 hex digits."""


def is_dedupe(value: object) -> TypeGuard[Dedupe]:
    """Return whether a value is one of ``Dedupe``."""
    return type(value) is bool or value == NORMALIZED


_DATA_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "words": (lambda value: type(value) is str, "a text"),
    "dedupe": (is_dedupe, f'true, false or "{NORMALIZED}"'),
}
"""Key of [data] -> rule of its value, as a function and as text."""

_DATA_DEFAULTS: dict[str, Toml] = {"words": DEFAULT_WORDS, "dedupe": False}


def check_section(section: Mapping[str, Toml]) -> dict[str, Toml]:
    """Return the section ``[data]`` of a study with its defaults.

    Raises:
        DataError: If a key is unknown or a value breaks its rule, with one line for each.
    """
    if wrong := [text for text in map(_wrong_with, section, section.values()) if text]:
        raise DataError(*wrong)
    return {key: section.get(key, default) for key, default in _DATA_DEFAULTS.items()}


def _wrong_with(key: str, value: Toml) -> str:
    """Return the error of an entry of [data]; "" if it is valid."""
    if key not in _DATA_RULES:
        return unknown(f"key {key!r} in [data]", key, _DATA_RULES)
    holds, rule = _DATA_RULES[key]
    return "" if holds(value) else f"data.{key} must be {rule}, got {value!r}"


def read_words(path: Path | str, dedupe: Dedupe) -> WordList:
    """Read a words file; see ``corpus.load_corpus``.

    Raises:
        DataError: If the file is unreadable, a line cannot be a word, or too few words remain.
    """
    raw = _read_bytes(Path(path))
    words = _parse(raw, str(path))
    lines = _kept_lines(words, dedupe)
    if len(lines) < MIN_WORDS:
        kind = "distinct words" if dedupe else "words"
        raise DataError(f"{path}: at least {MIN_WORDS} {kind} are needed for three splits, got {len(lines)}")
    return WordList(
        words=[words[line - 1] for line in lines],
        lines=lines,
        left_out=len(words) - len(lines),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def words_sha256(path: Path | str) -> str:
    """Return the hash of a words file, 64 hex digits, without parsing it.

    Raises:
        DataError: If the file is missing or cannot be read.
    """
    return hashlib.sha256(_read_bytes(Path(path))).hexdigest()


def usual_hashes(path: Path | str) -> Iterator[str]:
    """Yield the hashes of the same words with all usual line ends and byte order marks.

    Another editor may save the same words with LF or CRLF, with or without a byte order mark, and with or
    without a line end after the last word.
    """
    words = _parse(_read_bytes(Path(path)), str(path))
    for mark, end, last in itertools.product(("", "\ufeff"), ("\n", "\r\n"), (True, False)):
        text = mark + end.join(words) + (end if last else "")
        yield hashlib.sha256(text.encode()).hexdigest()


def _kept_lines(words: list[str], dedupe: Dedupe) -> list[int]:
    """Return the lines of the words that are kept, under ``dedupe`` the first of equal words."""
    if not dedupe:
        return list(range(1, len(words) + 1))
    first: dict[str, int] = {}
    for line, word in enumerate(words, start=1):
        first.setdefault(normalized(word) if dedupe == NORMALIZED else word, line)
    return list(first.values())


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise DataError(f"words file {path} does not exist or is not a file; set one with --words FILE")
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"words file {path} cannot be read: {error.strerror}") from error


def _parse(raw: bytes, where: str) -> list[str]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        decoded = error.object  # without the byte order mark, like error.start
        line = decoded.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{where}, line {line}: not UTF-8 (byte 0x{decoded[error.start]:02x}); save the list as UTF-8"
        ) from error
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError(f"{where}: the file contains no words; write one word per line")
    if not all(lines) or _FORBIDDEN.search("".join(lines)):
        raise DataError(_describe_unusable(lines, where))
    return lines


def _describe_unusable(lines: list[str], where: str) -> str:
    """Return one line: how many lines cannot be words, the reasons, and a command to remove them."""
    unusable = sum(not line or bool(_FORBIDDEN.search(line)) for line in lines)
    reasons = "; ".join(_describe(reason, numbers) for reason, numbers in _reasons(lines) if numbers)
    return f"{where}: {unusable:,} of {len(lines):,} lines cannot be words: {reasons}. {_remedy(where)}"


def _reasons(lines: list[str]) -> Iterator[tuple[str, list[int]]]:
    """Yield each reason with the numbers of its lines."""
    numbered = list(enumerate(lines, start=1))
    yield "empty", [number for number, line in numbered if not line]
    yield "with '.', which marks the ends of words", [number for number, line in numbered if "." in line]
    controls = {number: found[0] for number, line in numbered if (found := _CONTROL.search(line))}
    codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(set(controls.values()))[:3])
    yield f"with a control character such as {codes}", list(controls)


def _describe(reason: str, numbers: list[int]) -> str:
    place = f"first in line {numbers[0]:,}" if len(numbers) > 1 else f"line {numbers[0]:,}"
    return f"{len(numbers):,} {reason} ({place})"


def _remedy(where: str) -> str:
    path = Path(where)
    target = path.with_name(f"{path.stem}.usable{path.suffix}")
    return (
        f"To copy the valid lines to a new file: {shlex.join(['python3', '-c', _FILTER, where, str(target)])}"
    )


def load_test_words(path: Path | str, *, dedupe: Dedupe = False) -> list[str]:
    """Return the test part of a words file. Only the final test calls this function."""
    return split_words(read_words(path, dedupe).words)[2]


def split_words(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Shuffle by ``random.Random(42)`` and cut at 80 and 90 %: train, dev, test."""
    shuffled = list(words)
    random.Random(SPLIT_SEED).shuffle(shuffled)  # noqa: S311  the customary split, not a secret
    first, second = int(0.8 * len(shuffled)), int(0.9 * len(shuffled))
    return shuffled[:first], shuffled[first:second], shuffled[second:]
