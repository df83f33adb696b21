"""A study that begins with the best configurations of another one."""

from pathlib import Path
from typing import Any

import pytest

from sweep.definition.records import StudyRecord
from sweep.errors import NotFoundError, StudyFileError
from sweep.reporting.warm_start import resume_warm_start, warm_start
from sweep.storage.study_reader import load_study, stored_spec
from tests.support.toy_runs import database_in, run_toy, toy_study
from tests.support.toy_task import TOY


def wider(**changes: Any) -> Any:
    return toy_study(**{"name": "second", "search": {"x": {"low": 0.0, "high": 1.0}}, **changes})


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    return run_toy(tmp_path_factory.mktemp("first"), toy_study(trials=8, replicates=2)).study


def best_x(study: StudyRecord) -> list[float]:
    """Configurations by the mean of their two replicates, by hand."""
    means: dict[float, list[float]] = {}
    for trial in study.trials:
        assert trial.dev_loss is not None
        means.setdefault(trial.params["x"], []).append(trial.dev_loss)
    return sorted(means, key=lambda x: sum(means[x]) / len(means[x]))


def test_the_best_configurations_come_first_with_their_provenance(first: StudyRecord) -> None:
    """By pooled replicates; what is not searched here is left to this study; its own list follows."""
    spec = warm_start(TOY, wider(trial=[{"x": 0.25}]), first, top=2)
    assert [params["x"] for params in spec.listed] == [*best_x(first)[:2], 0.25]
    assert spec.origin["study"] == "toy"
    assert [first.trials[number].params["x"] for number in spec.origin["trials"]] == best_x(first)[:2]
    assert spec.identity(TOY, "")["from"] == spec.origin
    assert "from" not in wider().identity(TOY, "")


def test_those_outside_of_the_space_are_passed_over(first: StudyRecord) -> None:
    """The next best take their places."""
    inside = [x for x in best_x(first) if x >= 0.3]
    spec = warm_start(TOY, wider(search={"x": {"low": 0.3, "high": 1.0}}), first, top=len(inside))
    assert [params["x"] for params in spec.listed] == inside


def test_the_losses_of_a_log_keep_their_configurations(first: StudyRecord) -> None:
    """What is put before them has no logged loss."""
    log = {"trial": [{"x": 0.25, "logged": 2.5}], "log": {"data_sha256": "5" * 64}}
    assert warm_start(TOY, wider(**log), first, top=1).logged == (None, 2.5)


def test_where_none_lies_in_the_space_the_knobs_are_named(first: StudyRecord) -> None:
    """Each with how many configurations it keeps out."""
    spec = wider(search={"x": {"low": 2.0, "high": 3.0}, "y": {"low": 1, "high": 9}})
    with pytest.raises(NotFoundError, match=r"--from toy: none of its 4 .*; outside of it: x in 4$"):
        warm_start(TOY, spec, first)
    with pytest.raises(NotFoundError, match="listed in this study already"):
        warm_start(TOY, wider(trial=[{"x": x} for x in best_x(first)]), first)
    grid = wider(search={"x": {"choices": [0.1, 0.2]}}, sampler="grid", trials=2)
    with pytest.raises(StudyFileError, match="grid runs every cell"):
        warm_start(TOY, grid, first)


def test_it_goes_on_without_the_other_study(first: StudyRecord, tmp_path: Path) -> None:
    """By the same command, which takes the stored list, or by its name, without its file."""
    spec = warm_start(TOY, wider(trials=2), first, top=2)
    run_toy(tmp_path, spec)
    stored = load_study(database_in(tmp_path).open_read_only(), "second")
    assert [trial.params["x"] for trial in stored.trials] == best_x(first)[:2]
    again = resume_warm_start(wider(trials=2), stored)
    assert (again.listed, dict(again.origin)) == (spec.listed, spec.origin)
    by_name = stored_spec(stored).replace(trials=3)
    study = run_toy(tmp_path, by_name).study
    assert [trial.params for trial in study.trials[:2]] == list(spec.listed)
    assert len(study.trials) == 3
