"""Name the kinds of plain values that are handed from room to room.

The names are for readers: which of its types a value has is decided by its dimension, its key or its record,
and checked when it is read (``definition.plain``), so a type checker is told nothing here.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A value of a hyperparameter: a boolean, a number, a text, None, or a list of such values."""

Params: TypeAlias = Mapping[str, Value]
"""Hyperparameter -> value."""

Toml: TypeAlias = Any
"""A value of a TOML file, such as a key of a study file; whoever reads it checks it."""

Json: TypeAlias = Any
"""A value of JSON, to be written, or as it was read."""


def key_of(params: Params) -> tuple[tuple[str, Value], ...]:
    """Return hyperparameters as a key, which is equal for replicates of a configuration."""
    return tuple(sorted(params.items()))
