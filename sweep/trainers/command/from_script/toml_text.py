"""Write keys, values and comments of a study file from texts that come from outside."""

import re
import unicodedata

import tomli_w

SCHEMA_LINE = "#:schema study.schema.json"
"""Names the JSON Schema beside a study file, for editors."""

_LONGEST_NOTE = 90

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_key(name: str) -> str:
    """Return a name as a key, quoted if need be."""
    return name if _BARE_KEY.fullmatch(name) else toml_value(name)


def toml_value(value: object) -> str:
    """Return a plain value as TOML, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if value is None:
        return '""'
    return tomli_w.dumps({"x": value}).removeprefix("x = ").rstrip("\n")


def note_text(text: str, longest: int = _LONGEST_NOTE) -> str:
    """Return a text from outside as the rest of a comment: one line, without controls, not too long."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    plain = " ".join("".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cs")).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
