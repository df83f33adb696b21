"""Which hyperparameters change from one configuration to another, and which of them together."""

from typing import Any

import pytest

from sweep.certify.ablation.changes import Change, changed_values, group_changes
from sweep.errors import ConfigError
from sweep.trainers.mlp.trainer import MLP
from tests.support.toy_task import TOY


def groups(changes: tuple[Change, ...]) -> list[tuple[str, ...]]:
    return [change.names for change in changes]


def test_equal_values_do_not_change() -> None:
    """Only what differs is left, in the order of the first configuration."""
    assert changed_values({"a": 1, "b": 2, "c": 3}, {"c": 4, "b": 2, "a": 0}) == (
        {"a": 1, "c": 3},
        {"c": 4, "a": 0},
    )


def test_what_belongs_to_nothing_changes_alone() -> None:
    """The toy ties no hyperparameter to another."""
    changes = group_changes(TOY, {"x": 0.1, "y": 1}, {"x": 0.2, "y": 2}, conditions={})
    assert changes == (Change(names=("x",)), Change(names=("y",)))


def test_a_conditional_hyperparameter_changes_with_its_condition() -> None:
    """gamma and degree each belong to one kernel; degree's condition names a third one by way of gamma."""
    before = {"kernel": "rbf", "gamma": 0.1, "C": 1.0}
    after = {"kernel": "poly", "degree": 3, "C": 2.0}
    changes = group_changes(
        TOY, before, after, conditions={"gamma": ["kernel"], "degree": ["kernel", "other"]}
    )
    assert groups(changes) == [("kernel", "gamma", "degree"), ("C",)]
    assert changes[0].why == (
        "gamma is active only for some values of kernel",
        "degree is active only for some values of kernel",
    )


def test_a_conditional_hyperparameter_that_both_have_changes_alone() -> None:
    """Both kernels take gamma, so its value says something under either."""
    before, after = {"kernel": "rbf", "gamma": 0.1}, {"kernel": "poly", "gamma": 0.2}
    assert groups(group_changes(TOY, before, after, conditions={"gamma": ["kernel"]})) == [
        ("kernel",),
        ("gamma",),
    ]


def test_a_hyperparameter_that_only_one_has_needs_company() -> None:
    """Without a known condition the user says what it goes with."""
    before, after = {"kernel": "rbf", "gamma": 0.1}, {"kernel": "poly"}
    with pytest.raises(
        ConfigError, match=r"gamma: only the first configuration has it; .* --together gamma,NAME"
    ):
        group_changes(TOY, before, after, conditions={})
    changes = group_changes(TOY, before, after, conditions={}, together=[["gamma", "kernel"]])
    assert changes == (Change(names=("kernel", "gamma"), why=("kernel with gamma, as asked",)),)


def test_only_changes_can_be_put_together() -> None:
    """A name that does not change is refused, with those that do."""
    with pytest.raises(ConfigError, match="--together: z does not change; these do: x, y"):
        group_changes(TOY, {"x": 0.1, "y": 1}, {"x": 0.2, "y": 2}, conditions={}, together=[["x", "z"]])


def test_rates_of_the_mlp_are_set_for_its_optimizer() -> None:
    """If the optimizer stays, its rate changes alone; if it changes, rate and decay change with it."""
    sgd: dict[str, Any] = {"learning_rate": 0.1, "optimizer": "sgd", "weight_decay": 0.0, "dropout": 0.0}
    adamw = {"learning_rate": 0.002, "optimizer": "adamw", "weight_decay": 0.1, "dropout": 0.1}
    assert groups(group_changes(MLP, sgd, adamw, conditions={})) == [
        ("learning_rate", "optimizer", "weight_decay"),
        ("dropout",),
    ]
    del sgd["optimizer"], adamw["optimizer"]
    assert len(group_changes(MLP, sgd, adamw, conditions={})) == 3
