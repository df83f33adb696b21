"""Read the options of a script that uses ``click`` from its source."""

import ast
from typing import Any

from sweep.trainers.command.from_script.calls import CallReader, kind_of
from sweep.trainers.command.from_script.literals import constants
from sweep.trainers.command.from_script.option import Option, ScriptOptions, reachable

_TYPES = {
    "int": "int",
    "INT": "int",
    "IntRange": "int",
    "float": "float",
    "FLOAT": "float",
    "FloatRange": "float",
    "str": "text",
    "STRING": "text",
    "Path": "text",
    "File": "text",
    "bool": "bool",
    "BOOL": "bool",
}
"""Type name -> kind."""


def click_options(tree: ast.Module) -> ScriptOptions:
    """Return the options of every ``@click.option`` and ``@click.argument`` in a script."""
    names = constants(tree)
    found: dict[str, Option] = {}
    unread: list[str] = []
    calls = [c for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) for c in _decorators(n)]
    for call in sorted(calls, key=lambda call: call.lineno):
        reader = CallReader(call, names)
        words = reader.texts()
        if words is None or reader.has_double_star():
            unread.append(f"line {call.lineno}: {ast.unparse(call)[:80]}")
            continue
        option = _option(words, reader, is_positional=_name(call.func) == "argument")
        found[option.name] = option
    options = tuple(map(reachable, found.values()))
    return ScriptOptions(style="click", options=options, unread=tuple(unread))


def _decorators(function: ast.FunctionDef) -> list[ast.Call]:
    return [
        node
        for node in function.decorator_list
        if isinstance(node, ast.Call) and _name(node.func) in ("option", "argument")
    ]


def _name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _option(words: list[str], reader: CallReader, *, is_positional: bool) -> Option:
    """Return the option of one decorator."""
    flags = [word for word in words if word.startswith("-")]
    flag, _, off_flag = next(
        (word for word in flags if word.startswith("--")), (flags or words)[0]
    ).partition("/")
    own = next((word for word in words if not word.startswith("-")), flag.lstrip("-"))
    default = reader.value("default")
    is_flag = bool(off_flag) or reader.value("is_flag") is True or reader.value("flag_value") is True
    kind, choices, bounds = _type(reader, default)
    nargs = reader.value("nargs")
    return Option(
        name=own.replace("-", "_").lower(),
        flag=None if is_positional else flag.strip(),
        off_flag=off_flag.strip() or None,
        kind="bool" if is_flag else kind,
        is_flag=is_flag,
        is_list=reader.value("multiple") is True or nargs == -1 or (isinstance(nargs, int) and nargs > 1),
        default=default if not is_flag or _is_unknown(reader, default) else bool(default),
        choices=choices,
        bounds=bounds,
        is_required=is_positional or reader.value("required") is True,
        help=_help(reader),
        warnings=tuple(reader.warnings),
    )


def _is_unknown(reader: CallReader, default: object) -> bool:
    """Return whether a default is known only when the script runs."""
    node = reader.node("default")
    return default is None and node is not None and not isinstance(node, ast.Constant)


def _help(reader: CallReader) -> str:
    node = reader.node("help")
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _type(
    reader: CallReader, default: object
) -> tuple[str | None, tuple[Any, ...], tuple[float, float] | None]:
    """Return the kind, choices and bounds of an option's type."""
    node = reader.node("type")
    if node is None:
        return kind_of(default) or "text", (), None
    name = _name(node.func if isinstance(node, ast.Call) else node)
    inner = CallReader(node, reader.names) if isinstance(node, ast.Call) else None
    if inner and name == "Choice":
        choices = _entries(inner, reader)
        return kind_of(choices), choices, None
    if name not in _TYPES:
        reader.warnings.append(f"The script converts it by {ast.unparse(node)}.")
    return (
        _TYPES.get(name, kind_of(default)),
        (),
        _bounds(inner) if inner and name.endswith("Range") else None,
    )


def _entries(inner: CallReader, reader: CallReader) -> tuple[Any, ...]:
    inner.call = ast.Call(inner.call.func, [], [ast.keyword("choices", arg) for arg in inner.call.args[:1]])
    choices = inner.value("choices")
    reader.warnings += inner.warnings
    return tuple(choices) if isinstance(choices, list) else ()


def _bounds(inner: CallReader) -> tuple[float, float] | None:
    """Return the bounds of ``IntRange(1, 10)`` or ``FloatRange(min=0, max=1)``, if it has both."""
    keywords = [ast.keyword(name, arg) for name, arg in zip(("min", "max"), inner.call.args, strict=False)]
    inner.call = ast.Call(inner.call.func, [], [*keywords, *inner.call.keywords])
    low, high = inner.value("min"), inner.value("max")
    return (low, high) if isinstance(low, int | float) and isinstance(high, int | float) else None
