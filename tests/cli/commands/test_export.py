"""The command export."""

from pathlib import Path

from command_line import (
    Capture,
    complaint,
)

from sweep.cli import main


def test_export_never_overwrites_unasked(small: Path, capsys: Capture) -> None:
    """A file that exists stays as it is until --force; --trial chooses, -o names the file."""
    assert main(["export", "small"]) == 0
    assert capsys.readouterr().out.startswith("wrote reports/small/best.toml: trial ")
    path = small / "reports" / "small" / "best.toml"
    path.write_text("mine")
    assert main(["export", "small"]) == 1
    assert "best.toml exists and is not overwritten" in complaint(capsys)
    assert path.read_text() == "mine"
    assert main(["export", "small", "--force"]) == 0
    assert "[provenance]" in path.read_text()
    assert main(["export", "small", "--trial", "5", "-o", "deep/er/five.toml"]) == 0
    assert "\ntrial = 5\n" in (small / "deep" / "er" / "five.toml").read_text()
    capsys.readouterr()
    assert main(["export", "small", "-o", "studies"]) == 1
    assert complaint(capsys) == "sweep: studies is a folder; name a file with -o"
