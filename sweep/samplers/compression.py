"""Compress losses above the median, so that bad regions do not distort a model of the good ones.

Losses up to the median stay. Above it, the logarithm of the distance counts, in units of the distance from
the median to the best.
"""

from typing import NamedTuple

import numpy as np


class Compression(NamedTuple):
    """Where compression begins, and its unit."""

    centre: float
    width: float

    def compressed(self, losses: np.ndarray) -> np.ndarray:
        """Compress losses above the centre to the logarithm of their distance from it, in widths."""
        above = np.maximum(losses - self.centre, 0)
        return np.where(losses > self.centre, self.centre + self.width * np.log1p(above / self.width), losses)

    def spread_out(self, values: np.ndarray) -> np.ndarray:
        """Undo ``compressed``."""
        above = np.maximum(values - self.centre, 0)
        return np.where(values > self.centre, self.centre + self.width * np.expm1(above / self.width), values)


def compression_of(losses: np.ndarray) -> Compression:
    """Return the compression that fits losses that are not all equal."""
    centre = float(np.median(losses))
    return Compression(centre, centre - float(losses.min()) or float(losses.std()))
