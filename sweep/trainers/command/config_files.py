"""Write a trial's parameters to the files ``{config.json}``, ``{config.yaml}`` and ``{config.toml}``.

A dotted name is a path: ``model.lr`` is ``lr`` in the table ``model``. YAML is written without a library.
Floats in it get a dot, because PyYAML reads ``1e-05`` as text.
"""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import tomli_w

from sweep.errors import StudyFileError
from sweep.storage.files import write_all_atomically
from sweep.values import Params, Value

Tables = dict[str, Value]
"""Plain values, or nested mappings of them."""


def write_config(folder: Path, kind: str, values: Params) -> Path:
    """Write ``config.KIND`` into a folder.

    Args:
        folder: The trial's folder.
        kind: One of ``WRITERS``.
        values: Parameter -> value; names may be dotted.

    Returns:
        The file's path.

    Raises:
        StudyFileError: If a name is both a value and a table, or the format cannot express a value.
        OSError: If the file cannot be written.
    """
    name = f"config.{kind}"
    write_all_atomically(folder, {name: config_bytes(kind, values)}, push=False)
    return folder / name


def config_bytes(kind: str, values: Params) -> bytes:
    """Return the content that ``write_config`` writes; raises the same ``StudyFileError``."""
    tables = nested(values)
    try:
        return WRITERS[kind](tables).encode()
    except UnicodeEncodeError as error:
        raise StudyFileError(f"config.{kind} cannot contain text that UTF-8 cannot encode") from error
    except (ValueError, TypeError) as error:
        raise StudyFileError(f"config.{kind} cannot contain the parameters: {error}") from error


def nested(values: Params) -> Tables:
    """Return values by dotted name as nested tables.

    Raises:
        StudyFileError: If a name is both a value and a table.

    Examples:
        >>> nested({"seed": 1, "model.lr": 0.1, "model.depth": 2})
        {'seed': 1, 'model': {'lr': 0.1, 'depth': 2}}
    """
    tables: Tables = {}
    for name, value in values.items():
        *path, last = name.split(".")
        table: Tables = tables
        for key in path:
            table = table.setdefault(key, {}) if isinstance(table, dict) else None
        if not isinstance(table, dict) or last in table:
            raise StudyFileError(
                f"parameter {name!r} would be both a value and a table in the configuration file; rename it"
            )
        table[last] = value
    return tables


def _json(tables: Tables) -> str:
    return json.dumps(tables, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _toml(tables: Tables) -> str:
    return tomli_w.dumps(tables)


_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_YAML_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf", re.IGNORECASE)
"""Text that some YAML parsers read as another type."""

_UNPRINTED = re.compile(
    r"[^\x20-\x7e\xa0-\u2027\u202a-\udfff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""Characters that YAML does not allow, or reads as a line break."""


def _yaml(tables: Tables) -> str:
    return "".join(f"{line}\n" for line in _yaml_lines(tables)) or "{}\n"


def _yaml_lines(tables: Tables) -> list[str]:
    lines = []
    for key, value in tables.items():
        if isinstance(value, dict) and value:
            lines += [f"{_yaml_key(key)}:", *(f"  {line}" for line in _yaml_lines(value))]
        else:
            lines.append(f"{_yaml_key(key)}: {_yaml_value(value)}")
    return lines


def _yaml_key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) and not _YAML_WORDS.fullmatch(key) else _yaml_text(key)


def _yaml_value(value: Value) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{_yaml_text(key)}: {_yaml_value(entry)}" for key, entry in value.items()) + "}"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml_value, value))}]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return _yaml_float(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _yaml_text(value)
    raise ValueError(f"cannot express a value of type {type(value).__name__}")


def _yaml_float(value: float) -> str:
    if not math.isfinite(value):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    mantissa, e, exponent = repr(value).partition("e")
    return mantissa + ("" if "." in mantissa else ".0") + e + exponent


def _yaml_text(text: str) -> str:
    """Return text in double quotation marks, on one line."""
    marked = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_UNPRINTED.sub(_yaml_escape, marked)}"'


def _yaml_escape(character: re.Match[str]) -> str:
    code = ord(character[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


WRITERS: dict[str, Callable[[Tables], str]] = {"json": _json, "yaml": _yaml, "toml": _toml}
