"""The command table: its formats, its advice and the next command."""

import csv
import io
import re
from pathlib import Path

import click

from sweep.cli import main
from sweep.cli.commands.showing import table
from sweep.reporting.table.formats import FORMATS
from tests.support.command_line import (
    Capture,
    in_terminal,
)
from tests.support.small_study import (
    rows,
    sweep,
)


def hints(capsys: Capture, name: str) -> list[str]:
    """Return how the table and the report say to go on with a study."""
    capsys.readouterr()
    found = []
    for command in ("table", "report"):
        assert main([command, name]) == 0
        found.append(capsys.readouterr().err.splitlines()[-1].rpartition("sweep ")[2])
    return found


def test_advice_stands_below_a_text_table_only(small: Path, capsys: Capture) -> None:
    """After a run the notes are stored, so the table says the same; the other formats hold rows alone."""
    assert main(["table", "small", "--advice"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"\n\nAdvice\n\* .*counting \w+ character", text)
    assert max(map(len, text.partition("Advice")[2].splitlines())) <= 80
    for form in ("markdown", "csv", "json", "log"):
        assert main(["table", "small", "--format", form, "--advice"]) == 0
        assert "Advice" not in capsys.readouterr().out


def test_table_in_every_format(small: Path, capsys: Capture) -> None:
    """Text, markdown, CSV, JSON and log tell the same six losses, best first."""
    assert main(["table", "small", "--format", "json"]) == 0
    losses = [row["dev_loss"] for row in rows(capsys.readouterr().out)]
    assert losses == sorted(losses)
    assert len(losses) == 6

    assert main(["table", "small", "--format", "csv"]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(record["dev_loss"]) for record in records] == losses

    rounded = [f"{loss:.4f}" for loss in losses]
    for form in ("text", "markdown", "log"):
        assert main(["table", "small", "--format", form]) == 0
        written = capsys.readouterr()
        table = written.out.partition("\nAdvice\n")[0]
        found = [cell for cell in re.findall(r"\b\d\.\d{4}\b", table) if cell in rounded]
        assert found == rounded, form
        assert ("next: sweep confirm small" in written.err) == (form == "text")


def test_the_next_command_is_the_one_that_goes_on(small: Path, capsys: Capture) -> None:
    """Run where nothing has a loss yet, then confirm, then export."""
    assert main(["run", "small", "--as", "lost", "--trials", "1", "--set", "fixed.learning_rate=1e9"]) == 1
    assert hints(capsys, "lost") == ["run lost", "run lost"]
    assert hints(capsys, "small") == ["confirm small", "confirm small"]
    few = ["--top", "2", "--seeds", "2", "--certify", "2", "--workers", "1"]
    assert main(["confirm", "small", *few]) == 0
    assert hints(capsys, "small") == ["export small", "export small"]
    assert main(["table", "small"]) == 0
    found = capsys.readouterr().out
    line = re.search(
        r"confirmed among 2 candidates: trial \d, certified dev loss \d\.\d{4} over 2 further seeds", found
    )
    assert line, found
    assert main(["confirm", "small", "--format", "json", *few]) == 0
    best = next(row for row in rows(capsys.readouterr().out) if row["certified_mean"])
    assert line[0].endswith(
        f"trial {best['trial']}, certified dev loss {best['certified_mean']:.4f} over 2 further seeds"
    )


def test_table_takes_a_study_file_and_a_top(small: Path, capsys: Capture) -> None:
    """The .toml stands for its study, and `--top 2` shows two rows and says of how many."""
    assert main(["table", "studies/small.toml", "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert "The best 2 of 6 configurations." in out
    assert len(re.findall(r"^\d  ", out, re.MULTILINE)) == 2


def test_a_pipe_gets_no_colour_and_a_terminal_does(small: Path) -> None:
    """A pipe gets plain text, a terminal colours unless NO_COLOR is set, within its width."""
    piped = sweep(small, "table", "small").stdout
    assert "\x1b" not in piped
    coloured = in_terminal(small, ["table", "small"], columns=80)
    assert "\x1b[" in coloured
    narrow = in_terminal(small, ["table", "small"], columns=50, NO_COLOR="1")
    assert "\x1b[" not in narrow
    assert max(map(len, narrow.splitlines())) <= 50
    assert "left out at 50 columns: " in narrow


def test_the_command_line_offers_every_format() -> None:
    """A new entry of ``FORMATS`` needs its name in the option, which loads no format; Parquet is no text."""
    (option,) = [each for each in table.params if each.name == "format"]
    assert isinstance(option.type, click.Choice)
    assert {*option.type.choices} == {*FORMATS, "parquet"}


def test_a_table_is_written_to_a_file_that_is_not_overwritten(small: Path, capsys: Capture) -> None:
    """The file has the printed rows; a second time it is refused unless that is asked for."""
    assert main(["table", "small", "--format", "csv"]) == 0
    printed = capsys.readouterr().out
    assert main(["table", "small", "--format", "csv", "-o", "rows.csv"]) == 0
    assert capsys.readouterr().out == "wrote rows.csv\n"
    assert Path("rows.csv").read_text("utf-8") == printed
    assert main(["table", "small", "--format", "json", "-o", "rows.csv"]) == 1
    assert "rows.csv exists and is not overwritten" in capsys.readouterr().err
    assert main(["table", "small", "--format", "json", "-o", "rows.csv", "--force"]) == 0
    assert Path("rows.csv").read_text("utf-8").startswith("[")


def test_parquet_is_written_to_a_file_only(small: Path, capsys: Capture) -> None:
    """Bytes on a terminal would help nobody."""
    assert main(["table", "small", "--format", "parquet"]) == 2
    assert "name a file with -o" in capsys.readouterr().err
