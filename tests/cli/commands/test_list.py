"""The command list."""

from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    Capture,
)
from tests.support.small_study import (
    rows,
)


def test_list_names_the_studies(small: Path, capsys: Capture) -> None:
    """`list` says how far each study is, its direction and its best loss."""
    assert main(["table", "small", "--format", "json"]) == 0
    best = rows(capsys.readouterr().out)[0]["dev_loss"]
    assert main(["list"]) == 0
    written = capsys.readouterr()
    words = written.out.split()
    done = ["small", "finished", "6", "of", "6", "trials"]
    assert words == [*done, "minimize", "best", f"{best:.4f}", "Six", "small", "models"]
    assert written.err == "next: sweep table STUDY\n"


def test_a_new_folder_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Nothing was run here yet, which is no error; a database that somebody names must exist."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    assert main(["list"]) == 0
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("no studies yet; next: sweep run STUDY.toml | sweep init DIR")
    assert main(["list", "--format", "json"]) == 0
    assert rows(capsys.readouterr().out) == []
    assert list(tmp_path.iterdir()) == []
    assert main(["list", "--storage", "sqlite:///other.db"]) == 1
    assert "no database at other.db" in capsys.readouterr().err
