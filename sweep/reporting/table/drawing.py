"""Draw columns of texts for a terminal: headings, a line below them, and rows that may be coloured.

A table of thousands of rows is drawn in one pass over its cells. Which columns there are is decided in
``text_table``.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"
"""Codes of ANSI's styles."""

_WORD = re.compile(r"\s*\S+\s*")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    heading: list[str]
    """Its lines."""
    cells: list[str]
    is_text: bool
    """Whether its cells are set flush left."""
    is_pale: bool
    """Whether it is no result."""
    most: int | None = None
    """Columns of the terminal that its cells need at most, since they may be folded; None: one line each."""

    @property
    def natural(self) -> int:
        """Columns of the terminal that hold it without a fold."""
        return max(map(width_of, [*self.heading, *self.cells]), default=0)

    @property
    def width(self) -> int:
        """Fewest columns of the terminal that hold it."""
        return self.natural if self.most is None else min(self.natural, self.most)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of a table that fit, and those that do not."""

    columns: list[Column]
    gap: int
    left_out: list[str]

    @property
    def width(self) -> int:
        """Fewest columns of a terminal that hold the table."""
        return sum(column.width for column in self.columns) + self.gap * (len(self.columns) - 1)


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def styled(text: str, *codes: str) -> str:
    """Return a text in a style; as it is if there is none."""
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if codes and text else text


def draw(
    layout: Layout,
    *,
    rows: slice,
    width: int | None,
    colour: bool,
    header: bool = True,
    best: int = 0,
    bright: str | None = None,
) -> list[str]:
    """Return the lines of some rows.

    Args:
        layout: The columns.
        rows: Which of their cells.
        width: Columns of the terminal; None has room for everything.
        colour: Whether there are styles.
        header: Whether the headings are drawn.
        best: How many of the first rows are green.
        bright: A column that is not pale here.
    """
    columns = layout.columns
    widths = _widths(layout, width)
    pale = [column.is_pale and column.name != bright for column in columns]
    lines = list(_head(layout, widths, colour)) if header else []
    for number, record in enumerate(zip(*(column.cells[rows] for column in columns), strict=True)):
        best_codes = (BOLD, GREEN) if number < best else ()
        codes = [(*best_codes, DIM) if is_pale else best_codes for is_pale in pale] if colour else None
        lines += _lines_of(record, layout, widths, codes)
    return lines


def fold(text: str, width: int) -> list[str]:
    """Break a text at blanks; a word that is longer than a line is cut.

    Examples:
        >>> fold("failed: out of memory", 12)
        ['failed: out', 'of memory']
    """
    lines, line = [], ""
    for word in _WORD.findall(text):
        needed = width_of(word.rstrip())
        if width_of(line) + needed <= width:
            line += word
            continue
        lines += [line] if line else []
        *full, line = _pieces(word, width) if needed > width else [word]
        lines += full
    return [each.rstrip() for each in [*lines, line]]


def _pieces(word: str, width: int) -> list[str]:
    """Cut a word into pieces that fill a line each."""
    pieces = [""]
    for letter in word:
        if width_of(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _widths(layout: Layout, width: int | None) -> list[int]:
    """Return the width of each column; one that may be folded gets what the terminal has left."""
    free = math.inf if width is None else max(0, width - layout.width)
    return [
        column.width if column.most is None else int(min(column.natural, column.width + free))
        for column in layout.columns
    ]


def _head(layout: Layout, widths: Sequence[int], colour: bool) -> Iterator[str]:
    count = max(len(column.heading) for column in layout.columns)
    titles = [[""] * (count - len(column.heading)) + column.heading for column in layout.columns]
    codes = [(BOLD,)] * len(titles) if colour else None
    for line in zip(*titles, strict=True):
        yield _line(line, layout, widths, codes)
    yield "─" * (sum(widths) + layout.gap * (len(widths) - 1))


def _lines_of(
    record: Sequence[str], layout: Layout, widths: Sequence[int], codes: Sequence[tuple[str, ...]] | None
) -> list[str]:
    """Return the lines of a row: one, unless a cell is folded."""
    if all(width_of(text) <= width for text, width in zip(record, widths, strict=True)):
        return [_line(record, layout, widths, codes)]
    folded = [fold(text, width) for text, width in zip(record, widths, strict=True)]
    return [_line(line, layout, widths, codes) for line in itertools.zip_longest(*folded, fillvalue="")]


def _line(
    texts: Sequence[str], layout: Layout, widths: Sequence[int], codes: Sequence[tuple[str, ...]] | None
) -> str:
    cells = []
    for place, (text, width) in enumerate(zip(texts, widths, strict=True)):
        blanks = " " * (width - width_of(text))
        shown = styled(text, *codes[place]) if codes else text
        cells.append(f"{shown}{blanks}" if layout.columns[place].is_text else f"{blanks}{shown}")
    return (" " * layout.gap).join(cells).rstrip()
