"""Recognise figures in text: numbers that a program reports, as opposed to characters that look like one.

A figure is an ordinary number, NaN or infinity, bare or as a library prints it: ``tensor(0.2)``,
``np.float64(0.2)``, ``'0.2'``, ``[0.2]``. Not figures are: ``1,234.5`` (which may be two numbers),
``3/10``, ``0.2-0.4``, ``0.3 -> 0.2``, a time, a date, a version, an address, a file name, a number with a
unit. A percentage is a figure as printed: ``94.5%`` is 94.5.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from sweep.values import Json

NUMBER = (
    r"[-+]?(?>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
    r"|nan|NaN|NAN|[iI]nf(?:inity)?|INF)"
)

ENDS = r"(?![\w^]|\.[\w.]|[,:][0-9]|[-/\\]\w|\*\*|\s*/\s*[0-9]|\s*[-=]+>|\s*→)"
"""Lookahead for characters that must not follow a number."""

FIGURE = (
    r"(?P<call><tf\.Tensor:[^<>]{0,80}numpy=|[\w.]*(?:[tT]ensor|[aA]rray|float[0-9]*|int[0-9]*|Decimal)\()?"
    r"(?P<open>\[+)?(?P<quote>[\"'])?"
    rf"(?P<number>{NUMBER}){ENDS}(?P<percent>\s?%)?"
    r"(?(quote)(?P=quote))(?(open)\s*\]+)(?(call)\s*[,)>])"
)
"""A figure with the text that a library prints around it. The groups are named, so a pattern can hold one."""

_FIGURE = re.compile(FIGURE)


class Figure(NamedTuple):
    """A number, and whether a percent sign followed it."""

    value: float
    is_percent: bool


def matched_figure(match: re.Match[str]) -> Figure:
    """Return the figure in a match of a pattern that contains ``FIGURE``."""
    return Figure(float(match["number"]), match["percent"] is not None)


def parse_figure(text: str) -> Figure | None:
    """Return the figure at the start of a text, if only the rest of a library's form follows.

    Examples:
        >>> parse_figure("tensor(0.25, device='cuda:0')")
        Figure(value=0.25, is_percent=False)
        >>> parse_figure("1,234.5"), parse_figure("[0.1, 0.2]"), parse_figure("0:00:01")
        (None, None, None)
    """
    match = _FIGURE.match(text.strip())
    if not match or (match.end() < len(text.strip()) and not match["call"]):
        return None
    return matched_figure(match)


def figure_of(value: Json) -> Figure | None:
    """Return a plain value, a number or its text, as a figure; None for anything else, booleans included."""
    if isinstance(value, str):
        return parse_figure(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return Figure(float(value), False) if is_number else None
    except OverflowError:
        return None


def flat_figures(values: Mapping[str, Json], *, depth: int = 8) -> dict[str, Figure]:
    """Return all figures in nested tables, by dotted name; lists are ignored.

    Examples:
        >>> flat_figures({"epoch": 3, "eval": {"rmse": "0.5", "note": "good"}})
        {'epoch': Figure(value=3.0, is_percent=False), 'eval.rmse': Figure(value=0.5, is_percent=False)}
    """
    found: dict[str, Figure] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            inner = flat_figures(value, depth=depth - 1) if depth else {}
            found |= {f"{name}.{key}": figure for key, figure in inner.items()}
        elif (figure := figure_of(value)) is not None:
            found[name] = figure
    return found
