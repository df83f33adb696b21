"""TrainConfig: each rule of each field, and what its hash depends on."""

import dataclasses
import math
from typing import Any

import pytest

from sweep.errors import ConfigError, SweepError
from sweep.trainers.mlp.config import TrainConfig

INTEGERS = {
    "block_size": (1, 256),
    "embedding_dim": (1, 4_096),
    "hidden_neurons": (1, 65_536),
    "batch_size": (1, 65_536),
    "num_steps": (1, 1_000_000_000),
    "seed": (0, 2**53 - 1),
    "hidden_layers": (1, 4),
}
FLOATS = (
    *("learning_rate", "final_learning_rate", "decay_at", "weight_decay", "momentum"),
    *("beta1", "beta2", "epsilon", "warmup", "dropout"),
)
TEXTS = ("schedule", "init", "optimizer")

OTHER_VALUES: dict[str, Any] = {
    "block_size": 4,
    "embedding_dim": 11,
    "hidden_neurons": 201,
    "batch_size": 33,
    "num_steps": 200_001,
    "learning_rate": 0.2,
    "final_learning_rate": 0.02,
    "decay_at": 0.6,
    "schedule": "cosine",
    "init": "normal",
    "weight_decay": 0.001,
    "momentum": 0.9,
    "seed": 1,
    "optimizer": "adamw",
    "beta1": 0.8,
    "beta2": 0.99,
    "epsilon": 1e-6,
    "warmup": 0.1,
    "hidden_layers": 2,
    "dropout": 0.2,
}
TOGETHER = OTHER_VALUES | {"momentum": 0.0}
"""Values that one configuration may have."""


def test_every_field_is_covered_here() -> None:
    """A new field must join these tests."""
    fields = {field.name for field in dataclasses.fields(TrainConfig)}
    assert fields == {*INTEGERS, *FLOATS, *TEXTS} == set(OTHER_VALUES)


@pytest.mark.parametrize("name", INTEGERS)
def test_whole_numbers_are_held_to_their_range(name: str) -> None:
    """Both ends are taken; one below and one above are refused with name and value."""
    low, high = INTEGERS[name]
    for value in (low, high):
        assert getattr(TrainConfig(**{name: value}), name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ConfigError, match=rf"{name} must be from {low} to {high:,}, got {value:,}$"):
            TrainConfig(**{name: value})


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [True, False, 3.0, "3", None, [3]])
def test_whole_number_fields_take_nothing_else(name: str, value: Any) -> None:
    """A bool, a float, a text, nothing or a list is no whole number."""
    for build in (lambda: TrainConfig(**{name: value}), lambda: TrainConfig.from_dict({name: value})):
        with pytest.raises(ConfigError, match=rf"{name} must be a whole number, got "):
            build()


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [True, False, "0.1", None, [0.1]])
def test_number_fields_take_nothing_else(name: str, value: Any) -> None:
    """A bool, a text, nothing or a list is no number."""
    with pytest.raises(ConfigError, match=rf"{name} must be a number, got "):
        TrainConfig.from_dict({name: value})


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.1, -1e-300])
def test_number_fields_refuse_what_is_not_finite_or_below_zero(name: str, value: float) -> None:
    """NaN, both infinities and negative numbers are refused with name and value."""
    with pytest.raises(ConfigError, match=rf"{name} must be .*, got {value}$"):
        TrainConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("learning_rate", 0.0), ("decay_at", 0.0), ("momentum", 1.0), ("momentum", 1.5)]
    + [(name, 1.0) for name in ("beta1", "beta2", "dropout")]
    + [("epsilon", 0.0), ("epsilon", 1.1), ("warmup", 1.1)],
)
def test_open_ends_are_refused(name: str, value: float) -> None:
    """A learning rate of 0, a decay at 0 and a momentum of 1 are outside."""
    with pytest.raises(ConfigError, match=rf"{name} must be .*, got {value}$"):
        TrainConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("final_learning_rate", 0.0), ("weight_decay", 0.0), ("momentum", 0.0), ("decay_at", 1e9)],
        *[("beta1", 0.0), ("beta2", 0.0), ("epsilon", 1e-30), ("epsilon", 1.0)],
        *[("warmup", 0.0), ("warmup", 1.0), ("dropout", 0.0)],
    ],
)
def test_closed_ends_are_taken(name: str, value: float) -> None:
    """0 switches the final rate, the decay or the momentum off; a late drop never comes."""
    assert getattr(TrainConfig(**{name: value}), name) == value


@pytest.mark.parametrize("name", ["learning_rate", "final_learning_rate", "weight_decay"])
def test_rates_that_float32_cannot_hold_are_refused(name: str) -> None:
    """A rate of 1e39 would be infinite where it is used."""
    assert getattr(TrainConfig(**{name: 1e38}), name) == 1e38
    with pytest.raises(ConfigError, match=rf"{name} must be .* 1e38, got 1e\+39$"):
        TrainConfig(**{name: 1e39})


@pytest.mark.parametrize(
    ("name", "choices"),
    [("schedule", "step or cosine"), ("init", "scaled or normal"), ("optimizer", "sgd or adamw")],
)
def test_texts_are_one_of_their_choices(name: str, choices: str) -> None:
    """Another text is refused with the choices, another type with the kind."""
    with pytest.raises(ConfigError, match=rf"{name} must be {choices}, got 'other'$"):
        TrainConfig(**{name: "other"})
    with pytest.raises(ConfigError, match=rf"{name} must be a text, got 1$"):
        TrainConfig(**{name: 1})


def test_unknown_key_is_refused() -> None:
    """A misspelt key is named together with those that exist."""
    with pytest.raises(
        ConfigError,
        match=r"hyperparameter 'hidden_neuron'; did you mean hidden_neurons\? known: block_size, .*seed",
    ):
        TrainConfig.from_dict({"hidden_neuron": 10})


def test_whole_number_is_accepted_for_a_number() -> None:
    """``learning_rate = 1`` in a file means 1.0, and is the same configuration."""
    config = TrainConfig.from_dict({"learning_rate": 1, "momentum": 0, "decay_at": 100_000})
    assert [type(v) for v in (config.learning_rate, config.momentum, config.decay_at)] == [float] * 3
    same = TrainConfig(learning_rate=1.0, momentum=0.0, decay_at=100_000.0)
    assert config == same
    assert config.sha256() == same.sha256()


def test_whole_number_too_large_for_a_float_is_refused() -> None:
    """A number of 401 digits is refused, not a crash."""
    with pytest.raises(ConfigError, match="learning_rate must be "):
        TrainConfig.from_dict({"learning_rate": 10**400})


def test_configurations_are_frozen() -> None:
    """No field can be set, and there is no place for another."""
    config = TrainConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.block_size = 4  # type: ignore[misc]
    with pytest.raises(TypeError):
        TrainConfig(4)  # type: ignore[misc]
    assert not hasattr(config, "__dict__")


def test_replace_checks_again() -> None:
    """A copy with a changed field obeys the rules; the original stays."""
    config = TrainConfig(seed=3)
    assert config.replace(block_size=8).to_dict() == {**config.to_dict(), "block_size": 8}
    assert config.block_size == 3
    with pytest.raises(ConfigError, match="block_size must be from 1 to 256, got 0"):
        config.replace(block_size=0)


def test_dict_round_trip_is_exact() -> None:
    """All fields go out and come back."""
    config = TrainConfig(**TOGETHER)
    assert config.to_dict() == TOGETHER
    assert TrainConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_hash_differs_when_any_field_differs(name: str) -> None:
    """Each field by itself changes the hash; equal configurations have equal hashes."""
    changed = TrainConfig(**{name: OTHER_VALUES[name]})
    assert len(changed.sha256()) == 64
    assert changed.sha256() != TrainConfig().sha256()
    assert changed.sha256() == TrainConfig(**{name: OTHER_VALUES[name]}).sha256()


def test_hashes_of_all_single_changes_are_distinct() -> None:
    """No two fields share their place in the hash."""
    assert len({TrainConfig(**{n: v}).sha256() for n, v in OTHER_VALUES.items()}) == len(OTHER_VALUES)


def test_parameters_are_counted_as_by_hand() -> None:
    """V 27, T 3, D 10, H 200: 270 + 6,000 + 200 + 5,400 + 27 parameters."""
    config = TrainConfig(block_size=3, embedding_dim=10, hidden_neurons=200)
    assert config.n_params(27) == 270 + 6_000 + 200 + 5_400 + 27
    assert config.parameter_shapes(27) == {
        "C": (27, 10),
        "W1": (30, 200),
        "b1": (200,),
        "W2": (200, 27),
        "b2": (27,),
    }


def test_each_further_layer_adds_a_square_matrix_and_a_bias() -> None:
    """With H 200 two more layers are 2 (40,000 + 200) parameters."""
    one, three = TrainConfig(hidden_neurons=200), TrainConfig(hidden_neurons=200, hidden_layers=3)
    assert three.n_params(27) - one.n_params(27) == 2 * (200 * 200 + 200)
    assert list(three.parameter_shapes(27))[5:] == ["R2", "r2", "R3", "r3"]


def test_momentum_is_refused_with_adamw() -> None:
    """One line says which value, and what takes its place."""
    with pytest.raises(ConfigError, match=r"^momentum must be 0 with optimizer adamw, .* beta1 .*, got 0.9$"):
        TrainConfig(optimizer="adamw", momentum=0.9)


def test_the_hash_at_the_defaults_is_that_of_the_first_release() -> None:
    """Written down before the optimizer, depth and dropout were added."""
    assert TrainConfig().sha256() == "1bab305cea304af2628e30b4763fca1a39abdf5eff855dd837c349f2f1893801"
    assert (
        TrainConfig(seed=3, block_size=8, momentum=0.9).sha256()
        == "60377bafd9fac010f55515bc0e1367819e988632d194e8a1bdc4df419a9e7457"
    )


def test_config_error_is_also_a_value_error() -> None:
    """Library users may catch ValueError; the command line catches SweepError."""
    assert issubclass(ConfigError, SweepError)
    assert issubclass(ConfigError, ValueError)
