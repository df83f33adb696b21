import numpy as np
import pytest

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.task import Luck, Task, draws, mean
from tests.benchmarks.samplers.tasks import DEVELOPMENT, HELD_OUT, chosen

NOISE = (0.0, 0.1, 0.5)


def noisy_square() -> Task:
    """Three configurations with the true losses 0.2, 1.2 and 4.2."""
    return Task(
        space=Space({"x": Choices((0, 1, 2))}),
        loss=lambda params, seed: params["x"] ** 2 + NOISE[seed],
        n_seeds=lambda params: len(NOISE),
        scale=np.array([0.2, 1.2, 4.2]),
    )


def test_the_quantile_is_the_share_of_better_configurations() -> None:
    """The best has 0; one that equals the second of three has a third; a loss between counts those below."""
    task = noisy_square()
    assert task.true_loss({"x": 1}) == pytest.approx(1.2)
    assert [task.quantile(loss) for loss in (0.2, 1.2, 3.0, 9.0)] == [0, 1 / 3, 2 / 3, 1]


def test_equal_means_are_equal_numbers() -> None:
    """The order of the seeds does not move a configuration on its scale."""
    values = [0.1, 0.2, 0.3, 1e9, -1e9]
    assert mean(values) == mean(reversed(values))


def test_a_configuration_draws_all_seeds_before_one_comes_again() -> None:
    """Searches with the same seed share the order, and another seed has another one somewhere."""
    task = noisy_square()
    orders = []
    for seed in range(10):
        luck, same = Luck(task, seed), Luck(task, seed)
        order = [luck.draw({"x": 1}) for _ in range(6)]
        assert sorted(order[:3]) == [0, 1, 2]
        assert order[:3] == order[3:]
        assert [same.draw({"x": 1}) for _ in range(6)] == order
        orders.append(order)
    assert len({tuple(order) for order in orders}) > 1


def test_draws_are_active_parts_of_the_space() -> None:
    """The scale of a conditional space holds configurations as a search makes them."""
    space = Space({"model": Choices(("a", "b")), "depth": Range(1, 9)}, {"depth": {"model": ("b",)}})
    found = list(draws(space, 50))
    assert found == list(draws(space, 50))
    assert all(("depth" in params) == (params["model"] == "b") for params in found)
    assert {params["model"] for params in found} == {"a", "b"}


def test_held_out_tasks_need_leave() -> None:
    """Nobody develops a sampler on them by accident."""
    assert chosen([], held_out=False) == list(DEVELOPMENT)
    assert chosen([], held_out=True) == list(HELD_OUT)
    assert chosen(["protein"], held_out=True) == ["protein"]
    with pytest.raises(SystemExit, match="protein: held out"):
        chosen(["slice", "protein"], held_out=False)
    assert not DEVELOPMENT.keys() & HELD_OUT.keys()
