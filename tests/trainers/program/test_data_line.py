"""What is known of a program's data is said once in a run."""

from pathlib import Path

import pytest

from tests.support.program_studies import lay_out, sweep

UNWATCHED = "data.files names no files, so a change of the program's data is not noticed"


def test_data_that_nothing_names_are_mentioned_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start, with the key that would name them; not once more above the table."""
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "command")
    status, out, err = sweep("run", "own.toml", "--workers", "1")
    assert (status, (out + err).count(UNWATCHED)) == (0, 1)
    assert UNWATCHED in err


def test_named_data_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their number and size."""
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, "command", more="data.files = ['helper.py']")
    status, out, err = sweep("run", "own.toml", "--workers", "1")
    assert status == 0, err
    assert "1 data file, 0.0 MB" in out
    assert UNWATCHED not in out + err
