"""Generate the points of a scrambled Sobol sequence, which fills a space more evenly than chance."""

from typing import Any

from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space


def qmc_point(space: Space, seed: int, number: int) -> dict[str, Any]:
    """Return point ``number`` of the Sobol sequence, with a value for every dimension, active or not.

    References:
        Owen, "Scrambling Sobol' and Niederreiter-Xing Points", 1998.
    """
    from scipy.stats import qmc as scipy_qmc  # noqa: PLC0415  loading scipy takes a second

    sequence = scipy_qmc.Sobol(d=len(space), scramble=True, rng=derive_seed(seed, "qmc"))
    if number:
        sequence.fast_forward(number)
    units = sequence.random(1)[0].tolist()
    return {name: space[name].value_at(unit) for name, unit in zip(space, units, strict=True)}
