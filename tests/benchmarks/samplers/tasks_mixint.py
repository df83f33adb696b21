"""Functions of whole and real numbers: bbob-mixint of COCO, compiled into the package ``coco-experiment``.

Of every five dimensions one each has 2, 4, 8 and 16 values and one is continuous. The loss has no noise. The
scale is made of random draws.

References:
    Tusar, Brockhoff, Hansen, "Mixed-Integer Benchmark Problems for Single- and Bi-Objective Optimization",
    2019.
"""

from collections.abc import Callable

import numpy as np

from sweep.definition.dimension import Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.task import Params, Task, draws

N_DRAWS = 20_000


def mixint(function: int, dimension: int) -> Callable[[], Task]:
    """Return what loads the first instance of a function."""
    return lambda: _task(function, dimension)


def _task(function: int, dimension: int) -> Task:
    import cocoex

    suite = cocoex.Suite("bbob-mixint", "", "")
    problem = suite.get_problem_by_function_dimension_instance(function, dimension, 1)
    ends = zip(problem.lower_bounds.tolist(), problem.upper_bounds.tolist(), strict=True)
    n_whole = problem.number_of_integer_variables
    space = Space(
        {
            f"x{place}": Range(round(low), round(high)) if place < n_whole else Range(low, high)
            for place, (low, high) in enumerate(ends)
        }
    )

    def loss(params: Params, seed: int = 0) -> float:
        return float(problem([params[name] for name in space]))

    return Task(
        space=space,
        loss=loss,
        scale=np.sort([loss(params) for params in draws(space, N_DRAWS)]),
    )
