"""What commands print about compiled code that cannot be used or kept."""

from pathlib import Path

import pytest

from sweep.cli import main
from sweep.trainers.mlp.compiled import code_cache
from sweep.trainers.mlp.compiled.code_files import suffix

COMMANDS = {
    "run": ["run", "studies/small.toml", "--trials", "7"],
    "plan": ["plan", "studies/small.toml", "--workers", "1"],
    "replay": ["replay", "small", "--trial", "3"],
    "lr-find": ["lr-find", "small", "--seeds", "1", "--steps", "100"],
    "confirm": ["confirm", "small", "--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1"],
    "test": ["test", "best.toml"],
    "sample": ["sample", "best.toml"],
}


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of this version's compiled code that was emptied, in the folder that is used."""
    folder = tmp_path / "compiled"
    folder.mkdir()
    monkeypatch.setattr(code_cache, "_folders", {folder: None})
    path = folder / f"fused{suffix()}"
    path.touch()
    return path


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_trains_names_the_folder_once_and_works(
    small: Path, damaged: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """The damaged file is gone afterwards."""
    assert main(["export", "small", "-o", "best.toml"]) == 0
    capsys.readouterr()
    assert main(command) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if str(damaged.parent) in line]
    assert lines == [
        f"warning: the compiled engine in {damaged.parent} cannot be used: {damaged.name} is damaged; "
        "it will be compiled again"
    ]
    assert not damaged.exists()


def test_doctor_names_damage_and_takes_a_step(
    small: Path, damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged file is a finding, status 3, and stays for the next run to remove; without it all is well."""
    assert main(["doctor"]) == 3
    written = capsys.readouterr()
    assert f"BAD  compiled code     {damaged.parent}: {damaged.name} is damaged" in written.out
    assert "ok   training          one step with engine " in written.out
    assert written.err == "not ready: compiled code\n"
    damaged.unlink()
    assert main(["doctor"]) == 0
    assert f"ok   compiled code     {damaged.parent}: writable" in capsys.readouterr().out
