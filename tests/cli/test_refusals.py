"""What several commands refuse: missing studies, damaged databases, changed words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    Capture,
    complaint,
    exported,
)


@pytest.mark.parametrize("command", ["rename", "delete", "table", "confirm", "export"])
def test_a_confirmation_is_reached_through_its_study_only(command: str, small: Path, capsys: Capture) -> None:
    """Renamed or deleted on its own it would be lost to the study; it is told whose it is."""
    more = {"rename": ["other"], "delete": ["--yes"]}.get(command, [])
    assert main([command, "small/confirm", *more]) == 1
    assert "small/confirm is the confirmation of study 'small'" in complaint(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nope"], "no study file studies/nope.toml; give"),
        (["run", "smal"], "no study file studies/smal.toml; did you mean small? give"),
        (["run", "nope.toml"], "study file nope.toml does not exist"),
        (["run", "data/words.txt"], "data/words.txt is no study file; give a .toml file"),
        (["run", "studies"], "studies is no study file"),
        (["run", "small", "--device", "tpu"], "unknown device 'tpu'; use auto, cpu, cuda or cuda:N"),
        (["run", "small", "--device", "cuda:64"], "device cuda:64 is not present; use --device cpu or auto"),
        (["table", "small"], "no database at studies/sweep.db"),
        (["dashboard"], "no database at studies/sweep.db"),
        (["delete", "small", "--yes"], "no database at studies/sweep.db"),
        (["test", "nope.toml"], "config file nope.toml does not exist; `sweep export STUDY` writes one"),
        (
            ["sample", "studies/small.toml"],
            "studies/small.toml: a study file, not an exported configuration",
        ),
        (["lr-find", "nope"], "no study file studies/nope.toml"),
    ],
)
def test_what_is_not_there_is_named(
    arguments: list[str], message: str, folder: Path, capsys: Capture
) -> None:
    """A name that leads nowhere is told with the way out, and makes no file."""
    assert main(arguments) == 1
    assert message in complaint(capsys)
    assert not (folder / "studies" / "sweep.db").exists() or "--device" in arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table", "other"], "no study 'other' in the database; stored: small"),
        (["table", "smal"], "no study 'smal' in the database; did you mean small? stored: small"),
        (["table", "small.toml"], "small.toml does not exist, but study 'small' is stored: name small"),
        (["table", "../x"], "no study '../x' in the database"),
        (["replay", "small", "--trial", "99"], "study 'small' has no trial 99; it has 6"),
        (["replay", "small", "--engine", "magic"], "unknown engine 'magic'; known: autograd, fused"),
        (["export", "small", "--trial", "6"], "study 'small' has no trial 6; it has 6"),
        (["run", "best.toml"], "best.toml is an exported configuration"),
        (["test", "studies/small.toml"], "studies/small.toml: a study file, not an exported configuration"),
    ],
)
def test_what_a_study_lacks_is_named(
    arguments: list[str], message: str, small: Path, capsys: Capture
) -> None:
    """An unknown study, trial or engine, or the wrong kind of file, is told in one line."""
    assert main(["export", "small", "-o", "best.toml"]) == 0
    capsys.readouterr()
    assert main(arguments) == 1
    assert message in complaint(capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "small", "--as", "../x"], "--as must be 1 to 64 letters"),
        (["run", "small", "--timeout", "10"], "--timeout must be a time above 0 with s, m or h"),
        (["run", "small", "--set", "serach.lr=3"], "--set 'serach.lr=3' must be KEY=VALUE"),
        (["confirm", "small", "--seeds", "1"], "--seeds must be 2 or more"),
        (["confirm", "small", "--certify", "1"], "--certify must be 2 or more"),
        (["confirm", "small", "--alpha", "0.7"], "--alpha must be above 0 and below 0.5"),
        (["confirm", "small", "--delta", "0"], "--delta must be above 0"),
        (["export", "small", "--ensemble", "--weights"], "leave out --ensemble"),
        (["table", "small", "--format", "parquet"], "name a file with -o FILE.parquet"),
        (["init", "demo", "-o", "x"], "-o goes with --from-script"),
    ],
)
def test_a_wrong_value_of_an_option_is_wrong_usage(
    arguments: list[str], message: str, small: Path, capsys: Capture
) -> None:
    """It ends with status 2, as a value that cannot be read does."""
    assert main(arguments) == 2
    assert message in complaint(capsys)


@pytest.mark.parametrize("command", [["list"], ["table", "small"], ["run", "small"], ["dashboard"]])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"hello, I am a text\n" * 90, "is not an SQLite database"),
        (lambda raw: b"", "is empty"),
        (lambda raw: raw[: len(raw) // 2], "damaged"),
    ],
    ids=["text", "zero bytes", "cut in half"],
)
def test_a_damaged_database_ends_with_3(
    command: list[str], damage: Callable[[bytes], bytes], message: str, small: Path, capsys: Capture
) -> None:
    """What is no sound database is refused by every command and stays as it is."""
    path = small / "studies" / "sweep.db"
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    assert main(command) == 3
    assert message in complaint(capsys)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    "place",
    [
        ["--storage", "mysql://u:secret@h/d"],
        ["--storage", "sqlite://"],
        ["--storage", "sweep.db"],
        ["--storage", "sqlite:///what?.db"],
        ["--storage", "postgresql://u:secret@h:port/d"],
        ["--storage", "postgresql://u:secret@h"],
        ["--storage", "postgresql://u@h/d", "--files", "s3://k:secret@bucket"],
        ["--storage", "sqlite:///sweep.db", "--files", "files"],
    ],
)
def test_an_address_that_cannot_be_understood_is_wrong_input(
    place: list[str], folder: Path, capsys: Capture
) -> None:
    """The line says what an address must be and tells no password; nothing is wrong with the machine."""
    assert main(["list", *place]) == 1
    assert "secret" not in complaint(capsys)


def test_changed_words_are_noticed(small: Path, capsys: Capture) -> None:
    """A words file that changed after the run is refused by run, replay and test."""
    path = exported(capsys)
    words = small / "data" / "words.txt"
    words.write_text(words.read_text() + "zaza\n")
    assert main(["run", "small"]) == 1
    text = complaint(capsys)
    assert "content of the data files, sha256" in text
    assert main(["replay", "small"]) == 1
    assert "data/words.txt has changed since study 'small' was run; restore the file" in complaint(capsys)
    assert main(["test", path]) == 1
    assert "data/words.txt does not hold the data of the export" in complaint(capsys)
