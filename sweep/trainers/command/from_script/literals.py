"""Evaluate literals, and names assigned to them, in a syntax tree without running it."""

import ast
from collections.abc import Mapping

from sweep.values import Value

_LONGEST = 10_000
"""Largest number of entries of a ``range``, and of digits of a power."""

_COPIES = {"list", "tuple", "sorted", "set", "dict"}
"""Functions that return the entries of their argument."""


class UnknownValueError(Exception):
    """A value is known only when the script runs."""


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return the expressions of names that a module assigns exactly once, at top level."""
    found: dict[str, ast.expr] = {}
    twice: set[str] = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                twice |= {target.id} & found.keys()
                found[target.id] = value
    return {name: value for name, value in found.items() if name not in twice}


def value_of(node: ast.expr, names: Mapping[str, ast.expr], depth: int = 20) -> Value:
    """Return the plain value of an expression.

    Args:
        node: The expression.
        names: The result of ``constants``.
        depth: Deepest allowed nesting of names and operations.

    Raises:
        UnknownValueError: If the expression is not a literal, or too deep.
    """
    if depth <= 0:
        raise UnknownValueError
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return value_of(names[node.id], names, depth - 1)
    if isinstance(node, ast.List | ast.Tuple | ast.Set | ast.Dict):
        entries = node.keys if isinstance(node, ast.Dict) else node.elts
        return [value_of(entry, names, depth - 1) for entry in entries if entry is not None]
    if isinstance(node, ast.UnaryOp | ast.BinOp):
        return _computed(node, names, depth - 1)
    if isinstance(node, ast.Call):
        return _called(node, names, depth - 1)
    raise UnknownValueError


def _computed(node: ast.UnaryOp | ast.BinOp, names: Mapping[str, ast.expr], depth: int) -> Value:
    """Return the value of a signed number, product, quotient or power."""
    if isinstance(node, ast.UnaryOp):
        value = value_of(node.operand, names, depth)
        if isinstance(node.op, ast.USub) and _is_number(value):
            return -value
        raise UnknownValueError
    left, right = value_of(node.left, names, depth), value_of(node.right, names, depth)
    if not (_is_number(left) and _is_number(right)):
        raise UnknownValueError
    try:
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Div):
            return left / right
        if isinstance(node.op, ast.Pow) and abs(left) <= _LONGEST and abs(right) <= 64:
            return left**right
    except (ArithmeticError, ValueError) as error:
        raise UnknownValueError from error
    raise UnknownValueError


def _called(node: ast.Call, names: Mapping[str, ast.expr], depth: int) -> Value:
    """Return the entries of ``list(...)``, ``sorted(...)``, ``X.keys()`` or ``range(...)``."""
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr == "keys" and not node.args:
        return value_of(function.value, names, depth)
    if not isinstance(function, ast.Name) or node.keywords:
        raise UnknownValueError
    values = [value_of(argument, names, depth) for argument in node.args]
    if function.id in _COPIES and len(values) == 1 and isinstance(values[0], list):
        return values[0]
    if function.id == "range" and values and all(type(value) is int for value in values):
        return _range(values)
    raise UnknownValueError


def _range(values: list[int]) -> list[int]:
    try:
        numbers = range(*values)
    except (TypeError, ValueError) as error:
        raise UnknownValueError from error
    if len(numbers) > _LONGEST:
        raise UnknownValueError
    return list(numbers)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
