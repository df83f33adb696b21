"""The command test: one look at the test split."""

import re
from pathlib import Path

import pytest
from command_line import (
    Capture,
    complaint,
    exported,
)

from sweep.cli import main


def test_the_test_split_is_looked_at_once(small: Path, capsys: Capture, tmp_path: Path) -> None:
    """One look is free; a second is refused for any config, database and study name, unless --again."""
    path = exported(capsys)
    assert main(["test", path]) == 0
    written = capsys.readouterr()
    assert re.search(r"dev loss   \d\.\d{4} \(equal, exported \d\.\d{4}\)", written.out)
    assert re.search(r"test loss  \d\.\d{4} nats per character \(look 1, recorded\)", written.out)
    loss = re.search(r"test loss  (\d\.\d{4})", written.out)[1]  # type: ignore[index]

    assert main(["export", "small", "--trial", "0", "-o", "zero.toml"]) == 0
    renamed = Path(path).read_text().replace('study = "small"', 'study = "fresh"')
    Path("renamed.toml").write_text(renamed)
    capsys.readouterr()
    other = ["--storage", f"sqlite:///{tmp_path}/other.db"]
    for arguments in ([path], [path, *other], ["zero.toml"], ["renamed.toml"], ["zero.toml", *other]):
        assert main(["test", *arguments]) == 1
        text = complaint(capsys)
        assert f"of 'small': test loss {loss}" in text
        assert text.endswith('To look again, give a reason: --again "why"')

    assert main(["test", path, "--again", "to see it twice"]) == 0
    assert "(look 2, recorded)" in capsys.readouterr().out
    assert main(["table", "small"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("test split looked at")]
    assert len(shown) == 2
    assert shown[0].endswith(f"test loss {loss}")
    assert shown[1].endswith(f"test loss {loss}, again because 'to see it twice'")


def test_another_ledger_does_not_hide_a_look_in_the_database(
    small: Path, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look counts when either the database or the user's ledger knows of it."""
    path = exported(capsys)
    assert main(["test", path]) == 0
    capsys.readouterr()
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "another.jsonl"))
    assert main(["test", path]) == 1
    assert "looked at before" in complaint(capsys)
