"""Every block of docs/your-own-trainer.md: files are written, commands run, copies compared."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from sweep.trainers.command.kind import COMMAND
from sweep.trainers.command.placeholders import Place
from sweep.trainers.function.kind import FUNCTION
from sweep.trainers.program.definition import DEFINING, SURROUNDING
from sweep.trainers.program.process.environment import child_environment
from tests.support.documented import run
from tests.support.sweep_command import REPOSITORY, sweep

PAGE = REPOSITORY / "docs/your-own-trainer.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- (file|run|python|same as)(?:: (\S+))? -->\n```\w+\n(.*?)```", TEXT, re.S)


def test_each_block_is_tested() -> None:
    """A block without a mark would be read by nobody."""
    assert len(BLOCKS) == len(re.findall(r"^```\w+$", TEXT, re.M)) == 15


@pytest.mark.parametrize(
    ("copied", "text"), [(name, text) for kind, name, text in BLOCKS if kind == "same as"]
)
def test_a_copy_is_the_file(copied: str, text: str) -> None:
    """The page shows the example as it is run."""
    assert (REPOSITORY / copied).read_text(encoding="utf-8") == text


def test_the_commands_come_to_a_confirmed_winner(tmp_path: Path) -> None:
    """The page's files and commands, in their order: each exits 0, and the winner fits the sine well."""
    commands = list(run("docs/your-own-trainer.md", tmp_path))
    assert len(commands) > sum(text.count("\n") for kind, _, text in BLOCKS if kind == "run") > 10
    for text in [text for kind, _, text in BLOCKS if kind == "python"]:
        check_python(tmp_path, text)
    winner = tomllib.loads((tmp_path / "winner.toml").read_text(encoding="utf-8"))
    assert winner["certificate"]["candidates"] == 2
    assert 0.01 * 0.8 < winner["certificate"]["mean"] < 0.05  # the noise alone has a variance of 0.01
    assert (tmp_path / "reports/sine/report.html").is_file()


def check_python(folder: Path, text: str) -> None:
    """Run a block as a script from stdin, whose functions are in no file; the command line reads it."""
    done = subprocess.run(
        [sys.executable, "-"],
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.endswith("equal\n")
    assert sweep(folder, "table", "polynomial").returncode == 0
    refused = sweep(folder, "run", "polynomial")
    assert refused.returncode == 1
    assert "given from Python" in refused.stderr
    assert tomllib.loads((folder / "polynomial.toml").read_text("utf-8"))["certificate"]["candidates"] == 2


def test_the_page_names_each_variable() -> None:
    """What a program finds in its environment."""
    told = {
        "study": "s",
        "trial": 0,
        "seed": 1,
        "deadline": 2.0,
        "resumed": False,
        "device": "cpu",
        "cpus": 1,
    }
    places = {name: Path(name) for name in ("dir", "checkpoint", "report", "config")}
    given = child_environment({}, **told, **places, env={}, secrets=())
    assert set(re.findall(r"SWEEP_[A-Z]+", TEXT.partition("## How a program ends")[0])) == {
        name for name in given if name.startswith("SWEEP_")
    }


def test_the_table_names_each_key() -> None:
    """Keys that a study file can have and the page's table are the same."""
    rows = re.findall(r"^\| (`.*?) \|", TEXT.partition("## The keys")[2].partition("## ")[0], re.M)
    named = {key.strip("[]").split()[0].strip("]") for row in rows for key in re.findall(r"`([^`]+)`", row)}
    keys = {*DEFINING, *SURROUNDING, *COMMAND.defining, *FUNCTION.defining, *COMMAND.surrounding}
    assert keys | {*FUNCTION.surrounding, "data"} == named - {"test_files", "sources"}


def test_the_page_names_each_placeholder() -> None:
    """What a token may hold beside hyperparameters."""
    section = TEXT.partition("Placeholders in `command`:")[2].partition("\n\n")[0]
    names = set(re.findall(r"`\{([\w.]+)\}`", section))
    assert names >= {field for field in Place.__dataclass_fields__ if field != "configs"}
    assert {"args", "config.json", "config.yaml", "config.toml"} <= names


def test_links_lead_to_files() -> None:
    """No link of the page is broken."""
    for target in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / target).exists(), target
