"""A trainer without capabilities, and one that got a hyperparameter in a later release."""

import math
from pathlib import Path

import pytest

from sweep.definition.identity import fingerprint
from sweep.definition.records import StudyRecord
from sweep.errors import DeviceError
from sweep.execution.how import How
from sweep.execution.planning.study_plan import plan_study
from sweep.execution.run import run_study
from tests.support.toy_runs import database_in, run_toy, toy_study
from tests.support.toy_task import TOY, CoreTask, GrownTask

CORE, GROWN = CoreTask(), GrownTask()


def losses_of(study: StudyRecord) -> list[tuple[object, ...]]:
    return [(trial.params, trial.seed, trial.dev_loss, trial.rungs) for trial in study.trials]


def test_the_core_alone_is_enough_to_train(tmp_path: Path) -> None:
    """A study comes out as with all capabilities, trained on the CPU by an engine of the trainer's name."""
    core = run_toy(tmp_path / "core", toy_study(CORE, trials=3), task=CORE).study
    full = run_toy(tmp_path / "full", toy_study(trials=3)).study
    assert losses_of(core) == losses_of(full)
    assert {(trial.engine, trial.device) for trial in core.trials} == {("toy", "cpu")}


def test_without_a_bound_only_what_is_not_finite_has_diverged(tmp_path: Path) -> None:
    """A loss of 1e30 is a result for a trainer that names no bound, and the sampler goes on from there."""
    trials = [{"conduct": conduct, "x": 0.5} for conduct in ("nan", "huge", "minus-inf", "learn")]
    spec = toy_study(
        CORE,
        sampler="tpe",
        trials=5,
        trial=trials,
        search={
            "x": {"low": 0.0, "high": 1.0},
            "conduct": {"choices": ["nan", "huge", "minus-inf", "learn"]},
        },
    )
    study = run_toy(tmp_path, spec, task=CORE).study
    assert [trial.state for trial in study.trials][:4] == ["diverged", "complete", "diverged", "complete"]
    assert study.trials[1].dev_loss == 1e30


def test_a_plan_needs_no_capability() -> None:
    """The trials are timed; nothing is printed about memory that nobody estimates."""
    plan = plan_study(CORE, toy_study(CORE, trials=2), CORE.load_data({"words": ""}), workers=1, device="cpu")
    assert plan.memory_bytes is None
    assert plan.memory == ""
    assert math.isfinite(plan.wall_seconds.high)


def test_a_device_that_the_core_does_not_have_is_refused(tmp_path: Path) -> None:
    """A trainer that names no devices trains on the CPU."""
    with pytest.raises(DeviceError, match="'cuda'"):
        run_study(CORE, toy_study(CORE), database_in(tmp_path), how=How(device="cuda"))


def test_a_later_hyperparameter_at_its_default_is_in_no_identity() -> None:
    """A study of the earlier release keeps its fingerprint; another value gives another study."""
    before = toy_study(CORE).identity(CORE, "5" * 64)
    assert fingerprint(toy_study(GROWN).identity(GROWN, "5" * 64)) == fingerprint(before)
    assert fingerprint(toy_study(GROWN, fixed={"clip": 0.0}).identity(GROWN, "5" * 64)) == fingerprint(before)
    assert toy_study(GROWN, fixed={"clip": 1.0}).identity(GROWN, "5" * 64)["fixed"]["clip"] == 1.0


def test_a_stored_study_is_resumed_by_a_later_release(tmp_path: Path) -> None:
    """It lacks the hyperparameter, so each trial has its default, and the numbers go on."""
    run_toy(tmp_path / "grown", toy_study(CORE, trials=1), task=CORE)
    grown = run_toy(tmp_path / "grown", toy_study(GROWN, trials=2), task=GROWN).study
    core = run_toy(tmp_path / "core", toy_study(CORE, trials=2), task=CORE).study
    assert losses_of(grown) == losses_of(core)
    assert [trial.seal() for trial in grown.trials[:1]] == [trial.seal() for trial in core.trials[:1]]


@pytest.mark.parametrize(
    "changes", [{"fixed": {"clip": 1.0}}, {"search": {"clip": {"low": 0.0, "high": 1.0}}}]
)
def test_an_engine_refuses_a_hyperparameter_that_it_does_not_know(tmp_path: Path, changes: dict) -> None:
    """It would be ignored, and the sampler would rank noise; the text names it and the engine."""
    with pytest.raises(DeviceError, match=r"toy would ignore clip"):
        run_study(GROWN, toy_study(GROWN, **changes), database_in(tmp_path))
    study = run_study(
        GROWN, toy_study(GROWN, trials=1, **changes), database_in(tmp_path), how=How(engine="new")
    ).study
    assert study.trials[0].engine == "new"


def test_the_toys_agree_on_what_is_shared() -> None:
    """The comparison above is between equal studies."""
    assert toy_study(CORE).fixed == toy_study(TOY).fixed
