"""The command plot."""

from pathlib import Path

from command_line import (
    Capture,
    complaint,
)

from sweep.cli import main


def test_plot_lists_its_figures_and_writes_one(small: Path, capsys: Capture) -> None:
    """Without a name each figure is named with how to read it; with one it is a page in the reports."""
    assert main(["plot", "small"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert "history" in listed
    assert any(line.startswith("    Each dot is a trial") for line in listed)
    assert max(map(len, listed)) <= 80
    assert main(["plot", "studies/small.toml", "history"]) == 0
    written = capsys.readouterr()
    assert written.out == "wrote reports/small/history.html\n"
    assert written.err.startswith("next: ")
    assert "Plotly" in Path("reports/small/history.html").read_text()
    assert main(["plot", "small", "lr-finder"]) == 1
    assert "no range test yet; run `sweep lr-find" in complaint(capsys)
