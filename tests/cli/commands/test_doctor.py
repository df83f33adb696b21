"""The command doctor."""

from pathlib import Path

from sweep.cli import main
from tests.support.command_line import (
    Capture,
)


def test_doctor_finds_a_sound_machine(small: Path, capsys: Capture) -> None:
    """`doctor` names versions, device, database, folders and disk, and changes nothing."""
    before = (small / "studies" / "sweep.db").read_bytes()
    assert main(["doctor"]) == 0
    written = capsys.readouterr()
    subjects = {line[5:].split()[0] for line in written.out.splitlines()}
    assert {"sweep", "torch", "optuna", "device", "database", "folder", "ledger", "disk"} <= subjects
    assert "studies/sweep.db: sound, studies small" in written.out
    assert "BAD" not in written.out
    assert (small / "studies" / "sweep.db").read_bytes() == before


def test_doctor_says_what_is_broken(folder: Path, capsys: Capture) -> None:
    """A damaged database is marked, and the status is 3."""
    (folder / "bad.db").write_text("no database")
    assert main(["doctor", "--storage", "sqlite:///bad.db"]) == 3
    written = capsys.readouterr()
    assert "BAD  database          bad.db is not an SQLite database" in written.out
    assert written.err == "not ready: database\n"
