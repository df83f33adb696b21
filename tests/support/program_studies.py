"""Small studies that bring their own program: a function or a script, with a module that it imports."""

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

from sweep.cli import main

FUNCTION = """
import time
from pathlib import Path

from helper import offset


def train(config):
    Path(__file__).with_name("ran").open("a").write(f"{config.x}\\n")
    return config.x + offset
"""

SCRIPT = """
import argparse
import time
from pathlib import Path

from helper import offset

parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
given = parser.parse_args()
Path(__file__).with_name("ran").open("a").write(f"{given.x}\\n")
print(f"value={given.x + offset}", flush=True)
"""

WAYS = {
    "function": ("trainer = 'trainers:train'", "trainers.py", FUNCTION),
    "command": ("command = ['python', 'train.py', '--x={x}']", "train.py", SCRIPT),
}
"""Kind of program -> its line of the study file, its file, and the file's text."""


def lay_out(folder: Path, way: str, more: str = "", text: str | None = None) -> Path:
    """Write a study ``own`` of three trials and its program; return the program's file."""
    line, name, program = WAYS[way]
    file = folder / name
    file.write_text(program if text is None else text)
    (folder / "helper.py").write_text("offset = 1.0\n")
    (folder / "own.toml").write_text(
        f"name = 'own'\n{line}\nmetric = 'value'\nmatters = 0.1\nsampler = 'random'\ntrials = 3\n{more}\n"
        "[search]\nx = { low = 0.0, high = 1.0 }\n"
    )
    return file


def change_helper(folder: Path, offset: str) -> None:
    """Write the imported module again.

    Python takes its own compiled copy for current while the file's second and size stay, so the
    file gets a later second.
    """
    file = folder / "helper.py"
    later = file.stat().st_mtime + 2
    file.write_text(f"offset = {offset}\n")
    os.utime(file, (later, later))


def sweep(*arguments: str) -> tuple[int, str, str]:
    """Run a command in this process; return its exit status, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(arguments))
    return status, out.getvalue(), err.getvalue()


def run(*more: str) -> tuple[int, str]:
    """Run the study with one worker; return its exit status and the lines that complain."""
    status, _, err = sweep("run", "own.toml", "--workers", "1", *more)
    return status, "\n".join(line for line in err.splitlines() if line.startswith("sweep: "))


def rows(study: str = "own") -> list[dict[str, Any]]:
    """Return the rows of ``sweep table`` in the order of the trials."""
    status, out, err = sweep("table", study, "--format", "json")
    assert status == 0, err
    table: list[dict[str, Any]] = json.loads(out)
    return sorted(table, key=lambda row: row["trial"])


def n_ran(folder: Path) -> int:
    """Return how often the program was started."""
    ran = folder / "ran"
    return len(ran.read_text().splitlines()) if ran.exists() else 0
