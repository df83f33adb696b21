"""Headings contain the name of the study's own metric."""

from typing import Any

import pytest

from sweep.reporting.table.columns import heading
from tests.support.study_records import study

PROGRAM = {"metric": "val_acc", "direction": "maximize", "command": ["python", "x.py"]}


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [({}, "search_loss"), ({"trainer": "command", "program": PROGRAM}, "search_val_acc")],
    ids=["mlp", "program"],
)
def test_the_value_in_the_search_has_the_name_of_the_metric(trainer: dict[str, Any], expected: str) -> None:
    """An accuracy is no loss."""
    record = study(identity={**study().identity, **trainer})
    assert heading("search_loss", record) == expected
