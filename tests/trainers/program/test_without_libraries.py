"""With torch and numba out of reach, everything but the MLP works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sweep_command import DEADLINE_S, REPOSITORY

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numba", "llvmlite"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""

TRAINERS = """
import sweep

def train(config, report):
    report(config.x, step=1)
    return config.x + config.seed % 100 / 1e6

class Train:
    def train_segment(self, config, state, until):
        return sweep.Segment(b"", config.x + config.seed % 100 / 1e6)
"""

SCRIPT = """
import sys
print("loss:", float(sys.argv[1]) + int(sys.argv[2]) % 100 / 1e6)
"""

WAYS = {
    "function": 'trainer = "trainers:train"',
    "class": 'trainer = "trainers:Train"\nbudget = "epochs"\nfixed.epochs = 10',
    "command": 'command = ["python", "script.py", "{x}", "{seed}"]',
}

STUDY = """
name = "light"
WAY
metric = "loss"
matters = 0.1
trials = 4
search.x = { low = 0.0, high = 1.0 }
"""

COMMANDS = """
from sweep.cli import main

if __name__ == "__main__":
    for words in (
        "run light.toml --workers 1",
        "table light",
        "confirm light --top 2 --seeds 2 --certify 2 --workers 1",
        "report light",
        "export light",
        "replay light",
        "list",
    ):
        status = main(words.split())
        print("STATUS", words.split()[0], status)
    try:
        import torch
    except ModuleNotFoundError:
        print("STATUS torch blocked")
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_program_goes_the_whole_way(tmp_path: Path, way: str) -> None:
    """Workers and hosts are under the block too: each Python process of this run is."""
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sitecustomize.py").write_text(BLOCKED)
    (tmp_path / "trainers.py").write_text("import sys\nassert 'torch' not in sys.modules\n" + TRAINERS)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "light.toml").write_text(STUDY.replace("WAY", WAYS[way]))
    (tmp_path / "commands.py").write_text(COMMANDS)
    environment = {key: value for key, value in os.environ.items() if key != "SWEEP_STORAGE"}
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "block"), str(REPOSITORY)])
    environment["SWEEP_LEDGER"] = str(tmp_path / "ledger.jsonl")
    done = subprocess.run(
        [sys.executable, "commands.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    statuses = [line.removeprefix("STATUS ") for line in done.stdout.splitlines() if "STATUS" in line]
    expected = ["run 0", "table 0", "confirm 0", "report 0", "export 0", "replay 0", "list 0"]
    assert statuses == [*expected, "torch blocked"], json.dumps([done.stdout, done.stderr])
    assert "Traceback" not in done.stderr
