"""A function's study from run to table."""

import json
from pathlib import Path

from tests.support.sweep_command import sweep, table

STUDY = """
name = "squares"
trainer = "trainers:train"
sampler = "random"
trials = 2
[search]
x = { low = -1.0, high = 1.0 }
"""


def test_a_metric_needs_no_name(tmp_path: Path) -> None:
    """A function that returns a number runs in a study that names no metric."""
    (tmp_path / "squares.toml").write_text(STUDY)
    (tmp_path / "trainers.py").write_text("def train(config):\n    return config.x ** 2\n")
    done = sweep(tmp_path, "run", "squares.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    rows = table(tmp_path, "squares")
    assert [row["value"] for row in rows] == sorted(row["x"] ** 2 for row in rows)


INFINITE = """
name = "infinite"
trainer = "trainers:train"
trials = {trials}
fixed.clip = inf
[search]
x = {{ low = 0.0, high = 1.0 }}
bound = {{ choices = [0.5, inf] }}
"""


def refuse(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON")


def test_infinite_values_reach_a_function_and_come_back(tmp_path: Path) -> None:
    """Fixed and among choices, for a sampler that learns, before and after a resume; as text in JSON."""
    body = "    assert config.clip == float('inf')\n    return min(config.x, config.bound)\n"
    (tmp_path / "trainers.py").write_text(f"def train(config):\n{body}")
    for trials in (6, 9):
        (tmp_path / "infinite.toml").write_text(INFINITE.format(trials=trials))
        done = sweep(tmp_path, "run", "infinite.toml", "--workers", "1")
        assert done.returncode == 0, done.stderr
    rows = table(tmp_path, "infinite")
    assert len(rows) == 9
    assert {row["bound"] for row in rows} == {0.5, "inf"}
    assert all(row["value"] == min(row["x"], float(row["bound"])) for row in rows)
    asked = ("--top", "2", "--seeds", "2", "--certify", "2", "--delta", "0.1", "--format", "json")
    done = sweep(tmp_path, "confirm", "infinite", *asked)
    assert done.returncode == 0, done.stderr
    assert {row["bound"] for row in json.loads(done.stdout)} <= {0.5, "inf"}
    (tmp_path / "infinite.toml").write_text(INFINITE.format(trials=10))
    done = sweep(tmp_path, "run", "infinite.toml", "--workers", "1", "--json")
    assert json.loads(done.stdout, parse_constant=refuse)["trial"] == 9
