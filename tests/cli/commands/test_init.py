"""The command init."""

from pathlib import Path

from sweep.cli import main
from sweep.cli.workspace import STARTER_FILES
from sweep.definition.editor_schema.document import SCHEMA_FILE
from tests.support.command_line import (
    Capture,
    complaint,
)
from tests.support.small_study import (
    REPOSITORY,
)


def test_init_lays_out_a_folder_once(tmp_path: Path, capsys: Capture) -> None:
    """The starter files are those of the repository; what exists is never overwritten."""
    target = tmp_path / "demo"
    assert main(["init", str(target)]) == 0
    assert "next: cd " in capsys.readouterr().err
    for name in STARTER_FILES:
        assert (target / name).read_bytes() == (REPOSITORY / name).read_bytes()
    assert (target / "studies" / SCHEMA_FILE).read_bytes() == (
        REPOSITORY / "studies" / SCHEMA_FILE
    ).read_bytes()
    (target / "data" / "names.txt").unlink()
    (target / "studies" / "names.toml").write_text("mine")
    assert main(["init", str(target)]) == 1
    assert "exists and is not overwritten" in complaint(capsys)
    assert (target / "studies" / "names.toml").read_text() == "mine"
    assert not (target / "data" / "names.txt").exists()


def test_init_wants_a_folder(folder: Path, capsys: Capture) -> None:
    """A file is named as it was given, and stays."""
    assert main(["init", "data/words.txt"]) == 1
    assert complaint(capsys) == "sweep: data/words.txt is not a folder; name another DIR"
