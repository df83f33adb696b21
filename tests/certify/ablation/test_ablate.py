"""An ablation of the toy: in a real database, by real workers, with numbers known by hand."""

import dataclasses
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sweep import task as seam
from sweep.certify.ablation.pair import read_pair
from sweep.certify.ablation.steps import judge_ablation
from sweep.certify.ablation.stored_ablation import stored_ablation
from sweep.errors import ConfigError, DataError, StorageError, StudyConflictError
from sweep.reporting.text.ablation import ablation_json, describe_ablation, format_ablation
from sweep.storage.study_reader import load_study
from tests.support.toy_ablation import ablate, stored, toy_pair, write_export
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import PRIME

FIRST, SECOND = {"num_steps": 2, "x": 0.9, "y": 4}, {"num_steps": 3, "x": 0.4, "y": 1}


@pytest.fixture(autouse=True)
def _toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy can be found by name, with its metric maximised too."""
    monkeypatch.setitem(seam.BUILT_IN, "toy", "tests.support.toy_task:TOY")
    monkeypatch.setitem(seam.BUILT_IN, "negated-toy", "tests.support.toy_task:NEGATED")


def loss(seed: int, num_steps: int, x: float, y: int) -> float:
    """The toy's value, written again: a fold of the seed and every step, and a parabola."""
    fold = seed % PRIME
    for step in range(num_steps):
        fold = (fold * 31 + step) % PRIME
    return (x - 0.3) ** 2 + y / 10 + fold / PRIME / 100


def test_the_steps_come_out_as_by_hand(tmp_path: Path) -> None:
    """x brings 0.35, y 0.3, the steps next to nothing; each difference is over the same seeds."""
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=3)
    assert ablate(tmp_path, pair)
    result = judge_ablation(stored(tmp_path, pair))
    assert [step.names for step in result.steps] == [(), ("x",), ("y",), ("num_steps",)]
    assert result.steps[1].changes == ("x 0.9 -> 0.4",)
    seeds = result.steps[0].seeds
    assert len(set(seeds)) == 3
    config = dict(FIRST)
    for step in result.steps:
        config |= {name: SECOND[name] for name in step.names}
        assert step.seeds == seeds
        assert step.values == pytest.approx([loss(seed, **config) for seed in seeds], abs=1e-12)  # type: ignore[arg-type]
    differences = [step.difference for step in result.steps[1:]]
    assert differences[0] is not None
    assert differences[0].mean == pytest.approx(0.1**2 - 0.6**2)
    last = differences[2]
    assert last is not None
    paired = np.subtract([loss(s, 3, 0.4, 1) for s in seeds], [loss(s, 2, 0.4, 1) for s in seeds])
    low, high = stats.t.interval(0.95, df=2, loc=paired.mean(), scale=stats.sem(paired))
    assert (last.low, last.high) == pytest.approx((low, high), abs=1e-12)
    assert result.total is not None
    assert result.total.mean == pytest.approx(sum(d.mean for d in differences if d is not None))


def test_the_seeds_that_decide_are_not_those_that_measure(tmp_path: Path) -> None:
    """Nor are they of a search or a confirmation: each phase has a third of the seeds of its own."""
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=2)
    ablate(tmp_path, pair)
    seeds = {job: trial.seed for job, trial in stored(tmp_path, pair).trials.items()}
    phases = {
        phase: {seed for job, seed in seeds.items() if job.phase == phase} for phase in ("choice", "certify")
    }
    assert [len(found) for found in phases.values()] == [2, 2]
    third = 2**31 // 3
    assert all(third <= seed < 2 * third for seed in phases["choice"])
    assert all(2 * third <= seed for seed in phases["certify"])
    by_round = {(job.phase, job.round): seed for job, seed in seeds.items()}
    assert all(by_round[job.phase, job.round] == seed for job, seed in seeds.items())


def test_an_interrupted_ablation_resumes(tmp_path: Path) -> None:
    """Stopped three times and run again, it has the numbers of one that was not; then nothing is trained."""
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=2)
    straight, cut = tmp_path / "straight", tmp_path / "cut"
    straight.mkdir()
    cut.mkdir()
    assert ablate(straight, pair)
    assert [ablate(cut, pair, Watcher(stop_after=n)) for n in (1, 4, 3)] == [False] * 3
    assert judge_ablation(stored(cut, pair)).remaining > 0
    assert ablate(cut, pair)
    assert stored(cut, pair).losses == stored(straight, pair).losses
    watcher = Watcher()
    assert ablate(cut, pair, watcher)
    assert watcher.events == []


def test_a_higher_value_is_better_where_the_metric_is_maximised(tmp_path: Path) -> None:
    """The negated toy takes the same order, and its differences have the other sign."""
    paths = [
        write_export(tmp_path / f"{n}.toml", config, trainer="negated-toy")
        for n, config in enumerate((FIRST, SECOND))
    ]
    pair = read_pair(*paths, seeds=2)
    assert ablate(tmp_path, pair)
    result = judge_ablation(stored(tmp_path, pair))
    assert [step.names for step in result.steps] == [(), ("x",), ("y",), ("num_steps",)]
    assert result.steps[1].difference is not None
    assert result.steps[1].difference.mean == pytest.approx(0.6**2 - 0.1**2)


def test_a_step_that_diverges_comes_last_and_is_named(tmp_path: Path) -> None:
    """Its row has the reason instead of a mean."""
    before, after = {"num_steps": 2_000, "x": 0.9}, {"num_steps": 2_000, "x": 0.4, "conduct": "nan"}
    pair = toy_pair(tmp_path, before, after, seeds=2)
    assert ablate(tmp_path, pair)
    study = load_study(database_in(tmp_path).open_read_only(), "ablation")
    result = judge_ablation(stored(tmp_path, pair))
    assert [step.names for step in result.steps] == [(), ("x",), ("conduct",)]
    assert (result.steps[2].mean, result.steps[2].difference, result.total) == (None, None, None)
    assert "diverged" in (result.steps[2].reason or "")
    assert "diverged" in format_ablation(study, result)
    assert json.loads(ablation_json(study, result))["steps"][2]["mean"] is None


def test_what_it_costs_is_told_first(tmp_path: Path) -> None:
    """Three changes: 2 x (3 + 2) trainings decide the order, 2 x 4 measure the steps."""
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=2)
    lines = list(describe_ablation(pair.ablation, pair.task.metric, done=3, workers=2, seconds=60.0))
    assert lines == [
        "3 changes, 2 seeds: at most 18 trainings, 3 of them stored; 10 decide the order, 8 on other seeds "
        "measure the steps",
        "each step makes the change that gives the lowest mean",
        "about 8 min on 2 workers, from the stored trials of both",
    ]


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ({"trainer": "negated-toy"}, r"have different trainers \(toy, negated-toy\)"),
        ({"data_sha256": "6" * 64}, "have different data"),
        ({"split": "another"}, "have different splits"),
    ],
)
def test_only_what_can_be_compared_is(tmp_path: Path, origin: dict[str, str], says: str) -> None:
    """Another trainer, other data or another split are refused before anything is trained."""
    paths = (write_export(tmp_path / "a.toml", FIRST), write_export(tmp_path / "b.toml", SECOND, **origin))
    with pytest.raises(ConfigError, match=says):
        read_pair(*paths)


def test_equal_configurations_are_refused(tmp_path: Path) -> None:
    """The seed of the search is no change."""
    with pytest.raises(ConfigError, match="the two configurations are the same"):
        toy_pair(tmp_path, {**FIRST, "seed": 1}, {**FIRST, "seed": 2})


def test_changed_data_are_refused(tmp_path: Path) -> None:
    """Both exports name data that are not there any more."""
    paths = [
        write_export(tmp_path / f"{n}.toml", config, data_sha256="6" * 64)
        for n, config in enumerate((FIRST, SECOND))
    ]
    with pytest.raises(DataError, match="does not hold the data of the export"):
        ablate(tmp_path, read_pair(*paths))


def test_another_study_of_the_name_is_left_alone(tmp_path: Path) -> None:
    """A search, and an ablation of something else."""
    run_toy(tmp_path, toy_study(trials=1))
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=2)
    with pytest.raises(StudyConflictError, match="another study 'toy' is stored"):
        ablate(tmp_path, pair, name="toy")
    assert ablate(tmp_path, pair)
    other = toy_pair(tmp_path, FIRST, {**SECOND, "y": 2}, seeds=2)
    with pytest.raises(StudyConflictError, match="another study 'ablation' is stored"):
        ablate(tmp_path, other)
    assert pair.name != other.name


@pytest.mark.parametrize("seeds", ["-1", "1000000000000", '"x"', "null"])
def test_a_damaged_ablation_is_refused(tmp_path: Path, seeds: str) -> None:
    """In one line; a count of seeds that nobody asked for does not keep the reader busy."""
    pair = toy_pair(tmp_path, FIRST, SECOND, seeds=2)
    ablate(tmp_path, pair, Watcher(stop_after=1))
    with closing(sqlite3.connect(tmp_path / "toy.db")) as connection, connection:
        for table in ("study_user_attributes", "study_system_attributes"):
            connection.execute(
                f"UPDATE {table} SET value_json = json_set(value_json, '$.ablation.seeds', json(?))"  # noqa: S608
                " WHERE key = 'identity'",
                (seeds,),
            )
        connection.execute("DELETE FROM study_system_attributes WHERE key = 'sweep:fingerprint'")
    study = load_study(database_in(tmp_path).open_read_only(), "ablation")
    with pytest.raises(StorageError, match="the ablation 'ablation' is stored incompletely"):
        stored_ablation(study)


def test_no_interval_is_made_up_where_the_seed_makes_no_difference(tmp_path: Path) -> None:
    """Differences that are the same on every seed have a mean and no interval."""
    pair = toy_pair(tmp_path, {"num_steps": 2, "y": 10}, {"num_steps": 2, "y": 20}, seeds=2)
    assert ablate(tmp_path, pair)
    found = stored(tmp_path, pair)
    trials = {job: dataclasses.replace(t, dev_loss=float(job.candidate)) for job, t in found.trials.items()}
    result = judge_ablation(dataclasses.replace(found, trials=trials))
    assert result.total is not None
    assert (result.total.mean, result.total.low, result.total.high) == (1.0, None, None)
    assert not result.shown
    study = load_study(database_in(tmp_path).open_read_only(), "ablation")
    assert "no interval: the seed makes no difference" in format_ablation(study, result)
    first, *others = result.steps
    lost = [dataclasses.replace(step, difference=None) for step in others]
    told = format_ablation(study, dataclasses.replace(result, steps=(first, *lost)))
    assert "the seed makes no difference" not in told
    assert "no step has a difference: a configuration between them has no value on some seed" in told
