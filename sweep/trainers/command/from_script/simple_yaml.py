"""Read the plain part of a YAML file: nested tables, and single-line values.

This covers most Hydra configurations. Other YAML, such as text blocks and anchors, is skipped.
"""

import ast
import re
from collections.abc import Iterator
from typing import Any

from sweep.values import Json

_ENTRY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w.-]*|'[^']*'|\"[^\"]*\")\s*:(?:\s+(?P<value>.*))?$")
_ITEM = re.compile(r"\s*-\s+(?P<value>.*)$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?P<fraction>\.[0-9]*)?|\.[0-9]+)(?P<exponent>[eE][-+]?[0-9]+)?")


def read_simple_yaml(text: str) -> tuple[dict[str, Json], list[str]]:
    r"""Return dotted name -> value, and the skipped lines.

    Examples:
        >>> read_simple_yaml("lr: 0.1\nmodel:\n  depth: 2  # layers\n  act: relu\n")
        ({'lr': 0.1, 'model.depth': 2, 'model.act': 'relu'}, [])
    """
    values: dict[str, Json] = {}
    left_out: list[str] = []
    path: list[tuple[int, str]] = []
    for line in _lines(text):
        entry = _ENTRY.match(line)
        if not entry:
            left_out.append(line.strip())
            continue
        indent = len(entry["indent"])
        path = [(place, key) for place, key in path if place < indent]
        name = ".".join([*(key for _, key in path), entry["key"].strip("'\"")])
        path.append((indent, entry["key"].strip("'\"")))
        if entry["value"] is not None:
            _take(values, left_out, name, entry["value"].strip(), line)
    return values, left_out


def _take(values: dict[str, Json], left_out: list[str], name: str, text: str, line: str) -> None:
    try:
        values[name] = yaml_value(text)
    except ValueError:
        left_out.append(line.strip())


def read_defaults(text: str) -> list[str]:
    """Return the entries of the list ``defaults`` at the top: ``model: resnet``, ``_self_``."""
    entries: list[str] = []
    is_inside = False
    for line in _lines(text):
        item = _ITEM.match(line)
        if item and is_inside:
            entries.append(item["value"].strip())
        else:
            is_inside = line.rstrip() == "defaults:"
    return entries


def yaml_value(text: str) -> Any:
    """Return the value of one line of YAML.

    Raises:
        ValueError: If the value is not a scalar or a list of scalars.
    """
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if number := _NUMBER.fullmatch(text):
        return float(text) if number["fraction"] or number["exponent"] or "." in text else int(text)
    if text[0] == "[" and text[-1] == "]":
        return [yaml_value(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if text[0] in "'\"" and text[-1] == text[0] and len(text) > 1:
        return _quoted(text)
    if text[0] in "[]{}|>&*!%@`'\"," or "${" in text:
        raise ValueError("more than a scalar")
    return text


def _quoted(text: str) -> str:
    try:
        value = ast.literal_eval(text) if text[0] == '"' else text[1:-1].replace("''", "'")
    except SyntaxError as error:
        raise ValueError("not understood") from error
    return str(value)


def _lines(text: str) -> Iterator[str]:
    """Yield the non-empty lines, without comments."""
    for line in text.splitlines():
        bare = _COMMENT.sub("", line) if "#" in line and not re.search(r"['\"].*#.*['\"]", line) else line
        if bare.strip() and bare.strip() != "---":
            yield bare.rstrip()
