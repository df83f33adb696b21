"""Random numbers of a run, against published outputs, a plain loop and statistics."""

import numpy as np
import pytest
import scipy
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.randomness import first_row, generator, kept_units, minibatch_indices, splitmix64

MASK = 2**64 - 1
KEY = stream_key(3, "dropout")


@pytest.mark.parametrize("dropout", [0.05, 0.3, 0.9])
def test_units_are_dropped_as_often_as_asked(dropout: float) -> None:
    """Of a million units the share lies within five standard deviations."""
    kept = kept_units(KEY, 0, (1_000, 1_000), dropout)
    assert abs((~kept).mean() - dropout) < 5 * (dropout * (1 - dropout) / kept.size) ** 0.5


def test_rows_columns_and_neighbours_are_not_related() -> None:
    """Correlations of neighbours along both axes, and the spread of the sums, are those of a fair coin."""
    kept = kept_units(KEY, 10**12, (2_000, 500), 0.5) * 2.0 - 1
    limit = 5 / kept.size**0.5
    for shift in (1, 2, 16):
        assert abs((kept[shift:] * kept[:-shift]).mean()) < limit
        assert abs((kept[:, shift:] * kept[:, :-shift]).mean()) < limit
    assert kept.sum(axis=0).std() == pytest.approx(2_000**0.5, rel=0.2)
    assert kept.sum(axis=1).std() == pytest.approx(500**0.5, rel=0.2)


def test_a_part_of_the_rows_is_what_it_is_in_the_whole() -> None:
    """A row depends on its own number only."""
    whole = kept_units(KEY, 0, (20, 30), 0.4)
    np.testing.assert_array_equal(kept_units(KEY, 7, (5, 30), 0.4), whole[7:12])
    assert (kept_units(KEY + 1, 0, (20, 30), 0.4) != whole).any()


def test_no_two_layers_or_steps_share_a_row() -> None:
    """Steps of three layers with a batch of 4 have rows 0 to 3, 4 to 7, ..."""
    firsts = [first_row(step, layer, 4, 3) for step in range(3) for layer in (1, 2, 3)]
    assert firsts == list(range(0, 36, 4))


def plain_splitmix64(state: int, n: int) -> list[int]:
    """The generator as its authors wrote it, one output after the other, in Python's integers."""
    outputs = []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        outputs.append(z ^ (z >> 31))
    return outputs


def test_outputs_are_the_published_ones() -> None:
    """Seed 1234567 gives the five numbers that other implementations are tested with."""
    assert splitmix64(1234567, np.arange(5, dtype=np.uint64)).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(key=st.integers(0, MASK), places=st.lists(st.integers(0, 200), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_random_access_equals_the_sequence(key: int, places: list[int]) -> None:
    """Any outputs in any order are those of the plain loop at these places."""
    sequence = plain_splitmix64(key, max(places) + 1)
    assert splitmix64(key, np.array(places, dtype=np.uint64)).tolist() == [sequence[k] for k in places]


def test_far_counters_wrap_around_silently() -> None:
    """Counters near 2**64 are arithmetic modulo 2**64, without a warning."""
    counters = np.array([2**64 - 1, 2**64 - 2, 2**63], dtype=np.uint64)
    expected = [
        plain_splitmix64((MASK + k * 0x9E3779B97F4A7C15) & MASK, 1)[0] for k in (2**64 - 1, 2**64 - 2, 2**63)
    ]
    assert splitmix64(MASK, counters).tolist() == expected


def test_indices_are_those_of_the_plain_sequence() -> None:
    """Step s of a batch of B takes outputs sB to sB + B - 1, scaled by their top 32 bits."""
    sequence = plain_splitmix64(99, 60)
    expected = [((z >> 32) * 1_000) >> 32 for z in sequence]
    drawn = minibatch_indices(99, first_step=2, steps=3, batch_size=12, n=1_000)
    assert drawn.shape == (3, 12)
    assert drawn.dtype == np.int64
    assert drawn.ravel().tolist() == expected[24:60]


@given(cut=st.integers(0, 40), batch_size=st.integers(1, 9), n=st.integers(1, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_steps_do_not_depend_on_where_they_are_cut(cut: int, batch_size: int, n: int) -> None:
    """Drawing 40 steps at once or in two parts gives the same indices, all below n."""
    whole = minibatch_indices(5, 0, 40, batch_size, n)
    parts = [minibatch_indices(5, 0, cut, batch_size, n), minibatch_indices(5, cut, 40 - cut, batch_size, n)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert whole.min() >= 0
    assert whole.max() < n


def test_indices_are_uniform() -> None:
    """A chi-square test over 200,000 draws from 100 examples does not reject uniformity."""
    drawn = minibatch_indices(stream_key(0, "batch"), 0, 2_000, 100, 100)
    counts = np.bincount(drawn.ravel(), minlength=100)
    assert len(counts) == 100
    assert 0.001 < scipy.stats.chisquare(counts).pvalue < 0.999


def test_neighbouring_draws_are_independent() -> None:
    """Pairs of draws that follow each other fill a 10 by 10 table evenly."""
    drawn = minibatch_indices(stream_key(1, "batch"), 0, 1_000, 200, 10).ravel()
    counts = np.bincount(drawn[::2] * 10 + drawn[1::2], minlength=100)
    assert 0.001 < scipy.stats.chisquare(counts).pvalue < 0.999


def test_one_example_is_always_drawn() -> None:
    """With a single example every index is 0."""
    assert not minibatch_indices(7, 1_000, 10, 16, 1).any()


def test_late_steps_of_large_batches_are_drawn() -> None:
    """The last step that a configuration allows, at the largest batch, has its counters."""
    drawn = minibatch_indices(3, 999_999_999, 1, 65_536, 182_625)
    place = 999_999_999 * 65_536
    first = plain_splitmix64((3 + place * 0x9E3779B97F4A7C15) & MASK, 1)[0]
    assert drawn[0, 0] == ((first >> 32) * 182_625) >> 32


@pytest.mark.parametrize(("a", "b"), [((0, "init"), (0, "batch")), ((0, "init"), (1, "init"))])
def test_streams_are_apart(a: tuple[int, str], b: tuple[int, str]) -> None:
    """Another stream or another seed gives other numbers; the same gives the same."""
    draws = [generator(*key).standard_normal(1_000) for key in (a, b, a)]
    assert draws[0].tobytes() == draws[2].tobytes()
    assert abs(np.corrcoef(draws[0], draws[1])[0, 1]) < 0.15
