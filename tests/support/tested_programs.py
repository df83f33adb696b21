"""Studies of a function and of a script that have a test of their own, run, confirmed and exported."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import sweep
from sweep.cli import main
from tests.support.once import made_once

TEST_POINTS = (0.25, 0.5)
"""Lines of the test file; a model is x and 0.001 times seed % 97, its error the mean of (model - point)^2."""

FUNCTION = """
from pathlib import Path

def train(config, report):
    for epoch in (1, 2):
        report((config.x - 0.3) ** 2 + config.seed % 97 / 1000 + 1 / epoch, latency=epoch)
    (config.checkpoint / "model").write_text(repr(config.x + config.seed % 97 / 1000))
    return {"error": (config.x - 0.3) ** 2 + config.seed % 97 / 1000, "latency": 40 * config.x}

def test(config):
    model = float((config.checkpoint / "model").read_text())
    points = [float(line) for line in Path("data/test.txt").read_text().split()]
    (config.dir / "tested").write_text(str(config.seed))
    return sum((model - point) ** 2 for point in points) / len(points)

def broken_test(config):
    raise ValueError("no such column")
"""

SCRIPT = """
import os, sys
x, seed = float(sys.argv[1]), int(sys.argv[2])
print("latency:", 40 * x)
print("error:", (x - 0.3) ** 2 + seed % 97 / 1000)
with open(os.path.join(os.environ["SWEEP_CHECKPOINT"], "model"), "w") as file:
    file.write(repr(x + seed % 97 / 1000))
"""

EVALUATION = """
import os, sys
checkpoint, seed = sys.argv[1:]
model = float(open(checkpoint + "/model").read())
points = [float(line) for line in open("data/test.txt")]
with open(os.path.join(os.environ["SWEEP_DIR"], "tested"), "w") as file:
    file.write(seed)
print("evaluating", len(points), "points")
print("error:", sum((model - point) ** 2 for point in points) / len(points))
"""

STUDY = """
name = "own"
metric = "error"
matters = 0.01
trials = 4
sampler = "random"
search.x = { low = 0.0, high = 1.0 }
"""

KINDS = {
    "function": 'trainer = "trainers:train"\ntest = "trainers:test"\n',
    "command": 'command = ["python", "train.py", "{x}", "{seed}"]\n'
    'test_command = ["python", "evaluate.py", "{checkpoint}", "{seed}"]\n',
}
"""Kind of program -> what its study file says of it."""

GUARDED = '[data]\ntest_files = ["data/*.txt"]\n'


def lay_out(folder: Path, kind: str, data: str = GUARDED) -> None:
    """Write a study of one kind with its program and its test file."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "test.txt").write_text("".join(f"{point}\n" for point in TEST_POINTS))
    (folder / "studies").mkdir()
    (folder / "studies" / "trainers.py").write_text(FUNCTION)
    (folder / "train.py").write_text(SCRIPT)
    (folder / "evaluate.py").write_text(EVALUATION)
    (folder / "studies" / "own.toml").write_text(KINDS[kind] + STUDY + data)


def confirmed(folders: pytest.TempPathFactory, kind: str) -> Path:
    """Return the folder of a study that was run, confirmed on 2 + 3 seeds and exported to best.toml."""

    def make(folder: Path) -> None:
        lay_out(folder, kind)
        with entered(folder):
            sweep.run("studies/own.toml", workers=1)
            sweep.confirm("own", top=2, seeds=2, certify=3, workers=1)
            assert main(["export", "own", "-o", "best.toml"]) == 0

    return made_once(folders, f"tested-{kind}", make)


@contextlib.contextmanager
def entered(folder: Path) -> Iterator[None]:
    """Work in a folder, with a ledger in it."""
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWEEP_LEDGER", str(folder / "ledger.jsonl"))
        patch.delenv("SWEEP_STORAGE", raising=False)
        yield


def copied(source: Path, folder: Path) -> Path:
    """Copy a confirmed study; its program and its data stay where they are and may be read by many tests."""
    shutil.copytree(source, folder)
    return folder


def model_of(config: Mapping[str, float]) -> float:
    """Return what the training leaves as its model."""
    return config["x"] + config["seed"] % 97 / 1000


def error_on_test(config: Mapping[str, float]) -> float:
    """Return the error of a model on the test file."""
    return sum((model_of(config) - point) ** 2 for point in TEST_POINTS) / len(TEST_POINTS)
