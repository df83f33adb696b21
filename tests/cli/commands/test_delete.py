"""The command delete."""

from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    Capture,
    in_terminal,
)
from tests.support.small_study import (
    sweep,
)


def test_delete_asks_back(small: Path, capsys: Capture) -> None:
    """Without --yes a pipe is refused; --yes removes the study with its files."""
    refused = sweep(small, "delete", "small", stdin="small\n")
    assert refused.returncode == 1
    assert refused.stderr.startswith("sweep: refusing to delete 'small' without confirmation; pass --yes")
    assert main(["delete", "small", "--yes"]) == 0
    assert capsys.readouterr().out == "deleted study 'small', 6 trials\n"
    left = (small / "studies" / "sweep.db.d" / "small").iterdir()
    assert not [path for path in left if path.is_dir()]
    assert main(["list"]) == 0
    assert capsys.readouterr().err.startswith("no studies yet; next: sweep run STUDY.toml | ")


@pytest.mark.parametrize(("answer", "status"), [("\x04", 1), ("small\n", 0)])
def test_delete_wants_the_name_typed(small: Path, answer: str, status: int) -> None:
    """In a terminal the study's own name deletes it; the end of the input does not."""
    text = in_terminal(small, ["delete", "small"], answer=("Type its name: ", answer), status=status)
    assert "Traceback" not in text
    assert ("not deleted" in text) == (status == 1)
    assert (small / "studies" / "sweep.db.d" / "small" / "000000").exists() == (status == 1)
