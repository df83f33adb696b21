"""What becomes of the output: a closed pipe, a full disk, another encoding."""

import contextlib
import io
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.reporting.table.formats import FORMATS
from tests.support.command_line import (
    SWEEP,
)
from tests.support.small_study import (
    environment,
    sweep,
)
from tests.support.sweep_command import DEADLINE_S


def test_a_closed_pipe_is_no_fault(small: Path) -> None:
    """`sweep table small | head -1` prints one line, ends with 0 and complains of nothing."""
    reader, writer = os.pipe()
    table = subprocess.Popen(
        [sys.executable, "-m", "sweep", "table", "small"],
        cwd=small,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(reader)  # nobody reads, so the first write fails
    os.close(writer)
    _, complaints = table.communicate(timeout=DEADLINE_S)
    assert table.returncode == 0
    assert "Error" not in complaints
    assert "Traceback" not in complaints

    pipe = f"{SWEEP} table small | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe],
        cwd=small,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == "small: Six small models\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_told(small: Path) -> None:
    """Where stdout cannot be written, one line says so and the status is 3."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sweep", "list"],
            cwd=small,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "sweep: the output: No space left on device"
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("command", ["table small", "list", *(f"table small --format {f}" for f in FORMATS)])
def test_no_letter_is_lost_in_another_encoding(
    command: str, encoding: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an encoding lacks is written as its escape, so two words stay two words; nothing becomes '?'."""
    database = sqlite3.connect(small / "studies" / "sweep.db")
    with contextlib.closing(database), database:
        attribute = ('"Ł and ż"', "goal")
        database.execute("UPDATE study_user_attributes SET value_json = ? WHERE key = ?", attribute)
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding=encoding, write_through=True) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(command.split()) == 0
        monkeypatch.undo()
        text = written.getvalue().decode(encoding)
    assert "?" not in text
    if command in ("table small", "table small --format text", "list"):  # the others write no goal
        assert ("Ł and ż" if encoding == "utf-8" else "\\u0141 and \\u017c") in text


def test_a_way_that_the_user_chose_for_letters_is_kept(small: Path) -> None:
    """PYTHONIOENCODING=ascii:replace asks for question marks."""
    done = sweep(small, "table", "small", PYTHONIOENCODING="ascii:replace", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "????" in done.stdout
    assert "\\u" not in done.stdout
