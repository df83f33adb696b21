"""Propose the first configurations of a study, before there are losses to learn from.

They are spread evenly: of ``N_FIRST`` proposals, each takes another part of every hyperparameter's range. If
configurations differ in their work, a proposal is the cheaper of this point and a random draw.

References:
    McKay, Beckman, Conover, "A Comparison of Three Methods for Selecting Values of Input Variables in the
    Analysis of Output from a Computer Code", 1979 (Latin hypercube sampling).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space

N_FIRST = 5
"""Number of losses from which a model proposes."""

N_DRAWS = 16
"""Number of points that are looked at for each first proposal, the even one first."""

CHEAP_OF = 2
"""Number of them, not tried before, of which the first proposal is the cheapest."""


def first_proposal(
    space: Space,
    is_tried: Callable[[Mapping[str, Any]], bool],
    work: Callable[[Mapping[str, Any]], float],
    seed: int,
    number: int,
) -> dict[str, Any]:
    """Return proposal ``number``: its even point, or a random draw if that point was tried or is dearer.

    Works are compared by their order of magnitude, to the base 2, so that small differences do not decide.
    """
    generator = np.random.default_rng(derive_seed(seed, "first", number))
    units = [even_point(len(space), seed, number), *generator.random((N_DRAWS - 1, len(space)))]
    draws = [configuration_at(space, unit) for unit in units]
    untried = [params for params in draws if not is_tried(params)] or draws
    return min(untried[:CHEAP_OF], key=lambda params: _size(work(params)))


def even_point(d: int, seed: int, number: int) -> np.ndarray:
    """Return a point of the unit cube, shape (d,): one of a Latin hypercube of ``N_FIRST`` points.

    The range of each axis has ``N_FIRST`` equal parts. Each of the points 0 to 4 lies in another part of
    every axis, and so do the next five.
    """
    block, place = divmod(number, N_FIRST)
    generator = np.random.default_rng(derive_seed(seed, "even", block))
    parts = generator.permuted(np.tile(np.arange(N_FIRST), (d, 1)), axis=1)
    return np.asarray((parts + generator.random(parts.shape))[:, place] / N_FIRST)


def _size(work: float) -> int:
    """Return the order of magnitude of work, to the base 2; 0 for no work."""
    return round(math.log2(work)) if work > 0 else 0


def configuration_at(space: Space, units: np.ndarray) -> dict[str, Any]:
    """Return the configuration at a point of the unit cube, shape (d,), its active part."""
    return space.active_part(
        {n: space[n].value_at(unit) for n, unit in zip(space, units.tolist(), strict=True)}
    )
