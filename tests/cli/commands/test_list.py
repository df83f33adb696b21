"""The command list."""

from pathlib import Path

from command_line import (
    Capture,
)
from small_study import (
    rows,
)

from sweep.cli import main


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
