"""Write parameters in the styles that programs read from their command lines.

| style | number or text | true, false | list |
|---|---|---|---|
| argparse | ``--x=1`` | ``--x``, nothing | ``--x 1 2`` (``nargs="+"``) |
| words | ``--x 1`` | ``--x True``, ``--x False`` | ``--x 1 2`` |
| hydra | ``x=1`` | ``x=true``, ``x=false`` | ``x=[1,2]`` |
| click | ``--x=1`` | ``--x``, ``--no-x`` | ``--x=1 --x=2`` (``multiple=True``) |
| absl | ``--x=1`` | ``--x``, ``--nox`` | ``--x=1,2`` (``DEFINE_list``) |

Floats are written by ``repr``, so that the program reads the same float. argparse reads a separate word that
begins with ``-`` as an option, unless it looks like ``-1`` or ``-0.5``; so ``-1e-05`` is written
``-0.00001`` there. Every function raises ``ValueError`` if its style cannot express a value.
"""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sweep.trainers.command.hydra_text import hydra_text
from sweep.values import Value


@dataclass(frozen=True, slots=True)
class Style:
    """How to write parameters for one kind of program."""

    argument: Callable[[str, Value], list[str]]
    """(name, value) -> tokens."""
    text: Callable[[Value], str]
    """Writes a value within a longer token."""
    joins_lists: bool = False
    """Whether ``text`` can write a list; otherwise a list that is a whole token becomes several tokens."""


def check_value(value: Value) -> None:
    """Refuse a value that no command line can carry.

    Raises:
        ValueError: If the value is of another type, or contains NUL, newlines or invalid Unicode.
    """
    if isinstance(value, list | tuple):
        for entry in value:
            check_value(entry)
    elif isinstance(value, str):
        _check_text(value)
    elif not isinstance(value, int | float | None):
        raise ValueError(f"must be text, a number, true, false or a list, not {type(value).__name__}")


def _check_text(text: str) -> None:
    if any(c in text for c in "\0\r\n"):
        raise ValueError("must be one line of text, without NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be text that UTF-8 can encode") from None


def scalar_text(value: Value) -> str:
    """Return a number, boolean or text as one word.

    Examples:
        >>> scalar_text(1e-05), scalar_text(True), scalar_text("a b")
        ('1e-05', 'True', 'a b')
    """
    if isinstance(value, list | tuple):
        raise ValueError("is a list, which cannot be written here")
    if value is None:
        raise ValueError("is None, which only style hydra can write")
    return repr(value) if isinstance(value, float) else str(value)


def word(value: Value) -> str:
    """Return a scalar as a separate token; a number is never read as an option.

    Examples:
        >>> word(-1e-05), word(1e-05), word(-0.5)
        ('-0.00001', '1e-05', '-0.5')
    """
    text = scalar_text(value)
    is_small = isinstance(value, float) and text.startswith("-") and "e" in text
    return format(Decimal(text), "f") if is_small else text


_NEGATIVE_NUMBER = re.compile(r"-(\d+|\d*\.\d+)")
"""Numbers that argparse reads as values although they begin with ``-``."""


def spread(values: Sequence[Value]) -> list[str]:
    """Return the entries of a list as tokens that argparse reads as values."""
    words = [word(value) for value in values]
    for text in words:
        if text.startswith("-") and not _NEGATIVE_NUMBER.fullmatch(text):
            raise ValueError(f"contains {text!r}, which the program would read as an option")
    return words


def _argparse(name: str, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}"] if value else []
    if isinstance(value, list | tuple):
        return [f"--{name}", *spread(value)]
    return [f"--{name}={scalar_text(value)}"]


def _words(name: str, value: Value) -> list[str]:
    return [f"--{name}", *(spread(value) if isinstance(value, list | tuple) else [word(value)])]


def _hydra(name: str, value: Value) -> list[str]:
    return [f"{name}={hydra_text(value)}"]


def _click(name: str, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    if not isinstance(value, list | tuple):
        return [f"--{name}={scalar_text(value)}"]
    if not value:
        raise ValueError("is an empty list, which style click cannot write")
    return [f"--{name}={scalar_text(entry)}" for entry in value]


def _absl(name: str, value: Value) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no{name}"]
    return [f"--{name}={_comma_text(value)}"]


def _comma_text(value: Value) -> str:
    """Return a list as one line of CSV for absl's ``DEFINE_list``, which strips the cells."""
    if not isinstance(value, list | tuple):
        return scalar_text(value)
    cells = [scalar_text(entry) for entry in value]
    if any(cell != cell.strip() or not cell for cell in cells):
        raise ValueError("contains text that is empty or begins or ends with a blank, which style absl drops")
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


STYLES: dict[str, Style] = {
    "argparse": Style(_argparse, scalar_text),
    "words": Style(_words, scalar_text),
    "hydra": Style(_hydra, hydra_text, joins_lists=True),
    "click": Style(_click, scalar_text),
    "absl": Style(_absl, _comma_text, joins_lists=True),
}
