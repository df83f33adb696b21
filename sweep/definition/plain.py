"""Check untrusted plain values: the TOML of a file, the JSON of a database.

``check_plain`` bounds nesting and integers. ``check_kind`` compares values with type annotations, so that a
record's class alone defines what may be stored. Nothing is converted.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

MAX_DEPTH = 32
"""Largest nesting of tables and lists; a study file needs five levels."""

_ALWAYS_PLAIN = frozenset({float, str, bool, types.NoneType})

_Check = Callable[[Any, str], None]


def as_read(value: Any) -> Any:
    """Return a JSON value with its lists as tuples, so that it is hashable.

    Examples:
        >>> as_read([64, [32, "x"]]), as_read("text")
        ((64, (32, 'x')), 'text')
    """
    return tuple(map(as_read, value)) if isinstance(value, list) else value


def check_plain(value: object, where: str = "") -> None:
    """Refuse nesting that would overflow a recursive walk, and whole numbers beyond 64 bits.

    Args:
        value: Mappings, lists and values, as read from TOML or JSON.
        where: Key of the value; the prefix of keys in messages.

    Raises:
        ValueError: For the first such key, searched level by level from the top.

    Examples:
        >>> check_plain({"trials": 2**70})
        Traceback (most recent call last):
        ...
        ValueError: key 'trials' holds a whole number of 71 bits; TOML has 64
    """
    if type(value) in _ALWAYS_PLAIN or (type(value) is int and -(2**63) <= value < 2**63):
        return  # most values
    found: list[tuple[str, object, int]] = [(where, value, 0)]
    for key, entry, depth in found:  # the loop appends to the list
        if depth > MAX_DEPTH:
            raise ValueError(f"key {key!r} is nested more than {MAX_DEPTH} levels deep")
        if type(entry) in _ALWAYS_PLAIN:
            continue
        if isinstance(entry, Mapping):
            found += [(f"{key}.{name}".lstrip("."), inner, depth + 1) for name, inner in entry.items()]
        elif isinstance(entry, list | tuple):
            found += [(key, inner, depth + 1) for inner in entry]
        elif isinstance(entry, int) and not -(2**63) <= entry < 2**63:
            raise ValueError(f"key {key!r} holds a whole number of {entry.bit_length()} bits; TOML has 64")


def check_kind(value: object, kind: Any, where: str) -> None:
    """Refuse a value that does not match a type annotation, including the values inside it.

    Args:
        value: A dataclass instance, or plain values.
        kind: A class, ``Any`` for any plain value, or ``dict``, ``list``, ``tuple``, a union or a
            ``TypedDict`` of these. ``float`` accepts whole numbers too.
        where: Name of the value in messages.

    Raises:
        ValueError: With the key of the mismatch and both types.

    Examples:
        >>> check_kind({"torch": 2}, dict[str, str], "environment")
        Traceback (most recent call last):
        ...
        ValueError: environment.torch is int, not str
    """
    _checker(kind)(value, where)


@functools.cache
def _checker(kind: Any) -> _Check:
    if kind is Any:
        return check_plain
    if typing.is_typeddict(kind):
        return _typed_dict_checker(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass_checker(kind)
    make = _MAKERS.get(typing.get_origin(kind), _class_checker)
    return make(kind)


def _class_checker(kind: Any) -> _Check:
    allowed = (int, float) if kind is float else (kind,)

    def check(value: Any, where: str) -> None:
        kind_of_value = type(value)
        if kind_of_value not in allowed:
            raise ValueError(f"{where} is {kind_of_value.__name__}, not {kind.__name__}")
        if kind_of_value is int and not -(2**63) <= value < 2**63:
            check_plain(value, where)

    return check


def _dict_checker(kind: Any) -> _Check:
    of_keys, of_values = map(_checker, typing.get_args(kind))
    is_dict = _class_checker(dict)

    def check(value: Any, where: str) -> None:
        is_dict(value, where)
        for key, entry in value.items():
            of_keys(key, where)
            of_values(entry, f"{where}.{key}")

    return check


def _list_checker(kind: Any) -> _Check:
    of_entries = _checker(typing.get_args(kind)[0])
    is_list = _class_checker(typing.get_origin(kind))

    def check(value: Any, where: str) -> None:
        is_list(value, where)
        for place, entry in enumerate(value):
            of_entries(entry, f"{where}[{place}]")

    return check


def _union_checker(kind: Any) -> _Check:
    kinds = typing.get_args(kind)
    checks = [_checker(each) for each in kinds]
    simple = _simple_types(kind)

    def check(value: Any, where: str) -> None:
        if type(value) in simple:
            return  # fast path for most values: a failed check costs an exception
        refusals = []
        for check_one in checks:
            refusal = _refusal(check_one, value, where)
            if refusal is None:
                return
            refusals.append(refusal)
        raise refusals[0]

    return check


def _simple_types(kind: Any) -> frozenset[Any]:
    """Return the types whose values match an annotation whatever they are."""
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return _ALWAYS_PLAIN & frozenset(typing.get_args(kind) if is_union else [kind])


def _refusal(check: _Check, value: Any, where: str) -> ValueError | None:
    try:
        check(value, where)
    except ValueError as error:
        return error
    return None


def _dataclass_checker(kind: Any) -> _Check:
    is_one = _class_checker(kind)
    hints = typing.get_type_hints(kind)
    fields = [
        (field.name, _simple_types(hints[field.name]), _checker(hints[field.name]))
        for field in dataclasses.fields(kind)
    ]

    def check(value: Any, where: str) -> None:
        is_one(value, where)
        for name, simple, check_one in fields:
            entry = getattr(value, name)
            if type(entry) not in simple:  # the key is formatted only for the others
                check_one(entry, f"{where}.{name}")

    return check


def _typed_dict_checker(kind: Any) -> _Check:
    checks = {name: _checker(hint) for name, hint in typing.get_type_hints(kind).items()}
    is_dict = _class_checker(dict)

    def check(value: Any, where: str) -> None:
        is_dict(value, where)
        for name in checks.keys() & (kind.__required_keys__ | value.keys()):
            if name not in value:
                raise ValueError(f"{where} lacks {name!r}")
            checks[name](value[name], f"{where}.{name}")

    return check


_MAKERS: dict[Any, Callable[[Any], _Check]] = {
    dict: _dict_checker,
    list: _list_checker,
    tuple: _list_checker,
    typing.Union: _union_checker,
    types.UnionType: _union_checker,
}
"""Origin of an annotation -> the function that makes its check; any other annotation is a class."""
