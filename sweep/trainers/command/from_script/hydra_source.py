"""Read the options of a Hydra script from the YAML file or dataclass that ``@hydra.main`` names."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sweep.trainers.command.from_script.calls import CallReader, kind_of
from sweep.trainers.command.from_script.literals import UnknownValueError, constants, value_of
from sweep.trainers.command.from_script.option import Option, ScriptOptions
from sweep.trainers.command.from_script.simple_yaml import read_defaults, read_simple_yaml

_TYPES = {"int": "int", "float": "float", "str": "text", "bool": "bool"}

_LARGEST = 1 << 20
"""Largest configuration file that is read, in bytes."""


def hydra_main(tree: ast.Module) -> ast.Call | None:
    """Return the ``@hydra.main(...)`` of a script, or None."""
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("hydra.main", "main"):
                return decorator
    return None


def hydra_options(tree: ast.Module, main: ast.Call, folder: Path) -> ScriptOptions:
    """Return the options of a Hydra script.

    Args:
        tree: The script's source.
        main: The script's ``@hydra.main(...)``.
        folder: The script's folder.
    """
    reader = CallReader(main, constants(tree))
    where, name = reader.value("config_path"), reader.value("config_name")
    unread: list[str] = []
    options = {option.name: option for option in _dataclass_options(tree, name, unread)}
    if isinstance(name, str):
        conf = folder / where if isinstance(where, str) else folder
        path = conf / (name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
        text = _text(path)
        if text is not None:
            options |= {option.name: option for option in _file_options(text, conf, unread)}
        elif not options:
            unread.append(f"its configuration {path} cannot be read")
    named = tuple(_apart(option, options) if option.is_group else option for option in options.values())
    return ScriptOptions(style="hydra", options=named, unread=(*unread, *reader.warnings))


def _apart(group: Option, known: dict[str, Option]) -> Option:
    """Return a group under a name of its own: ``model`` is also the table of ``model.depth`` in a study."""
    name = f"{group.name}_group"
    while name in known:
        name += "_"
    return replace(group, name=name)


def _text(path: Path) -> str | None:
    try:
        content = path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else None
    except OSError:
        return None
    return None if content is None else content.decode("utf-8", "replace")


def _file_options(text: str, conf: Path, unread: list[str]) -> Iterator[Option]:
    """Yield the options of a YAML file and of the files that its ``defaults`` include."""
    for entry in read_defaults(text):
        group, _, chosen = (part.strip() for part in entry.removeprefix("override").partition(":"))
        if chosen and (conf / group).is_dir():
            known = sorted(path.stem for path in (conf / group).glob("*.yaml"))
            yield Option(
                name=group, flag=group, kind="text", is_group=True, default=chosen, choices=tuple(known)
            )
            inner = _text(conf / group / f"{chosen}.yaml")
            if inner is not None:
                yield from _value_options(inner, f"{group}.", unread)
    yield from _value_options(text, "", unread)


def _value_options(text: str, prefix: str, unread: list[str]) -> Iterator[Option]:
    values, left_out = read_simple_yaml(text)
    entries = {f"- {entry}" for entry in read_defaults(text)}
    unread += [line for line in left_out if line not in entries]
    for name, value in values.items():
        if not name.startswith("hydra."):
            yield _option(prefix + name, value, kind_of(value))


def _option(name: str, value: object, kind: str | None) -> Option:
    return Option(
        name=name,
        flag=name,
        kind=kind,
        is_list=isinstance(value, list),
        default=None if value == "???" else value,
        is_required=value == "???",
    )


def _dataclass_options(tree: ast.Module, name: object, unread: list[str]) -> Iterator[Option]:
    """Yield the options of the dataclass that the script stores as its configuration."""
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "store":
            reader = CallReader(node, constants(tree))
            stored = reader.node("node") or (node.args[1] if len(node.args) > 1 else None)
            own = reader.value("name") or next(iter(reader.texts() or ()), None)
            named = ast.unparse(stored.func if isinstance(stored, ast.Call) else stored) if stored else ""
            if own in (name, None) and named in classes and not reader.node("group"):
                yield from _fields(classes[named], classes, "", unread, constants(tree))


def _fields(
    of: ast.ClassDef,
    classes: dict[str, ast.ClassDef],
    prefix: str,
    unread: list[str],
    names: dict[str, ast.expr],
) -> Iterator[Option]:
    """Yield the fields of a dataclass and of the dataclasses nested in it."""
    for node in of.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name, annotation = prefix + node.target.id, ast.unparse(node.annotation)
        if annotation in classes and prefix.count(".") < 8:
            yield from _fields(classes[annotation], classes, f"{name}.", unread, names)
            continue
        try:
            value = (
                "???"
                if node.value is None or ast.unparse(node.value) == "MISSING"
                else value_of(node.value, names)
            )
        except UnknownValueError:
            unread.append(f"line {node.lineno}: {ast.unparse(node)[:80]}")
            continue
        yield _option(name, value, _TYPES.get(annotation) or kind_of(value))
