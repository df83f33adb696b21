"""A confirmation without a certificate exits with 1 and does not propose an export."""

from pathlib import Path

import pytest

from tests.support.program_home import Home

STUDY = """
name = "x"
trainer = "trainers:train"
metric = "loss"
sampler = "random"
trials = 3
search.x = { low = 0.0, high = 1.0 }
"""

TRAINER = """
import pathlib

def train(config):
    if pathlib.Path(__file__).with_name("broken").exists():
        raise OSError("broken since")
    return config.x
"""

CONFIRM = ("confirm", "x", "--top", "2", "--seeds", "2", "--certify", "2", "--delta", "0.01")


def test_no_certificate_is_status_1_and_no_export_is_proposed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every training of the confirmation fails; the report does not propose the same confirmation again."""
    home = Home(tmp_path)
    home.write("x.toml", STUDY)
    home.write("trainers.py", TRAINER)
    assert home.command("run", "x.toml", "--workers", "1") == 0
    home.write("broken", "")
    capsys.readouterr()
    for _ in range(2):
        assert home.command(*CONFIRM) == 1
        told = capsys.readouterr()
        assert "no candidate finished every round" in told.out
        assert told.err.splitlines()[-1].startswith("no certificate: too few trainings have a value")
        assert "sweep export" not in told.err
    assert home.command("report", "x") == 0
    page = (tmp_path / "reports" / "x" / "report.html").read_text("utf-8")
    assert "Its confirmation ended without a certificate" in page
