"""The command rename."""

from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    Capture,
    complaint,
)


def test_rename_takes_the_files_along(small: Path, capsys: Capture) -> None:
    """A renamed study keeps its trials and its stored weights, and its old name is free."""
    before = sorted(p.name for p in Path("studies/sweep.db.d/small").iterdir() if p.is_dir())
    assert main(["rename", "small", "first-try"]) == 0
    assert "study 'small' is now 'first-try'" in capsys.readouterr().out
    assert (
        sorted(p.name for p in Path("studies/sweep.db.d/first-try").iterdir() if p.is_dir()) == before != []
    )
    assert not [path for path in Path("studies/sweep.db.d/small").iterdir() if path.is_dir()]
    assert main(["table", "small"]) == 1
    assert complaint(capsys) == "sweep: no study 'small' in the database; stored: first-try"
    assert main(["export", "first-try", "-o", "best.toml"]) == 0
    assert main(["sample", "best.toml"]) == 0
    assert "training" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("small", "small", "a study 'small' exists already; choose another name"),
        ("nope", "other", "no study 'nope' in the database; stored: small"),
        ("small", "../x", "the new name must be 1 to 64 letters"),
        ("../x", "other", "no study '../x' in the database"),
    ],
)
def test_rename_refuses(old: str, new: str, message: str, small: Path, capsys: Capture) -> None:
    """A name that is taken, unknown or no name changes nothing and leaves nothing behind."""
    before = sorted(Path("studies").rglob("*"))
    assert main(["rename", old, new]) == 1
    assert message in complaint(capsys)
    assert sorted(Path("studies").rglob("*")) == before
