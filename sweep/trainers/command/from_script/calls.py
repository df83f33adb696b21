"""Read the arguments of a call from a script's source."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweep.trainers.command.from_script.literals import UnknownValueError, value_of


@dataclass(slots=True)
class CallReader:
    """Reads one call, and collects warnings about arguments that it cannot read."""

    call: ast.Call
    names: Mapping[str, ast.expr]
    warnings: list[str] = field(default_factory=list)

    def node(self, keyword: str) -> ast.expr | None:
        """Return the expression of a keyword argument."""
        return next((entry.value for entry in self.call.keywords if entry.arg == keyword), None)

    def source(self, keyword: str) -> str:
        """Return the source of a keyword argument; empty if absent."""
        node = self.node(keyword)
        return "" if node is None else ast.unparse(node)

    def value(self, keyword: str) -> Any:
        """Return the value of a keyword argument; None if absent or, with a warning, unreadable."""
        node = self.node(keyword)
        if node is None:
            return None
        try:
            return value_of(node, self.names)
        except UnknownValueError:
            self.warnings.append(f"Its {keyword} is known only when the script runs: {ast.unparse(node)}.")
            return None

    def texts(self) -> list[str] | None:
        """Return the positional arguments, if all are text."""
        try:
            values = [value_of(argument, self.names) for argument in self.call.args]
        except UnknownValueError:
            return None
        return values if values and all(isinstance(value, str) for value in values) else None

    def has_double_star(self) -> bool:
        """Return whether the call has ``**options``, which may contain any argument."""
        return any(entry.arg is None for entry in self.call.keywords)


def kind_of(value: object) -> str | None:
    """Return the kind of a plain value, one of ``option.KINDS``.

    Examples:
        >>> kind_of(True), kind_of(3), kind_of(0.5), kind_of("x"), kind_of([1, 2]), kind_of(None)
        ('bool', 'int', 'float', 'text', 'int', None)
    """
    if isinstance(value, list | tuple):
        kinds = {kind_of(entry) for entry in value}
        return kinds.pop() if len(kinds) == 1 else None
    return next((kind for of, kind in _KINDS if isinstance(value, of)), None)


_KINDS: tuple[tuple[type, str], ...] = ((bool, "bool"), (int, "int"), (float, "float"), (str, "text"))


def bounds_of(choices: list[Any]) -> tuple[float, float] | None:
    """Return the ends of consecutive integers, such as ``range(1, 9)``."""
    if len(choices) < 4 or not all(type(choice) is int for choice in choices):
        return None
    low, high = min(choices), max(choices)
    return (low, high) if sorted(choices) == list(range(low, high + 1)) else None
