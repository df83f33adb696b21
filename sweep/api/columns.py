"""Give the columns of a ranked table the dtypes that pandas computes with."""

from collections.abc import Sequence
from typing import Any

import pandas

from sweep.definition.ranking import Rows

TEXTS = frozenset({"state", "engine", "device", "reason"})
"""Columns of texts, also if no row has one."""


def as_frame(rows: Rows) -> pandas.DataFrame:
    """Return ranked rows as a DataFrame with numeric columns."""
    cells = [list(record.values()) for record in rows.records]
    return with_dtypes(pandas.DataFrame(cells, columns=list(rows.columns), dtype=object))


def with_dtypes(rows: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table with numeric columns; None becomes NaN in them.

    Examples:
        >>> table = pandas.DataFrame({"n": [1, 2], "loss": [0.5, None], "reason": [None, None]}, dtype=object)
        >>> [str(kind) for kind in with_dtypes(table).dtypes]
        ['int64', 'float64', 'object']
    """
    return rows.astype({str(name): _dtype(str(name), list(rows[name])) for name in rows})


def _dtype(name: str, cells: Sequence[Any]) -> str:
    """Return int64 if all are whole numbers, float64 for other numbers or nothing, bool, or object."""
    kinds = {type(cell) for cell in cells}
    if not kinds or name in TEXTS or not kinds <= {int, float, bool, type(None)}:
        return "object"
    if bool in kinds:
        return "bool" if kinds == {bool} else "object"
    return "int64" if kinds == {int} else "float64"
