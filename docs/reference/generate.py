"""Write the pages of this folder from the code: ``python docs/reference/generate.py``.

A test compares the pages with what this module makes.
"""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweep.cli import main
from sweep.cli.registry import built_in_commands
from sweep.definition.editor_schema.document import study_schema
from sweep.definition.editor_schema.keys import TRAINERS, Words, common_keys

HERE = Path(__file__).parent
MADE = "<!-- Written by docs/reference/generate.py from the code. -->\n"
SECTIONS = ("data", "fixed", "search", "trial", "log", "resources")
"""Common keys that are tables of the file."""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {
        "commands.md": MADE + "\n".join(_commands()),
        "study-files.md": MADE + "\n".join(_study_files()),
    }


def _commands() -> Iterator[str]:
    """Yield the lines of the page of commands."""
    yield "\n# Commands\n"
    yield "What `sweep COMMAND --help` prints. Results go to stdout, all else to stderr;"
    yield "[exit statuses](../results.md#exit-statuses) are listed under Results.\n"
    yield from _as_block(_help())
    for name in built_in_commands():
        yield f"## {name}\n"
        yield from _as_block(_help(name))


def _help(*command: str) -> str:
    """Return what ``--help`` prints, in lines of at most 80 characters."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        main([*command, "--help"])
    return printed.getvalue()


def _as_block(text: str) -> Iterator[str]:
    yield f"```text\n{text.strip()}\n```\n"


def _study_files() -> Iterator[str]:
    """Yield the lines of the page of keys."""
    common = common_keys()
    yield "\n# Keys of study files\n"
    yield "[Study files](../studies.md) and [Your own trainer](../your-own-trainer.md) have examples.\n"
    yield "## All studies\n"
    yield from _table({name: words for name, words in common.items() if name not in SECTIONS})
    yield "## Sections of all studies\n"
    yield from _table({name: common[name] for name in SECTIONS})
    for section in ("resources", "log"):
        yield f"### `[{section}]`\n"
        yield from _table(common[section]["properties"])
    yield from _entries()
    function, command = TRAINERS["function"], TRAINERS["command"]
    shared = {name: words for name, words in function.keys.items() if name in command.keys}
    yield "## Functions and scripts\n"
    yield from _table(shared)
    for kind, title in ((function, "Functions alone"), (command, "Scripts alone")):
        yield f"### {title}\n"
        yield from _table({name: words for name, words in kind.keys.items() if name not in shared})
    yield "### `[data]` of functions and scripts\n"
    yield from _table(function.data or {})
    mlp = TRAINERS["mlp"]
    yield "## The built-in MLP\n"
    yield "### Hyperparameters, for `[fixed]`, `[search]` and `[[trial]]`\n"
    yield from _table(mlp.fields or {}, heading="hyperparameter")
    yield "### `[data]` of the MLP\n"
    yield from _table(mlp.data or {})


def _entries() -> Iterator[str]:
    """Yield the keys of an entry of ``[search]``, as they are for a program's number."""
    schema = study_schema()
    sections = [
        rule["then"]["properties"]["search"]
        for rule in schema["allOf"]
        if "search" in rule["then"].get("properties", {})
    ]
    entry = next(section["additionalProperties"] for section in sections if section["additionalProperties"])
    yield "### An entry of `[search]`\n"
    yield from _table({**entry["properties"], "when": schema["definitions"]["when"]})


def _table(keys: Mapping[str, Words], *, heading: str = "key") -> Iterator[str]:
    """Yield a table of keys with meaning, values and default."""
    yield f"| {heading} | meaning | values | default |"
    yield "|:--|:--|:--|:--|"
    for name, words in keys.items():
        cells = (f"`{name}`", words.get("description", ""), _values(words), _default(words))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _default(words: Words) -> str:
    return f"`{json.dumps(words['default'])}`" if "default" in words else ""


def _values(words: Words) -> str:
    """Say which values a schema takes."""
    if "enum" in words:
        return ", ".join(f"`{json.dumps(value)}`" for value in words["enum"])
    if "anyOf" in words:
        return " or ".join(_values(part) for part in words["anyOf"])
    if words.get("pattern", "").startswith(r"^(\d+"):
        return "duration"
    kind = words.get("type", "any")
    if kind == "array":
        return f"list of {_plural(words.get('items', {}))}"
    named = " or ".join(_KINDS[one] for one in ([kind] if isinstance(kind, str) else kind))
    bounds = _bounds(words)
    return f"{named}, {bounds}" if bounds else named


_KINDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "object": "table",
    "array": "list",
    "any": "any",
}


def _plural(items: Words) -> str:
    kind = items.get("type", "any")
    return {"string": "texts", "object": "tables"}.get(kind if isinstance(kind, str) else "any", "values")


def _bounds(words: Words) -> str:
    """Say within which numbers a value must lie."""
    low = _bound(words, "minimum", "from {}") or _bound(words, "exclusiveMinimum", "above {}")
    high = _bound(words, "maximum", "to {}") or _bound(words, "exclusiveMaximum", "below {}")
    return " ".join(filter(None, (low, high)))


def _bound(words: Words, key: str, form: str) -> str:
    value: Any = words.get(key)
    if value is None:
        return ""
    return form.format(f"{value:,}" if isinstance(value, int) else f"{value:g}")


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, "utf-8")
