"""Read the options of a script that uses ``argparse`` from its source."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sweep.trainers.command.from_script.calls import CallReader, bounds_of, kind_of
from sweep.trainers.command.from_script.literals import constants
from sweep.trainers.command.from_script.option import Option, ScriptOptions

_TYPES = {
    "int": "int",
    "float": "float",
    "str": "text",
    "bool": "bool",
    "Path": "text",
    "pathlib.Path": "text",
}

_NO_OPTIONS = ("help", "version")
"""Actions that print something and exit."""

BOOL_TRAP = (
    'argparse\'s type=bool reads every text as true, even "False"; only the empty text is false, '
    "so the pair below uses it."
)


def argparse_options(tree: ast.Module) -> ScriptOptions:
    """Return the options of every ``add_argument`` in a script."""
    names = constants(tree)
    found: dict[str, Option] = {}
    unread: list[str] = []
    for call in _calls(tree):
        reader = CallReader(call, names)
        flags = reader.texts()
        if flags is None or reader.has_double_star():
            unread.append(f"line {call.lineno}: {ast.unparse(call)[:80]}")
        elif _action(reader) not in _NO_OPTIONS:
            option = _option(flags, reader)
            found[option.name] = option
    if any(_is_method(node, "add_subparsers") for node in ast.walk(tree)):
        unread.append("subcommands: add the one that trains to command, before {args}")
    _warn_of_groups(tree, found)
    changed = dict(_changed_defaults(tree, names))
    options = (replace(o, default=changed.get(o.name, o.default)) for o in found.values())
    return ScriptOptions(options=tuple(options), unread=tuple(unread))


def _is_method(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


def _calls(tree: ast.Module) -> list[ast.Call]:
    """Return the calls of ``add_argument``, or of a variable that holds it, in source order."""
    aliases = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.value, "attr", "") == "add_argument"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = [c for c in calls if _is_method(c, "add_argument") or getattr(c.func, "id", "") in aliases]
    return sorted(found, key=lambda call: (call.lineno, call.col_offset))


def _warn_of_groups(tree: ast.Module, found: dict[str, Option]) -> None:
    """Add a warning to each option of a mutually exclusive group; groups are found by variable name."""
    groups = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_method(node.value, "add_mutually_exclusive_group")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    owners = {call.lineno: ast.unparse(call.func).partition(".")[0] for call in _calls(tree)}
    for group in groups & set(owners.values()):
        members = [option for option in found.values() if owners.get(option.line) == group]
        flags = ", ".join(option.flag or option.off_flag or option.name for option in members)
        for option in members:
            warning = f"Only one of {flags} may be given."
            found[option.name] = replace(option, warnings=(*option.warnings, warning))


def _changed_defaults(tree: ast.Module, names: dict[str, ast.expr]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values that ``set_defaults`` changes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_method(node, "set_defaults"):
            for keyword in node.keywords:
                if keyword.arg:
                    yield keyword.arg, CallReader(node, names).value(keyword.arg)


def _option(flags: list[str], reader: CallReader) -> Option:
    """Return the option of one ``add_argument``."""
    flag = next((text for text in flags if text.startswith("--")), flags[0])
    is_positional = not flag.startswith("-")
    dest = reader.value("dest")
    name = dest if isinstance(dest, str) else flag.lstrip("-").replace("-", "_")
    option = Option(
        name=name,
        line=reader.call.lineno,
        flag=None if is_positional else flag,
        default=reader.value("default"),
        is_required=reader.value("required") is True
        or (is_positional and reader.value("nargs") not in ("?", "*")),
        help=_text(reader.node("help")),
    )
    option = _ACTIONS.get(_action(reader), _other_action)(option, reader)
    return replace(option, warnings=tuple(reader.warnings))


def _action(reader: CallReader) -> str:
    """Return the name of an action, which is given as text or as a class."""
    return reader.source("action").rpartition(".")[2].strip("'\"") or "store"


def _text(node: ast.expr | None) -> str:
    """Return the text of a help string; computed parts are omitted."""
    parts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)] if node else []
    return "".join(part for part in parts if isinstance(part, str))


def _stored(option: Option, reader: CallReader) -> Option:
    """Return an option that takes a value."""
    source = reader.source("type")
    choices = reader.value("choices")
    listed = choices if isinstance(choices, list) else []
    nargs = reader.value("nargs")
    kind = _TYPES.get(source) if source else (kind_of(listed) or kind_of(option.default) or "text")
    if source and kind is None:
        reader.warnings.append(f"The script converts it by {source}.")
        kind = kind_of(option.default)
    if not source and kind in ("int", "float", "bool"):
        reader.warnings.append("It has no type, so the script gets text.")
    if kind == "bool" and source == "bool":
        reader.warnings.append(BOOL_TRAP)
    bounds = bounds_of(listed)
    return replace(
        option,
        kind=kind,
        choices=() if bounds else tuple(listed),
        bounds=bounds,
        is_list=nargs in ("+", "*") or (isinstance(nargs, int) and nargs > 0),
        off_flag=f"{option.flag}=" if source == "bool" else None,
    )


def _turned_on(option: Option, reader: CallReader) -> Option:
    return replace(option, kind="bool", is_flag=True, default=option.default is True)


def _turned_off(option: Option, reader: CallReader) -> Option:
    """Return an option that is on unless its flag is given."""
    return replace(
        option,
        kind="bool",
        is_flag=True,
        flag=None,
        off_flag=option.flag,
        default=option.default is not False,
    )


def _paired(option: Option, reader: CallReader) -> Option:
    off = "--no-" + (option.flag or "").lstrip("-")
    return replace(option, kind="bool", is_flag=True, off_flag=off)


def _other_action(option: Option, reader: CallReader) -> Option:
    reader.warnings.append(
        f"Its action {reader.source('action')} has no form in a study; write its tokens into command."
    )
    return replace(option, is_usable=False)


_ACTIONS = {
    "store": _stored,
    "store_true": _turned_on,
    "store_false": _turned_off,
    "BooleanOptionalAction": _paired,
}
