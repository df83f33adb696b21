"""The command test: one look at the test split."""

import re
from pathlib import Path

import pytest

from sweep.certify.test_split.ledger import read_ledger
from sweep.cli import main
from sweep.storage.database import Database
from sweep.storage.looks.stored_looks import read_looks
from sweep.storage.study_names import study_names
from tests.support.command_line import (
    Capture,
    complaint,
    exported,
)

URL = "sqlite:///studies/sweep.db"


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


def test_several_configurations_are_tested_in_one_look(small: Path, capsys: Capture) -> None:
    """Each has its loss, which is that of a look at it alone; together they count as one look."""
    best = exported(capsys)
    assert main(["export", "small", "--trial", "0", "-o", "zero.toml"]) == 0
    capsys.readouterr()
    assert main(["test", best, "zero.toml", best]) == 0
    printed = capsys.readouterr().out
    losses = re.findall(r"test loss  (\d\.\d{4}) nats per character \(look 1, recorded\)", printed)
    numbers = re.findall(r"^(\S+): trial (\d+) of 'small'$", printed, re.MULTILINE)
    assert [path for path, _ in numbers] == [best, "zero.toml"]
    assert len(losses) == 2

    for place, path in enumerate([best, "zero.toml"]):
        assert main(["test", path, "--again", "alone"]) == 0
        assert f"test loss  {losses[place]} nats per character (look {place + 2}, " in capsys.readouterr().out
    looks = read_ledger()
    assert [bool(look.group) for look in looks] == [True, True, False, False]
    assert looks[0].group == looks[1].group
    assert read_looks(Database(URL).open_read_only()) == looks


def test_configurations_with_other_test_units_are_refused_together(small: Path, capsys: Capture) -> None:
    """No look is recorded: one look is at one set of units."""
    best = exported(capsys)
    words = Path("data/words.txt").read_text().split()
    Path("fewer.txt").write_text("\n".join(words[:-30]) + "\n")
    assert main(["run", "studies/small.toml", "--words", "fewer.txt", "--workers", "1"]) == 0
    names = study_names(Database(URL).open_read_only())
    (other,) = (name for name in names if name.startswith("small@"))
    assert main(["export", other, "-o", "other.toml"]) == 0
    capsys.readouterr()
    assert main(["test", best, "other.toml"]) == 1
    assert "test each configuration by itself" in complaint(capsys)
    assert read_ledger() == []


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
