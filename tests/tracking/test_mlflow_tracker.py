"""Trials in MLflow, written by sweep and read by MLflow's own client."""

import importlib
import warnings
from pathlib import Path
from typing import Any

import pytest

from sweep.api.training import run as run_study
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.tracking.tracked_run import run_key
from tests.support.small_study import _own_ledger
from tests.support.tracked_study import lay_out, rows, run_sweep

__all__ = ["_own_ledger"]  # a fixture

pytest.importorskip("mlflow", reason="MLflow is not installed: pip install mlflow-skinny")


def runs_in(folder: Path, experiment: str = "para") -> dict[int, Any]:
    """Return trial -> run of MLflow's own client, which must find each trial once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own imports
        tracking = importlib.import_module("mlflow.tracking")
        client = tracking.MlflowClient(f"sqlite:///{folder}/mlflow.db")
        found = client.get_experiment_by_name(experiment)
        runs = list(client.search_runs([found.experiment_id])) if found else []
        for run in runs:
            run.steps = [
                (point.step, point.value)
                for point in client.get_metric_history(run.info.run_id, "steps/loss")
            ]
    numbers = [int(run.data.tags["sweep.trial"]) for run in runs]
    assert len(numbers) == len(set(numbers))
    return dict(zip(numbers, runs, strict=True))


def test_a_run_is_logged_while_it_runs_and_continued_once(tmp_path: Path) -> None:
    """Parameters, values at each epoch, the final value, state, seed and times are those of the study."""
    folder = lay_out(tmp_path / "work")
    done = run_sweep(folder, "run", "para.toml", "--workers", "1", "--track", "mlflow")
    assert done.returncode == 0, done.stderr
    assert f"mlflow: 3 new runs in experiment 'para' in sqlite:///{folder}/mlflow.db\n" in done.stderr
    runs, table = runs_in(folder), rows(folder)
    study = load_study(Database(f"sqlite:///{folder}/studies/sweep.db").open_read_only(), "para")
    assert runs.keys() == {0, 1, 2}
    for number, run in runs.items():
        trial = study.trials[number]
        x = float(run.data.params["x"])
        assert x == table[number]["x"]
        assert run.data.params == {"x": repr(x), "epochs": "4", "seed": str(trial.seed)}
        assert run.data.tags["sweep.seed"] == str(trial.seed)
        assert run.data.tags["sweep.study"] == "para"
        assert run.data.tags["sweep.environment.python"].startswith("3.")
        assert trial.ended is not None
        assert run.info.end_time == pytest.approx(trial.ended.timestamp() * 1_000, abs=1)
        if number == 0:
            assert (run.info.status, run.data.tags["sweep.state"]) == ("FAILED", "failed")
            assert "x is too large" in run.data.tags["sweep.reason"]
            assert "loss" not in run.data.metrics
        else:
            assert (run.info.status, run.data.tags["sweep.state"]) == ("FINISHED", "complete")
            assert run.steps == [(n, pytest.approx((x - 0.3) ** 2 + 1 / n)) for n in range(1, 5)]
            assert run.data.metrics["loss"] == table[number]["value"]
            assert run.data.metrics["accuracy"] == 0.5
    more = run_sweep(folder, "run", "para.toml", "--trials", "5", "--workers", "1", "--track", "mlflow")
    assert "mlflow: 2 new runs in " in more.stderr
    assert runs_in(folder).keys() == {0, 1, 2, 3, 4}
    again = run_sweep(folder, "run", "para.toml", "--trials", "5", "--workers", "1", "--track", "mlflow")
    assert "mlflow: 0 new runs in " in again.stderr
    assert len(runs_in(folder)) == 5


def test_a_stored_study_is_logged_afterwards_and_a_half_logged_run_anew(tmp_path: Path) -> None:
    """A run that a killed process left is replaced; one of somebody else stays."""
    folder = lay_out(tmp_path / "work")
    assert run_sweep(folder, "run", "para.toml", "--workers", "1").returncode == 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = importlib.import_module("mlflow.tracking").MlflowClient(f"sqlite:///{folder}/mlflow.db")
        experiment = client.create_experiment("para")
        study = load_study(Database(f"sqlite:///{folder}/studies/sweep.db").open_read_only(), "para")
        half = client.create_run(experiment, tags={"sweep.key": run_key(study, study.trials[1])})
        other = client.create_run(experiment)
    done = run_sweep(folder, "track", "para", "--to", "mlflow")
    assert done.stdout == f"mlflow: 3 new runs in experiment 'para' in sqlite:///{folder}/mlflow.db\n"
    ids = {run.info.run_id: "sweep.trial" in run.data.tags for run in client.search_runs([experiment])}
    assert half.info.run_id not in ids
    assert ids.pop(other.info.run_id) is False
    assert list(ids.values()) == [True] * 3
    assert run_sweep(folder, "track", "para", "--to", "mlflow").stdout.startswith("mlflow: 0 new runs")


def test_a_tracker_that_does_not_answer_costs_one_warning(tmp_path: Path) -> None:
    """The study is trained and its table printed; afterwards the command track fails in one line."""
    folder = lay_out(tmp_path / "work")
    nobody = {"MLFLOW_TRACKING_URI": "http://me:secret@127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = run_sweep(folder, "run", "para.toml", "--workers", "1", "--track", "mlflow", **nobody)
    assert done.returncode == 0
    assert len(rows(folder)) == 3
    warned = [line for line in done.stderr.splitlines() if "mlflow" in line and "waiting" not in line]
    assert len(warned) == 1
    assert warned[0].startswith("warning: mlflow does not have all trials: ")
    assert warned[0].endswith("`sweep track para --to mlflow` logs the rest")
    later = run_sweep(folder, "track", "para", "--to", "mlflow", **nobody)
    assert later.returncode == 3
    assert later.stderr.splitlines()[-1].startswith("sweep: mlflow does not have all trials: ")
    assert "secret" not in done.stderr + later.stderr


def test_from_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``track`` is the same option."""
    folder = lay_out(tmp_path / "work")
    monkeypatch.chdir(folder)
    assert len(run_study("para.toml", workers=1, track="mlflow").trials) == 3
    assert runs_in(folder).keys() == {0, 1, 2}
