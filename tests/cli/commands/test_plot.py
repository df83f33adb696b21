"""The command plot."""

from pathlib import Path

from sweep.cli import main
from tests.support.command_line import (
    Capture,
    complaint,
)


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


def test_plot_all_writes_every_figure_and_names_those_left_out(small: Path, capsys: Capture) -> None:
    """Into the reports, or into a folder, where no file is replaced without --force."""
    assert main(["plot", "small", "--all"]) == 0
    written = capsys.readouterr()
    paths = [Path(line.removeprefix("wrote ")) for line in written.out.splitlines()]
    assert Path("reports/small/history.html") in paths
    assert all(path.stat().st_size for path in paths)
    assert "left out lr-finder: no range test yet" in written.err
    assert main(["plot", "small", "--all", "-o", "mine"]) == 0
    assert {path.name for path in Path("mine").iterdir()} == {path.name for path in paths}
    capsys.readouterr()
    assert main(["plot", "small", "--all", "-o", "mine"]) == 1
    assert "exists and is not overwritten" in complaint(capsys)
    assert main(["plot", "small", "history", "--all"]) == 1
    assert "a figure's name or --all, not both" in complaint(capsys)
