import numpy as np

from sweep.definition.dimension import Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.own import sweep
from tests.benchmarks.samplers.simulate import Step, simulate
from tests.benchmarks.samplers.task import Params, Task


class Listed:
    """Proposes 5, 4, 3, 2, 1, 0 in turn and remembers what it hears."""

    def __init__(self) -> None:
        self.asked = 0
        self.heard: list[tuple[int, float]] = []

    def ask(self) -> tuple[int, Params]:
        self.asked += 1
        return self.asked - 1, {"x": max(6 - self.asked, 0)}

    def tell(self, trial: int, loss: float, seconds: float) -> None:
        self.heard.append((trial, loss))


def task_with_seconds(seconds: dict[int, float]) -> Task:
    """The loss is x itself."""
    return Task(
        space=Space({"x": Range(0, 5)}),
        loss=lambda params, seed: float(params["x"]),
        seconds=lambda params: seconds.get(params["x"], 1.0),
        scale=np.arange(6.0),
    )


def test_two_workers_train_side_by_side() -> None:
    """The first trial takes 2.5 s; beside it the other worker ends two trials of 1 s."""
    searcher = Listed()
    outcome = simulate(task_with_seconds({5: 2.5}), lambda task, seed, trials: searcher, 0, trials=4)
    assert [trial for trial, _ in searcher.heard] == [1, 2, 0, 3]
    assert outcome.curve == [Step(1, 1.0, 4 / 6, 4.0), Step(2, 2.0, 3 / 6, 3.0), Step(4, 3.0, 2 / 6, 2.0)]
    assert outcome.seconds == 3.0
    assert len(outcome.own_s) == 4


def test_twice_the_workers_count_two_trials_as_one() -> None:
    """So a search can be compared with one that has twice the trials in the same time."""
    searcher = Listed()
    outcome = simulate(task_with_seconds({}), lambda task, seed, trials: searcher, 0, trials=2, workers=4)
    assert len(searcher.heard) == 4
    assert [step.count for step in outcome.curve] == [1, 1, 2, 2]
    assert outcome.curve[-1].true_loss == 2.0
    assert len(outcome.own_s) == 2


def test_the_incumbent_is_judged_by_its_true_loss() -> None:
    """A lucky seed makes it the incumbent; the mean over seeds is what is kept."""
    task = Task(
        space=Space({"x": Range(0, 5)}),
        loss=lambda params, seed: params["x"] + (-1.0 if seed else 1.0),
        n_seeds=lambda params: 2,
        scale=np.arange(6.0),
    )
    for seed in range(4):
        outcome = simulate(task, lambda task, seed, trials: Listed(), seed, trials=5)
        assert {step.true_loss for step in outcome.curve} <= set(range(6))


def test_the_products_sampler_gives_the_same_search_again() -> None:
    """Measured seconds do not enter."""
    task = task_with_seconds({5: 2.5})
    runs = [simulate(task, sweep("tpe"), 3, trials=15) for _ in range(2)]
    assert runs[0].curve == runs[1].curve
    assert runs[0].seconds == runs[1].seconds
