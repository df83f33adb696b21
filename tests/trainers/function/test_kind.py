"""A function's study from run to table."""

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
