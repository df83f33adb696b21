"""Which units are dropped: a function of the counters alone, and as random as it has to be."""

import numpy as np
import pytest

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.dropout import first_row, kept_units

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
