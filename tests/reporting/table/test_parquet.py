"""The ranked table as a Parquet file, read back by pyarrow and pandas."""

import io
from typing import Any

import pytest

from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord
from sweep.errors import LibraryError
from sweep.reporting.table import parquet as module
from sweep.reporting.table.formats import rows_for_programs
from sweep.reporting.table.listing import Listing
from sweep.reporting.table.parquet import format_parquet
from tests.support.study_records import study, trial


def listed(*values: Any) -> Listing:
    """The rows of a study that searches ``x``, with a trial for each value and a failed one."""
    trials = [trial(n, 2.0 + n / 10, params={"x": value}) for n, value in enumerate(values)]
    failed = trial(len(values), state="failed", params={"x": values[0]}, reason="it broke")
    record: StudyRecord = study(*trials, failed, search=("x",))
    return Listing(rank_trials(record), record)


def test_every_cell_comes_back_with_its_type() -> None:
    """Whole numbers, numbers, texts and lists are as in JSON; what is missing is null."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    listing = listed(0.5, 0.25)
    table = parquet.read_table(io.BytesIO(format_parquet(listing)))
    rows = rows_for_programs(listing)
    assert table.column_names == list(rows.columns)
    assert table.to_pylist() == rows.records
    kinds = {
        name: str(table.schema.field(name).type) for name in ("trial", "x", "dev_loss", "reason", "seeds")
    }
    assert list(kinds.values()) == ["int64", "double", "double", "string", "list<element: int64>"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, "auto"), ["1", '"auto"', "1"]),
        ((True, 2), ["true", "2", "true"]),
        (((1, 2), (3,)), [[1, 2], [3], [1, 2]]),
        ((1, 2.5), [1.0, 2.5, 1.0]),
        (("a", 'b"\N{SNOWMAN}'), ["a", 'b"\N{SNOWMAN}', "a"]),
    ],
)
def test_values_of_several_kinds_are_text_as_json(values: tuple[Any, ...], expected: list[Any]) -> None:
    """A Parquet column has one type; numbers of both kinds are numbers, lists are lists."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    table = parquet.read_table(io.BytesIO(format_parquet(listed(*values))))
    assert table.column("x").to_pylist() == expected


def test_pandas_reads_it_without_pickle() -> None:
    """The columns are those of the table in Python."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pandas

    frame = pandas.read_parquet(io.BytesIO(format_parquet(listed(0.5, 0.25))))
    assert list(frame["dev_loss"].dropna()) == [2.0, 2.1]
    assert frame["trial"].dtype == "int64"


def test_without_pyarrow_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that has it is named."""
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LibraryError, match=r"pip install 'honest-sweep\[parquet\]'"):
        format_parquet(listed(0.5))
