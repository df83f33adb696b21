"""One small real study, trained once a run of the tests, and the product as a user runs it in a folder."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import warm_python
from tests.support.once import made_once
from tests.support.sweep_command import DEADLINE_S

REPOSITORY = Path(__file__).resolve().parents[2]

STUDY = """
goal = "Six small models"
sampler = "random"
trials = 6

[data]
words = "data/words.txt"

[search]
block_size = { low = 2, high = 4 }
hidden_neurons = { low = 5, high = 30 }
num_steps = { choices = [100, 200] }
"""


def made_up_words(n: int = 400, seed: int = 1) -> list[str]:
    """Return ``n`` distinct words of two to eight letters, consonant and vowel in turn."""
    draw = random.Random(seed)  # noqa: S311  made-up words are no secret
    words: dict[str, None] = {}
    while len(words) < n:
        word = "".join(draw.choice("bcdfglmnrst") + draw.choice("aeiou") for _ in range(draw.randint(1, 4)))
        words[word] = None
    return list(words)


def write_words(path: Path, words: list[str]) -> Path:
    """Write one word a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(f"{word}\n" for word in words).encode())
    return path


def sweep(
    folder: Path, *arguments: str, stdin: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m sweep`` in a folder to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(**variables),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment for a run of the product, without a GPU and a chosen database."""
    not_ours = ("SWEEP_STORAGE", "COLUMNS", "LINES")  # the last two stand for the terminal of the tests
    kept = {key: value for key, value in os.environ.items() if key not in not_ours}
    return {**kept, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": "", **variables}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the study ``small`` was trained; copy it before changing anything.

    ``run.txt`` and ``run.jsonl`` hold what the run wrote to stderr and, with --json, to stdout.
    """
    return made_once(tmp_path_factory, "small-study", _train)


def _train(folder: Path) -> None:
    lay_out(folder)
    with warm_python.cold():
        run = sweep(
            folder,
            *("run", "studies/small.toml", "--workers", "2", "--json"),
            SWEEP_LEDGER=str(folder / "ledger.jsonl"),
        )
    assert run.returncode == 0, run.stderr
    (folder / "run.txt").write_text(run.stderr)
    (folder / "run.jsonl").write_text(run.stdout)


@pytest.fixture
def small(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the trained study's folder, which is also the working directory; an unused ledger."""
    folder = tmp_path / "work"
    shutil.copytree(trained, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the ledger and the database of the user who runs it."""
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "ledger.jsonl"))
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)


def lay_out(folder: Path) -> Path:
    """Write the words and the study file into a new folder."""
    write_words(folder / "data" / "words.txt", made_up_words())
    (folder / "studies").mkdir()
    (folder / "studies" / "small.toml").write_text(STUDY)
    return folder


def rows(table_json: str) -> list[dict[str, Any]]:
    """Return what ``sweep table --format json`` printed."""
    parsed = json.loads(table_json)
    assert isinstance(parsed, list)
    return parsed
