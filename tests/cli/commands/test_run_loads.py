"""Which libraries a run does without: what takes a second to load is loaded by what needs it."""

import os
import subprocess
import sys
from pathlib import Path

from program_studies import lay_out
from sweep_command import REPOSITORY

BLOCKED = ("torch", "numba", "scipy.linalg", "scipy.optimize", "scipy.signal", "scipy.special", "scipy.stats")

CODE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in NAMES:
            raise ImportError(f"a run loads {name}")

sys.meta_path.insert(0, Blocked())
from sweep.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_run_of_a_program_loads_neither_torch_nor_scipy(tmp_path: Path) -> None:
    """From the study file to the advice; with the module's name if one is loaded."""
    lay_out(tmp_path, "function")
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("NAMES", repr(BLOCKED)), "run", "own.toml", "--workers", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "SWEEP_LEDGER": str(tmp_path / "ledger.jsonl")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a run loads" not in done.stderr
    assert "3 of 3 trials done" in done.stdout
