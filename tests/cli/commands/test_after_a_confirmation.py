"""A study that goes on after its confirmation, and one of which no trial has a value."""

from pathlib import Path

import pytest

from tests.support.program_studies import lay_out, rows, run, sweep

FAILING = """
def train(config):
    raise ValueError("no")
"""


def test_trials_newer_than_the_confirmation_are_named_until_it_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By run, table, export and report; the next command is another confirmation."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "function")
    assert run() == (0, "")
    confirm = ("confirm", "own", "--top", "2", "--seeds", "2", "--certify", "2", "--workers", "1")
    assert sweep(*confirm)[0] == 0
    chosen = min(rows(), key=lambda row: row["value"])["trial"]
    status, out, err = sweep("replay", "own")
    assert (status, f"training trial {chosen} " in err, out.split(":")[0]) == (0, True, "equal")
    assert "newer than the confirmation" not in sweep("table", "own")[1]

    ended = sweep("run", "own.toml", "--workers", "1", "--trials", "12")
    best = min(rows(), key=lambda row: row["value"])["trial"]
    assert best > 2, "a later trial is better"
    said = (
        f"9 complete trials are newer than the confirmation, and trial {best} is now the best of the search"
    )
    assert f"{said}; `sweep confirm own` makes another" in ended[2]
    _, table, after_table = sweep("table", "own")
    assert said in table
    assert "next: sweep confirm own" in after_table
    assert f"warning: {said}" in sweep("export", "own", "-o", "old.toml")[2]
    assert sweep("report", "own")[0] == 0
    assert said in Path("reports/own/report.html").read_text()

    assert sweep(*confirm)[0] == 0
    assert "newer than the confirmation" not in sweep("table", "own")[1]


def test_a_study_without_any_value_ends_with_1_and_the_way_to_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its last trial fails, and when nothing is left to train; confirm does not send back to run."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "function", text=FAILING)
    for _ in range(2):
        status, _, err = sweep("run", "own.toml", "--workers", "1")
        assert status == 1
        assert "no complete trial yet; all 3 ended without one; `sweep table own` shows why" in err
        assert "next: sweep log own 0" in err
    status, _, err = sweep("confirm", "own")
    assert status == 1
    assert "all 3 ended without one; `sweep table own` shows why" in err
