"""A small study of a function that reports each epoch, run as a user runs it, for trackers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.small_study import environment
from tests.support.sweep_command import DEADLINE_S

FUNCTION = """
def train(config, report):
    for epoch in range(1, config.epochs + 1):
        if config.x > 0.9:
            raise ValueError("x is too large")
        loss = (config.x - 0.3) ** 2 + 1 / epoch
        report(loss, step=epoch, accuracy=0.5)
    return loss
"""

STUDY = """
trainer = "trainers:train"
metric = "loss"
budget = "epochs"
goal = "A parabola"
seed = 3
trials = 3
fixed.epochs = 4
search.x = { low = 0.0, high = 1.0 }
sampler = "random"

[[trial]]
x = 0.95
"""
"""Its first trial fails."""


def lay_out(folder: Path, study: str = STUDY) -> Path:
    """Write the function and its study, ``para.toml``."""
    folder.mkdir(exist_ok=True)
    (folder / "trainers.py").write_text(FUNCTION)
    (folder / "para.toml").write_text(study)
    return folder


def run_sweep(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``sweep`` in a folder to its end, with trackers that stay on this machine."""
    kept = {key: value for key, value in environment(**variables).items() if _is_allowed(key, variables)}
    return subprocess.run(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def _is_allowed(key: str, given: dict[str, str]) -> bool:
    return key in given or not key.startswith(("MLFLOW_", "WANDB_"))


def rows(folder: Path) -> dict[int, dict[str, Any]]:
    """Return the rows of the table by trial."""
    printed = run_sweep(folder, "table", "para", "--format", "json")
    return {row["trial"]: row for row in json.loads(printed.stdout)}
