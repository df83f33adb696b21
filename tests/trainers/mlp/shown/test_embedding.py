"""The embedding in two dimensions: planes and shares by hand."""

import numpy as np
import pytest

from sweep.trainers.mlp.shown.embedding import principal_plane, symbol_text


class TestEmbedding:
    def test_points_in_a_plane_are_found_again(self):
        """Distances stay and nothing is lost when a flat cloud is turned into five dimensions."""
        draw = np.random.default_rng(0)
        flat = draw.normal(size=(12, 2))
        turn, _ = np.linalg.qr(draw.normal(size=(5, 5)))
        plane, explained = principal_plane(flat @ turn[:2])
        assert explained == pytest.approx(1)
        far = np.linalg.norm(flat[:, None] - flat[None], axis=2)
        assert np.linalg.norm(plane[:, None] - plane[None], axis=2) == pytest.approx(far)

    def test_the_share_of_the_variance_is_that_of_the_two_largest(self):
        points = np.array([[3, 0, 0], [-3, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1.0]])
        assert principal_plane(points)[1] == pytest.approx((9 + 4) / (9 + 4 + 1))

    @pytest.mark.parametrize("dimensions", [1, 2])
    def test_up_to_two_dimensions_are_shown_as_they_are(self, dimensions):
        points = np.arange(6.0).reshape(-1, dimensions)
        plane, explained = principal_plane(points)
        assert (plane[:, :dimensions] == points).all()
        assert explained == 1
        assert plane.shape[1] == 2

    def test_equal_points_have_no_variance_to_explain(self):
        plane, explained = principal_plane(np.ones((4, 3)))
        assert (plane == 0).all()
        assert explained == 1

    @pytest.mark.parametrize(
        ("symbol", "shown"), [("\u0301", "◌\u0301"), ("&", "&amp;"), ("\u202e", "\\u202e")]
    )
    def test_symbols_without_a_shape_of_their_own_can_be_seen(self, symbol, shown):
        assert symbol_text(symbol) == shown
