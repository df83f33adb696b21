"""The order of an ablation, computed by hand from made-up losses."""

from typing import Any

import pytest

from sweep.certify.ablation.ablation_plan import Ablation, follow
from sweep.certify.ablation.changes import Change
from sweep.certify.confirm_plan import Job, Losses
from sweep.errors import ConfigError


def ablation(names: str = "abc", seeds: int = 2) -> Ablation:
    """Each letter changes from 0 to 1."""
    changes = tuple(Change(names=(name,)) for name in names)
    return Ablation(
        before=dict.fromkeys(names, 0), after=dict.fromkeys(names, 1), changes=changes, seeds=seeds
    )


def all_losses(of: Any, seeds: int = 2, last: int = 7) -> Losses:
    """Losses of every configuration in both phases: ``of(number)``, and 0.1 more on each further seed."""
    return {
        Job(number, phase, r): None if of(number) is None else of(number) + r / 10
        for number in range(last + 1)
        for phase in ("choice", "certify")
        for r in range(seeds)
    }


def always(number: int) -> bool:
    return True


def test_first_the_order_is_decided() -> None:
    """Of three changes, each alone comes first, on the same two seeds; the first configuration waits."""
    course = follow(ablation(), {}, always)
    assert course.path == (0,)
    assert course.jobs == tuple(Job(n, "choice", r) for r in (0, 1) for n in (0b001, 0b010, 0b100))


def test_each_step_takes_what_brings_most_then() -> None:
    """a alone brings 2, b 1, c 3; but after c, a brings nothing any more and b comes before it."""
    losses = {0: 9, 0b001: 7, 0b010: 8, 0b100: 6, 0b101: 6, 0b110: 5, 0b011: 6, 0b111: 4.5}
    course = follow(ablation(), all_losses(losses.get), always)
    assert course == ((0, 0b100, 0b110, 0b111), ())


def test_another_order_of_the_same_gains_follows_the_hyperparameters() -> None:
    """Where all bring the same, the earlier one comes first."""
    course = follow(ablation(), all_losses(lambda number: 9 - number.bit_count()), always)
    assert course.path == (0, 0b001, 0b011, 0b111)


def test_a_configuration_without_a_value_comes_last() -> None:
    """a diverges until b is there; it would otherwise have been first."""
    losses = {0: 9, 0b001: None, 0b010: 8, 0b100: 8.5, 0b011: 1, 0b110: 7, 0b101: None, 0b111: 0}
    assert follow(ablation(), all_losses(losses.get), always).path == (0, 0b010, 0b011, 0b111)


def test_what_the_trainer_refuses_is_left_out() -> None:
    """c needs a first; if c and b need each other, they are made together."""
    needs_a = follow(ablation(), all_losses(lambda n: -n), lambda n: not n & 0b100 or bool(n & 0b001))
    assert needs_a.path == (0, 0b010, 0b011, 0b111)
    refused = (0b010, 0b100, 0b011, 0b101)
    pair = follow(ablation(), all_losses(lambda n: -n), lambda n: n not in refused)
    assert pair.path == (0, 0b001, 0b111)


def test_only_the_steps_of_the_path_are_measured() -> None:
    """With the order decided, the path's four configurations are trained on further seeds."""
    losses = {job: loss for job, loss in all_losses(lambda n: -n).items() if job.phase == "choice"}
    course = follow(ablation(), losses, always)
    assert course.path == (0, 0b100, 0b110, 0b111)
    assert course.jobs == tuple(Job(n, "certify", r) for r in (0, 1) for n in course.path)


@pytest.mark.parametrize(("names", "order", "path"), [("a", 0, 4), ("ab", 4, 6), ("abcdefg", 54, 16)])
def test_what_it_costs_is_the_sum_of_its_rounds(names: str, order: int, path: int) -> None:
    """k + (k - 1) + ... + 2 configurations decide, k + 1 are measured, each on two seeds."""
    asked = ablation(names)
    assert asked.most_trainings == (order, path)
    trained: dict[Job, float | None] = {}
    while jobs := follow(asked, trained, always).jobs:
        trained |= {job: float(job.candidate) for job in jobs}
    assert len(trained) == order + path


def test_it_comes_back_from_plain_values() -> None:
    """Lists of the database are tuples again."""
    made = Ablation(
        before={"k": "rbf", "g": 0.1, "s": (1, 2)},
        after={"k": "poly", "s": (3,)},
        changes=(
            Change(names=("k", "g"), why=("g is active only for some values of k",)),
            Change(names=("s",)),
        ),
    )
    plain = made.to_dict()
    plain["from"]["s"], plain["to"]["s"] = [1, 2], [3]
    assert Ablation.from_dict(plain) == made
    assert made.params(0b00) == {"k": "rbf", "g": 0.1, "s": (1, 2)}
    assert made.params(0b11) == {"k": "poly", "s": (3,)}
    assert made.space.conditions == {"g": {"k": ("rbf",)}}
    for number in range(4):
        assert made.space.active_part({**made.before, **made.params(number)}) == made.params(number)


def test_nothing_and_too_few_are_refused() -> None:
    """Equal configurations, and a single seed."""
    with pytest.raises(ConfigError, match="the same"):
        Ablation(before={}, after={}, changes=())
    with pytest.raises(ConfigError, match="--seeds must be from 2 to 1,000, got 1"):
        ablation(seeds=1)
