"""Compression of losses above the median, by hand and back."""

import numpy as np
import pytest

from sweep.samplers.compression import compression_of


def test_losses_are_compressed_by_hand() -> None:
    """Median 3, best 1: the unit is 2; 3 + 2 (e - 1) becomes 3 + 2 and what is below stays."""
    losses = np.array([1.0, 2.0, 3.0, 3.0 + 2 * (np.e - 1), 1e9])
    found = compression_of(losses).compressed(losses)
    assert found[:4] == pytest.approx([1, 2, 3, 5])
    assert found[4] == pytest.approx(3 + 2 * np.log(1e9 / 2), rel=1e-6)


@pytest.mark.parametrize("losses", [[1.0, 2.0, 5.0, 7.0], [1.0, 1.0, 1.0, 4.0], [-3.0, 0.0, 0.0]])
def test_spreading_out_undoes_it(losses: list[float]) -> None:
    """Also if more than half of the losses are the best."""
    scale = compression_of(np.array(losses))
    assert scale.width > 0
    assert scale.spread_out(scale.compressed(np.array(losses))) == pytest.approx(losses)
