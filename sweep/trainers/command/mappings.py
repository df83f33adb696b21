"""Read lines that are a mapping: JSON, or a printed Python dict.

A dict may contain values that are not literals, such as ``tensor(0.2)`` or ``nan``. So this module splits it
into tokens and evaluates nothing.
"""

import contextlib
import json
import re
from collections.abc import Iterator

from sweep.trainers.command.figures import Figure, flat_figures, parse_figure

_MOST_TABLES = 1000
"""Most entries in one line; a longer line is read like ordinary text."""

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\](),:])|(?P<other>[^'"{}\[\](),:]+)"""
)


def mapping_figures(line: str) -> dict[str, Figure] | None:
    """Return the figures of a line that is a mapping, by dotted name; None for other lines.

    Examples:
        >>> mapping_figures("{'val': {'acc': tensor(0.5)}, 'note': 'acc: 3'}")
        {'val.acc': Figure(value=0.5, is_percent=False)}
    """
    if not (line.startswith("{") and line.endswith("}")):
        return None
    if line.count("{") > _MOST_TABLES:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        return flat_figures(json.loads(line))
    try:
        entries = dict(_dict_entries(line))
    except ValueError:
        return None
    figures = {name: parse_figure(value) for name, value in entries.items()}
    return {name: figure for name, figure in figures.items() if figure is not None}


def _dict_entries(line: str) -> Iterator[tuple[str, str]]:
    """Yield dotted name and value of each entry of a dict and of the dicts nested in it.

    Raises:
        ValueError: If the line is not a dict with text as keys.
    """
    path: list[str] = []
    key, value, inside = "", "", 0
    for text in _tokens(line[1:-1] + ","):
        inside += (text in ("[", "(")) - (text in ("]", ")"))
        if text == "{" and key and not value.strip() and not inside:
            path.append(key)
            key = ""
        elif text == ":" and not key and not inside:
            key, value = _key(value), ""
        elif text in (",", "}") and not inside:
            if key and value.strip():
                yield ".".join([*path, key]), value.strip()
            _refuse((not key and value.strip()) or (text == "}" and not path), "an entry has no key")
            key = value = ""
            path = path[:-1] if text == "}" else path
        else:
            value += text
    _refuse(inside or path, "a bracket is not closed")


def _tokens(text: str) -> Iterator[str]:
    end = 0
    for token in _TOKEN.finditer(text):
        _refuse(token.start() != end, "a quotation mark is not closed")
        yield token[0]
        end = token.end()


def _key(text: str) -> str:
    text = text.strip()
    _refuse(len(text) < 3 or text[0] not in "'\"" or text[-1] != text[0], "a key is not text")
    return text[1:-1]


def _refuse(is_wrong: object, why: str) -> None:
    if is_wrong:
        raise ValueError(why)
