"""Commands that read load nothing of what trains, draws or computes: with it blocked, they work as ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.small_study import environment, sweep

HEAVY = (
    "optuna",
    "sqlalchemy",
    "pandas",
    "plotly.graph_objects",
    "torch",
    "numba",
    "scipy.signal",
    "boto3",
    "ray",
)

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if any(name == heavy or name.startswith(heavy + ".") for heavy in {heavy!r}):
            raise AssertionError(f"{{name}} is imported")

sys.meta_path.insert(0, Blocked())
from sweep.cli import main
sys.exit(main(sys.argv[1:]))
"""


def run_without(heavy: tuple[str, ...], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which some modules cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED.format(heavy=heavy), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "command", ["table small", "table small --format csv", "list", "report small", "run small"]
)
def test_a_command_that_reads_loads_no_heavy_module(small: Path, command: str) -> None:
    """Its output is that of the same command with everything at hand."""
    run = run_without(HEAVY, small, *command.split())
    assert (run.returncode, "imported" in run.stderr) == (0, False), run.stderr
    assert run.stdout == sweep(small, *command.split()).stdout


@pytest.mark.parametrize("command", ["table small", "table small --format json", "list", "run small"])
def test_a_command_that_only_counts_loads_no_numpy(small: Path, command: str) -> None:
    """NumPy alone takes a third of such a command's time."""
    run = run_without((*HEAVY, "numpy"), small, *command.split())
    assert (run.returncode, "imported" in run.stderr) == (0, False), run.stderr


def test_a_finished_study_is_read_without_its_words(small: Path) -> None:
    """The words are hashed; other words are another study, and refused as ever."""
    assert run_without(HEAVY, small, "run", "small").returncode == 0
    words = small / "data" / "words.txt"
    words.write_text(words.read_text() + "anotherword\n")
    refused = sweep(small, "run", "small")
    assert refused.returncode == 1
    assert "stored with other settings (content of the data files" in refused.stderr


def test_a_run_after_a_confirmation_has_nothing_to_compute(small: Path) -> None:
    """What it would store was stored when the confirmation ended."""
    confirm = ("confirm", "small", "--top", "3", "--seeds", "3", "--certify", "2", "--workers", "1")
    assert sweep(small, *confirm).returncode == 0
    run = run_without(HEAVY, small, "run", "small")
    assert (run.returncode, "imported" in run.stderr) == (0, False), run.stderr
    assert "nothing was trained" in run.stderr


def test_the_hook_notices_an_import(small: Path) -> None:
    """A command that needs one of the modules fails by the module's name."""
    run = run_without(("rich.cells",), small, "table", "small")
    assert run.returncode != 0
    assert "rich.cells is imported" in run.stderr
