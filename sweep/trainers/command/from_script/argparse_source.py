"""Read the options of a script that uses ``argparse`` from its source."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sweep.trainers.command.from_script.calls import CallReader, bounds_of, kind_of
from sweep.trainers.command.from_script.literals import constants
from sweep.trainers.command.from_script.option import Option, ScriptOptions, reachable

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
            found[option.name] = _joined(found.get(option.name), option)
    if any(_is_method(node, "add_subparsers") for node in ast.walk(tree)):
        unread.append("subcommands: add the one that trains to command, before {args}")
    _warn_of_groups(tree, found)
    changed = dict(_changed_defaults(tree, names))
    options = (_with_default(o, changed[o.name]) if o.name in changed else o for o in found.values())
    return ScriptOptions(options=tuple(map(reachable, options)), unread=tuple(unread))


def _joined(first: Option | None, second: Option) -> Option:
    """Return the option of two ``add_argument`` with one ``dest``; argparse takes the first one's default."""
    if first is None:
        return second
    if first.is_flag and second.is_flag:
        return replace(
            first,
            flag=first.flag or second.flag,
            off_flag=first.off_flag or second.off_flag,
            help=first.help or second.help,
        )
    return first if second.is_flag or not second.is_usable else second


def _with_default(option: Option, default: Any) -> Option:
    is_known = default is not None
    return replace(option, default=bool(default) if option.is_flag and is_known else default)


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
        for option in members if len(members) > 1 else []:
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
    return replace(option, kind="bool", is_flag=True, default=_flag_default(option, reader, usual=False))


def _turned_off(option: Option, reader: CallReader) -> Option:
    """Return an option that is on unless its flag is given."""
    default = _flag_default(option, reader, usual=True)
    return replace(option, kind="bool", is_flag=True, flag=None, off_flag=option.flag, default=default)


def _flag_default(option: Option, reader: CallReader, *, usual: bool) -> bool | None:
    """Return the default of a flag; None if it is known only when the script runs."""
    node = reader.node("default")
    if node is None:
        return usual
    is_known = option.default is not None or isinstance(node, ast.Constant)
    return bool(option.default) if is_known else None


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
