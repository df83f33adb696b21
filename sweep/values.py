"""Name the kinds of plain values that are handed from room to room, and bring values in an order.

The names are for readers: which of its types a value has is decided by its dimension, its key or its record,
and checked when it is read (``definition.plain``), so a type checker is told nothing here.
"""

from collections.abc import Iterable, Mapping
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


def ordered(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return values in order; those that cannot be compared, such as 1 and "auto", by their type."""
    listed = list(values)
    try:
        return tuple(sorted(listed))
    except TypeError:
        return by_type(listed)


def by_type(values: Iterable[Value]) -> tuple[Value, ...]:
    """Return values by the name of their type, and those of one type in order, or else by their text.

    Examples:
        >>> by_type([True, "auto", 2, 10])
        (True, 2, 10, 'auto')
    """
    groups: dict[str, list[Value]] = {}
    for value in values:
        groups.setdefault(type(value).__name__, []).append(value)
    return tuple(value for kind in sorted(groups) for value in _of_one_type(groups[kind]))


def _of_one_type(values: list[Value]) -> list[Value]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)
