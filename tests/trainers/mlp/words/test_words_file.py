"""Lists with lines that cannot be words are refused at once, with a command that removes them."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.errors import DataError
from sweep.trainers.mlp.words.corpus import load_corpus
from sweep.trainers.mlp.words.words_file import read_words, usual_hashes

WriteWords = Callable[..., Path]

BAD = ["", "a.b", "..", "tab\there", "x\x85y", "", "j.r.", "\x1b[31m", "a\rb", "nul\0", "a.b\tc"]


def complaint(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_corpus(path)
    return str(caught.value)


def mixed(words: list[str]) -> list[str]:
    return [*words[:5], *BAD, *words[5:]]


def test_all_trouble_of_a_list_is_one_line(words: list[str], write_words: WriteWords) -> None:
    """Every kind has its count and first line; a line with two kinds is one line."""
    text = complaint(write_words(mixed(words)))
    assert "words.txt: 11 of 51 lines cannot be words: 2 empty (first in line 6); " in text
    assert "4 with '.', which marks the ends of words (first in line 7); " in text
    assert "6 with a control character such as U+0000, U+0009, U+000D (first in line 9). " in text
    assert "\n" not in text


def test_47_full_stops_are_one_message(words: list[str], write_words: WriteWords) -> None:
    """They are counted, not refused one after the other."""
    path = write_words([*words, *[f"{word}." for word in words], *["st. x"] * 7])
    assert (
        "47 of 87 lines cannot be words: 47 with '.', which marks the ends of words (first in line 41)"
        in (complaint(path))
    )


@pytest.mark.parametrize("name", ["words.txt", "my words'; echo x.txt", "-n.txt", "ünï$(x).txt", "no suffix"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_command_of_the_message_leaves_a_usable_list(
    name: str, end: str, words: list[str], tmp_path: Path
) -> None:
    """Typed into a shell it writes exactly the lines that can be words into a new file, once."""
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + end.join(mixed(words)).encode())
    before = path.read_bytes()
    command = complaint(path).partition("To copy the valid lines to a new file: ")[2]
    target = Path(shlex.split(command)[-1])
    assert target.parent == tmp_path
    assert target != path

    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read_words(target, dedupe=False).words == words
    assert path.read_bytes() == before

    target.write_text("mine\n")
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode != 0
    assert target.read_text() == "mine\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_the_same_words_saved_otherwise_are_recognised(
    mark: bytes, end: bytes, last: bool, words: list[str], write_words: WriteWords
) -> None:
    """A file's hash is among the usual ones of its own words, and not among those of other words."""
    raw = mark + end.join(word.encode() for word in words) + (end if last else b"")
    saved = read_words(write_words(raw, "saved.txt"), dedupe=False)
    assert saved.sha256 in usual_hashes(write_words(words, "plain.txt"))
    assert saved.sha256 not in usual_hashes(write_words(words[::-1], "reversed.txt"))
    assert saved.sha256 not in usual_hashes(write_words([*words, "more"], "more.txt"))
