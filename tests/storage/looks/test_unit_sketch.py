"""Sketches of word sets: how well they estimate an overlap, and what they do not give away."""

import random

import pytest

from sweep.storage.looks.unit_sketch import SIZE, UnitSketch, estimate_overlap, key_id, unit_hashes

KEY = bytes(range(32))


def words(start: int, stop: int) -> list[str]:
    return [f"word {number}" for number in range(start, stop)]


def share(new: list[str], *sets: list[str], key: bytes = KEY) -> float:
    sketches = [UnitSketch.of(each, key) for each in sets]
    return estimate_overlap(unit_hashes(new, key), sketches).share


@pytest.mark.parametrize("size", [1, 10, 1_000, SIZE])
@pytest.mark.parametrize("percent", [0, 20, 50, 100])
def test_small_sets_are_compared_exactly(size: int, percent: int) -> None:
    """Up to 1,024 distinct words a sketch holds the whole set, however many words are compared with it."""
    shared = size * percent // 100
    assert share(words(size - shared, 2 * size - shared), words(0, size)) == shared / size
    new = words(size - shared, size + 5_000)
    assert share(new, words(0, size)) == shared / len(new)


def test_an_overlap_of_a_fifth_is_estimated_within_the_error_of_its_sample() -> None:
    """Of 3,204 words a third is compared: the mean is right and the standard deviation at most 1.1 points."""
    new, errors = words(0, 3_204), []
    for trial in range(40):
        draw = random.Random(trial)  # noqa: S311  no secret
        errors.append(share(new, words(2_563, 5_767), key=draw.randbytes(32)) - 641 / 3_204)
    mean = sum(errors) / len(errors)
    assert abs(mean) < 0.005
    assert (sum(error**2 for error in errors) / len(errors)) ** 0.5 < 0.0145  # 1.05 points, and chance


def test_several_sets_count_together() -> None:
    """The union is what was looked at: words of two sets count once, and those of each count."""
    new = words(0, 1_000)
    assert share(new, words(0, 100), words(50, 150)) == 0.15
    assert share(new, words(0, 100), words(5_000, 5_500)) == 0.1
    assert share(new) == 0


def test_a_large_set_does_not_hide_a_small_one() -> None:
    """Its sketch reaches fewer words, and the estimate without it is the better one."""
    small, large = words(0, 1_000), words(10_000, 110_000)
    assert share(words(500, 1_500), small, large) >= 0.5
    assert share(words(0, 1_000), large, small) == 1


def test_repeats_are_one_unit() -> None:
    """However often a unit occurs, the sketch holds it once."""
    assert UnitSketch.of(["anna", "bob", "anna"], KEY) == UnitSketch.of(["bob", "anna"], KEY)


def test_a_sketch_needs_its_key() -> None:
    """Under another key the same words have other hashes, and the key's name does not show the key."""
    one, other = UnitSketch.of(["anna"], KEY), UnitSketch.of(["anna"], b"x" * 32)
    assert one.hashes.isdisjoint(other.hashes)
    assert one.key_id == key_id(KEY) != other.key_id
    assert one.key_id not in KEY.hex()
    assert one.hashes == unit_hashes(["anna"], KEY)


def test_a_sketch_holds_the_lowest_hashes() -> None:
    """1,024 of them, no word, whatever the size of the list."""
    sketch = UnitSketch.of(words(0, 5_000), KEY)
    assert sketch.hashes == set(sorted(unit_hashes(words(0, 5_000), KEY))[:SIZE])
    assert sketch.limit == max(sketch.hashes)
    assert sketch.words == 5_000
    assert len(sketch.lowest) < 11_000
