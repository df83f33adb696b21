"""Learn the work of configurations from the seconds of earlier trials, for programs, which cannot tell it.

Expected seconds are rounded to powers of two: small differences are mostly noise of the machine, and should
not change what is proposed.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sweep.definition.space import Space
from sweep.samplers.cube import Cube
from sweep.samplers.first_proposals import N_FIRST
from sweep.samplers.trial_speed import Sample, expected_log_seconds

Work = Callable[[Mapping[str, Any]], float]

_LEAST = 1e-6
"""Lowest work and seconds, whose logarithms are taken."""

_MOST = 200
"""Number of latest trials that are used, so that the time of a proposal does not grow with the study."""


def learned_work(space: Space, timed: Sequence[tuple[Mapping[str, Any], float]], work: Work) -> Work:
    """Return the expected seconds of a configuration as a function; the known work for too few trials.

    The seconds are modelled at the first call, because few samplers ask for them.

    Args:
        space: The searched hyperparameters.
        timed: Configuration and seconds of each complete trial, by number.
        work: What is known of the work, such as the number of epochs.
    """
    if len(timed) < N_FIRST:
        return work
    cube, latest = Cube(space), timed[-_MOST:]

    def sample(configurations: Sequence[Mapping[str, Any]]) -> Sample:
        log_work = np.log([max(work(params), _LEAST) for params in configurations])
        return Sample(log_work, cube.axes(cube.rows(configurations)))

    @functools.cache
    def expected() -> Callable[[Sample], np.ndarray]:
        seconds = [max(seconds, _LEAST) for _, seconds in latest]
        return expected_log_seconds(sample([params for params, _ in latest]), np.log(seconds))

    return lambda params: 2.0 ** round(expected()(sample([params])).item() / math.log(2))
