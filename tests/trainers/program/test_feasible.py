"""Bounds of other figures than the metric: who is feasible, how the others rank, and what is stored."""

import json
from pathlib import Path
from typing import ClassVar

import pytest

import sweep
from sweep.cli import main
from sweep.definition.study_file import load_study_file
from sweep.errors import StudyFileError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.task import why_infeasible
from tests.support.command_line import Capture
from tests.support.tested_programs import KINDS, entered, lay_out

BOUND = "feasible = { latency = { max = 8.0 } }\n"
"""The programs' latency is 40 times x, so that x up to 0.2 is feasible, and the best x is 0.3."""


def run_bounded(folder: Path, kind: str, bound: str = BOUND) -> None:
    """Run a study of four trials with a bound."""
    lay_out(folder, kind)
    study = folder / "studies" / "own.toml"
    study.write_text(bound + study.read_text())
    with entered(folder):
        sweep.run("studies/own.toml", workers=1)


@pytest.mark.parametrize("kind", KINDS)
def test_infeasible_trials_follow_the_feasible_ones(kind: str, tmp_path: Path, capsys: Capture) -> None:
    """The best value of all breaks the bound: it ranks nowhere, its reason names the bound."""
    run_bounded(tmp_path / "own", kind)
    with entered(tmp_path / "own"):
        assert main(["table", "own", "--format", "json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [row["latency"] for row in rows] == pytest.approx([40 * row["x"] for row in rows])
        ranked = [row for row in rows if row["rank"] is not None]
        assert {row["state"] for row in ranked} == {"complete"}
        assert all(row["latency"] <= 8 for row in ranked)
        others = rows[len(ranked) :]
        assert others
        assert all(row["state"] == "infeasible" and row["value"] is None for row in others)
        assert others[0]["reason"] == f"infeasible: latency {others[0]['latency']:.6g} is above 8"
        assert min(rows, key=lambda row: abs(row["x"] - 0.3)) in others
        study = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own")
        assert all(trial.figures["latency"] == 40 * trial.params["x"] for trial in study.trials)
        assert len(study.complete_trials()) == len(ranked), "a confirmation chooses among these"
        assert main(["table", "own"]) == 0
        assert "latency" in capsys.readouterr().out


def test_a_figure_that_is_missing_fails_the_trial(tmp_path: Path) -> None:
    """One line names it."""
    run_bounded(tmp_path / "own", "command", "feasible = { Latency = { max = 8 } }\n")
    with entered(tmp_path / "own"):
        study = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own")
        assert {trial.state for trial in study.trials} == {"failed"}
        assert "feasible bounds Latency, but the program reported no finite value for it" in (
            study.trials[0].reason or ""
        )


class Bounded:
    """A trainer with bounds, as far as they are asked for."""

    bounds: ClassVar = {"latency": {"max": 20.0}, "recall": {"min": 0.5, "max": 1.0}}


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"latency": 20.0, "recall": 0.5}, None),
        ({"latency": 20.5, "recall": 0.5}, "latency 20.5 is above 20"),
        ({"latency": 1.0, "recall": 0.25}, "recall 0.25 is below 0.5"),
        ({"latency": 1.0}, "no recall was reported"),
    ],
)
def test_a_bound_itself_is_allowed(figures: dict[str, float], why: str | None) -> None:
    """The first bound that is broken is named."""
    assert why_infeasible(Bounded(), figures) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ("feasible = 3\n", "feasible must be a table of bounds"),
        ("feasible = { latency = 20 }\n", "feasible.latency must have min, max or both"),
        ("feasible = { latency = { most = 20 } }\n", "feasible.latency must have min, max or both"),
        ("feasible = { latency = { max = nan } }\n", "feasible.latency.max must be a number"),
        ("feasible = { latency = { min = 2, max = 1 } }\n", "min is above max"),
    ],
)
def test_bounds_without_a_meaning_are_refused(tmp_path: Path, bound: str, says: str) -> None:
    """One line names key and value."""
    lay_out(tmp_path / "own", "function")
    study = tmp_path / "own" / "studies" / "own.toml"
    study.write_text(bound + study.read_text())
    with pytest.raises(StudyFileError, match=says):
        load_study_file(study)


SCRIPT = """
import sys

print("params: 52000")
for epoch in range(10):
    print("latency: 5")
    print("loss:", float(sys.argv[1]) + 1 / (1 + epoch))
"""

STUDY = """
name = "bounded"
command = ["python", "train.py", "{x}"]
metric = "loss"
sampler = "random"
trials = 2
budget = "epochs"
pruner = "asha"
feasible = { params = { max = 1e6 }, latency = { max = 8 } }
fixed.epochs = 10
search.x = { low = 0.0, high = 1.0 }
arguments.epochs = "skip"
"""


def test_lines_of_other_figures_are_no_steps(tmp_path: Path) -> None:
    """A figure before the first epoch and one in each: ten values of the metric are ten epochs."""
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "bounded.toml").write_text(STUDY)
    with entered(tmp_path):
        study = sweep.run("bounded.toml", workers=1)
        assert [trial.state for trial in study.trials] == ["complete", "pruned"], study.trials[0].reason
        assert [segment.percent for segment in study.trials[0].segments] == [10, 30, 90, 100]
        rungs = study.trials[0].rungs
        x = study.trials[0].params["x"]
        assert rungs == pytest.approx({10: x + 1, 30: x + 1 / 3, 90: x + 1 / 9, 100: x + 1 / 10})
