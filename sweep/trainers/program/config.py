"""Define the configuration of a program: hyperparameters with the names of the study file."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sweep.errors import ConfigError
from sweep.values import Json, Params, Value

SEED = "seed"
"""The reserved name of the trial's seed."""

KINDS: dict[str, type] = {"int": int, "float": float, "any": object}
"""Kind of a hyperparameter in a definition -> type of its values."""


@dataclasses.dataclass(frozen=True, slots=True)
class ProgramConfig:
    """Hyperparameters of one run of a program.

    Raises:
        ConfigError: If a value is not of its hyperparameter's kind.
    """

    values: Params
    """The active hyperparameters; lists are stored as tuples."""
    seed: int = 0
    budget: str = ""
    """Name of the hyperparameter that is the run's length; empty if there is none."""

    @property
    def num_steps(self) -> int:
        """The run's length; 1 without a budget."""
        return int(self.values.get(self.budget, 1)) if self.budget else 1

    def to_dict(self) -> dict[str, Json]:
        """Return the values and the seed."""
        return {**self.values, SEED: self.seed}

    def replace(self, **changes: Any) -> "ProgramConfig":
        """Return a copy with some values changed."""
        values = {**self.values, **changes}
        return dataclasses.replace(self, seed=values.pop(SEED, self.seed), values=values)

    def sha256(self) -> str:
        """Return a hash of the values and the seed."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def make_config(values: Params, kinds: Mapping[str, str], budget: str = "") -> ProgramConfig:
    """Return a configuration, after checking that its values have the declared kinds.

    Args:
        values: Name -> value, with or without ``seed``.
        kinds: Name -> one of ``KINDS``.
        budget: Name of the hyperparameter that is the run's length.

    Raises:
        ConfigError: If a name is unknown, a value has another kind, or the length is not a whole number.
    """
    checked = {}
    for name, value in values.items():
        if name == SEED:
            continue
        if name not in kinds:
            raise ConfigError(f"{name} is not a hyperparameter of this study, which has {', '.join(kinds)}")
        checked[name] = _checked(name, value, kinds[name])
    if budget in checked:
        _check_budget(budget, checked[budget])
    return ProgramConfig(checked, values.get(SEED, 0), budget)


def _check_budget(name: str, value: Value) -> None:
    """Refuse a length that is not a whole number of at least 1; 10.0 is one."""
    is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    if not is_whole or value < 1:
        raise ConfigError(f"{name} is the budget and must be a whole number of 1 or more, got {value!r}")


def _checked(name: str, value: Value, kind: str) -> Value:
    if kind == "int" and type(value) is not int:
        raise ConfigError(f"{name} must be a whole number, got {value!r}")
    if kind == "float":
        if type(value) not in (int, float):
            raise ConfigError(f"{name} must be a number, got {value!r}")
        return float(value)
    return plain_value(name, value)


def plain_value(name: str, value: Value) -> Value:
    """Return a value that can be passed to a program; a list becomes a tuple.

    Raises:
        ConfigError: If it is not text, a number, a boolean or a list of these, or contains a line break.
    """
    if isinstance(value, list | tuple):
        return tuple(plain_value(name, entry) for entry in value)
    if not isinstance(value, str | bool | int | float):
        raise ConfigError(f"{name} must be text, a number, true, false or a list of these, got {value!r}")
    if isinstance(value, str) and any(c in value for c in "\0\n\r"):
        raise ConfigError(f"{name} must not contain a line break or NUL, got {value!r}")
    return value
