"""Write ranked rows as a Parquet file, which pandas, Polars and DuckDB read with their types.

The columns are those of CSV and JSON. Whole numbers, numbers, texts and lists keep their type; a column of
values of several kinds, such as the choices 1 and "auto", is text, each value as JSON.
"""

import importlib.util
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sweep.errors import LibraryError
from sweep.reporting.table.formats import rows_for_programs
from sweep.reporting.table.listing import Listing

if TYPE_CHECKING:
    import pyarrow


def format_parquet(listing: Listing) -> bytes:
    """Return the rows as the bytes of a Parquet file.

    Raises:
        LibraryError: If pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise LibraryError("format parquet needs pyarrow: pip install 'honest-sweep[parquet]'")
    import pyarrow  # noqa: PLC0415  an extra's
    from pyarrow import parquet  # noqa: PLC0415

    rows, file = rows_for_programs(listing), io.BytesIO()
    parquet.write_table(pyarrow.table({name: _column(rows[name]) for name in rows.columns}), file)
    return file.getvalue()


def _column(cells: Sequence[Any]) -> "pyarrow.Array":
    import pyarrow  # noqa: PLC0415

    if all(cell is None for cell in cells):
        return pyarrow.array(cells, pyarrow.string())
    try:
        return pyarrow.array(cells)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):
        return pyarrow.array([None if cell is None else json.dumps(cell) for cell in cells])
