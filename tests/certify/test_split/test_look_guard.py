"""Which test words of a changed list were looked at before, with makemore's names."""

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.certify.test_split.look_guard import EarlierLooks, TestPart, find_earlier_looks
from sweep.errors import TestSplitError
from sweep.storage.looks.stored_looks import TestLook
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.words_file import Dedupe, load_test_words

WriteWords = Callable[..., Path]

KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def part_of(path: Path, dedupe: Dedupe = False) -> TestPart:
    return TestPart.load(MLP, {"words": str(path), "dedupe": dedupe})


def look_at(path: Path, dedupe: Dedupe = False, key: bytes | None = KEY) -> TestLook:
    """Return a recorded look at a list's test words."""
    part = part_of(path, dedupe)
    return TestLook(
        look_id="1" * 32,
        started="2026-05-04T10:00:00+00:00",
        test_sha256=part.sha256,
        data_sha256="b" * 64,
        config_sha256="c" * 64,
        study="names",
        trial=7,
        dev_loss=2.25,
        test_loss=2.5,
        why="",
        version="1.0",
        sketch=part.sketch(key) if key else None,
    )


def compare(path: Path, *looks: TestLook, dedupe: Dedupe = False) -> EarlierLooks:
    return find_earlier_looks(part_of(path, dedupe), looks, KEY)


def truth(new: Path, old: Path, dedupe: Dedupe = False) -> float:
    """Return the share of the distinct new test words that are old ones, by plain sets."""
    words = set(load_test_words(new, dedupe=dedupe))
    return len(words & set(load_test_words(old))) / len(words)


def half_replaced(names: list[str]) -> list[str]:
    """Keep the lines; every second test word becomes another one."""
    places = list(range(len(names)))
    random.Random(42).shuffle(places)  # noqa: S311  the split that the field uses
    changed = list(names)
    for place in places[int(0.9 * len(names)) :: 2]:
        changed[place] = f"new{place}".translate(str.maketrans("0123456789", "abcdefghij"))
    return changed


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "one word appended": lambda names: [*names, "zzyzx"],
    "last word removed": lambda names: names[:-1],
    "half replaced": half_replaced,
    "in another normalisation": lambda names: [f"{name}\u200b" for name in names],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_list_changed_a_little_is_a_further_look(
    change: Callable[[list[str]], list[str]], makemore: Path, write_words: WriteWords
) -> None:
    """The estimate is near the true share, and the look is refused without a reason."""
    names = makemore.read_text().split()
    path = write_words(change(names))
    earlier = compare(path, look_at(makemore))
    invisible = "\u200b" in path.read_text()
    assert earlier.overlap.share == pytest.approx(1 if invisible else truth(path, makemore), abs=0.035)
    assert earlier.are_repeated
    assert not earlier.is_same
    assert earlier.number == 2
    with pytest.raises(TestSplitError, match=r"about [0-9.]+% of these test words \(estimated from .*before"):
        earlier.check("")
    earlier.check("a reason")


@pytest.mark.parametrize(
    ("change", "shared", "of"),
    [
        ("one word appended", 3_063, 3_204),
        ("last word removed", 3_065, 3_204),
        ("each word once", 1_911, 2_950),
    ],
)
def test_the_known_overlaps_are_estimated(
    change: str, shared: int, of: int, makemore: Path, write_words: WriteWords
) -> None:
    """The shuffle shifts by one place, so most of makemore's test words stay; counted once by hand."""
    names = makemore.read_text().split()
    listed = CHANGES[change](names) if change in CHANGES else list(dict.fromkeys(names))
    path = write_words(listed)
    old, new = Counter(load_test_words(makemore)), Counter(load_test_words(path))
    assert ((old & new).total(), new.total()) == (shared, of)
    assert compare(path, look_at(makemore)).overlap.share == pytest.approx(shared / of, abs=0.035)


@pytest.mark.parametrize("key", [KEY, OTHER_KEY, None], ids=["sketch", "another key", "no sketch"])
def test_dedupe_of_the_same_list_is_compared(key: bytes | None, makemore: Path) -> None:
    """With a sketch, and without one from the same file: its other test parts are known by their hash."""
    earlier = compare(makemore, look_at(makemore, key=key), dedupe=True)
    assert earlier.overlap.share == pytest.approx(truth(makemore, makemore, dedupe=True), abs=0.035)
    assert earlier.are_repeated
    assert earlier.not_comparable == 0


@pytest.mark.parametrize("key", [KEY, OTHER_KEY, None], ids=["sketch", "another key", "no sketch"])
def test_the_same_words_are_known_in_any_case(key: bytes | None, makemore: Path) -> None:
    """Their hash needs no key."""
    earlier = compare(makemore, look_at(makemore, key=key))
    assert earlier.is_same
    assert earlier.number == 2
    with pytest.raises(TestSplitError, match=r"^these test words were looked at before"):
        earlier.check("")


def test_a_reordered_list_has_a_few_test_words_in_common(makemore: Path, write_words: WriteWords) -> None:
    """Its test part is another tenth: the overlap is printed and the look is a first one."""
    path = write_words(makemore.read_text().split()[::-1])
    earlier = compare(path, look_at(makemore))
    expected = truth(path, makemore)
    assert 0.05 < expected < 0.2
    assert earlier.overlap.share == pytest.approx(expected, abs=0.035)
    assert earlier.number == 1
    earlier.check("")
    (sentence,) = earlier.sentences()
    assert sentence.startswith("about ")
    assert sentence.endswith("test loss 2.5000): below 20%, so a first look")


def test_several_small_overlaps_count_together(makemore: Path, write_words: WriteWords) -> None:
    """Reorderings that each share less than a fifth are a further look as soon as they share it together."""
    names = makemore.read_text().split()
    looks = []
    for seed in range(4):
        random.Random(seed).shuffle(names)  # noqa: S311
        look = look_at(write_words(names, f"{seed}.txt"))
        looks.append(dataclasses.replace(look, look_id=str(seed) * 32))
    assert not compare(makemore, looks[0]).are_repeated
    together = compare(makemore, *looks)
    assert together.are_repeated
    assert together.number == 5


def test_disjoint_words_are_a_first_look(makemore: Path, write_words: WriteWords) -> None:
    """Nothing is printed of a look at other words."""
    path = write_words([f"{name}-" for name in makemore.read_text().split()])
    earlier = compare(path, look_at(makemore))
    assert (earlier.overlap.share, earlier.number, earlier.looks) == (0, 1, ())
    assert list(earlier.sentences()) == []


@pytest.mark.parametrize("key", [OTHER_KEY, None], ids=["another key", "no sketch"])
def test_a_look_that_cannot_be_compared_is_mentioned(
    key: bytes | None, makemore: Path, write_words: WriteWords
) -> None:
    """Another user's look, or one of an earlier release, at a list that is not here."""
    path = write_words([*makemore.read_text().split(), "zzyzx"])
    earlier = compare(path, look_at(makemore, key=key))
    assert (earlier.number, earlier.not_comparable) == (1, 1)
    (sentence,) = earlier.sentences()
    assert sentence.startswith("earlier looks whose words cannot be compared with these: 1 (")
