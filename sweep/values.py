"""Name the kinds of plain values that are handed from room to room."""

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
