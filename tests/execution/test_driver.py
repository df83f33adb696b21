"""From a study to its last trial: totals, resuming, misbehaving trials, what is kept."""

import random
from pathlib import Path
from typing import Any

import pytest

from sweep.definition.records import StudyRecord
from sweep.definition.study_file import parse_study
from sweep.errors import MachineError, StudyConflictError
from sweep.execution.events import RunStarted, SegmentStored, TrialEnded, TrialStarted, Warned
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.folders import LocalFolder
from sweep.trainers.mlp.trainer import MLP
from tests.support.sweep_command import DEADLINE_S, write_words
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import ToyTask


def numbers_of(study: StudyRecord) -> list[tuple[Any, ...]]:
    """Everything of a study's trials that must be the same again; seconds and moments are not."""
    return [
        (
            t.number,
            t.state,
            t.params,
            t.seed,
            t.dev_loss,
            t.reason,
            t.rungs,
            [s.state_sha256 for s in t.segments],
        )
        for t in study.trials
    ]


def listed_study(*conducts: str, **changes: Any) -> Any:
    """A study of listed configurations, one for each conduct."""
    trials = [{"x": 0.2 + 0.1 * place, "y": 2, "conduct": conduct} for place, conduct in enumerate(conducts)]
    return toy_study(sampler="listed", trials=len(trials), trial=trials, **changes)


def test_a_study_is_trained_to_its_total(tmp_path: Path) -> None:
    """All trials complete, numbered from 0, and every one was announced and ended once."""
    watcher = Watcher()
    summary = run_toy(tmp_path, toy_study(), watcher)
    assert (summary.trained, summary.stopped_by) == (6, None)
    assert [t.number for t in summary.study.trials] == list(range(6))
    assert {t.state for t in summary.study.trials} == {"complete"}
    assert [event.trial.number for event in watcher.of(TrialEnded)] == list(range(6))
    assert [tuple(t.rungs) for t in summary.study.trials] == [(10, 30, 90, 100)] * 6


def test_a_finished_study_trains_nothing(tmp_path: Path) -> None:
    """The second run starts no worker, trains no trial and changes no trial."""
    first = run_toy(tmp_path, toy_study())
    watcher = Watcher()
    second = run_toy(tmp_path, toy_study(), watcher)
    assert (second.trained, second.stopped_by, watcher.events) == (0, None, [])
    assert second.study.trials == first.study.trials


def test_what_was_begun_is_finished_though_fewer_are_asked_for(tmp_path: Path) -> None:
    """The count goes by what there is, and never beyond its total."""
    run_toy(tmp_path, toy_study(trials=6), Watcher(stop_after=1), workers=2)
    watcher = Watcher()
    study = run_toy(tmp_path, toy_study(trials=1), watcher).study
    begun = len(study.trials)
    assert begun == 2
    assert all(trial.is_finished for trial in study.trials)
    assert watcher.of(RunStarted)[0].total == begun
    assert [(event.done, event.total) for event in watcher.of(TrialEnded)] == [(1, begun), (2, begun)]


def test_a_larger_total_extends_a_study(tmp_path: Path) -> None:
    """The trials of a study that was extended are those of one that was that long from the start."""
    for trials in (2, 6):
        (tmp_path / str(trials)).mkdir()
    whole = run_toy(tmp_path / "6", toy_study(trials=6))
    run_toy(tmp_path / "2", toy_study(trials=2))
    extended = run_toy(tmp_path / "2", toy_study(trials=6))
    assert extended.trained == 4
    assert extended.study.total_trials == 6
    assert numbers_of(extended.study) == numbers_of(whole.study)


@pytest.mark.parametrize(
    "settings",
    [
        {"sampler": "tpe", "pruner": "asha"},
        {"sampler": "qmc", "pruner": "median"},
        {"sampler": "tpe", "objectives": ["dev_loss", "n_params"]},
    ],
    ids=str,
)
def test_stopping_after_every_few_segments_changes_no_number(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    """A study that was stopped and gone on with many times ends as an undisturbed one."""
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    spec = toy_study(**settings, trials=14)
    whole = run_toy(tmp_path / "whole", spec)
    stops = random.Random(1)  # noqa: S311  no secret
    for _ in range(4):
        stopped = run_toy(tmp_path / "stopped", spec, Watcher(stop_after=stops.randint(1, 7)))
        assert stopped.stopped_by == "signal"
        assert "running" not in {t.state for t in stopped.study.trials}
    last = run_toy(tmp_path / "stopped", spec)
    assert numbers_of(last.study) == numbers_of(whole.study)


def test_workers_side_by_side_give_the_numbers_of_one(tmp_path: Path) -> None:
    """Without a pruner, random proposals and their losses do not depend on the number of workers."""
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()
    one = run_toy(tmp_path / "1", toy_study(trials=9), workers=1)
    three = run_toy(tmp_path / "3", toy_study(trials=9), workers=3)
    assert numbers_of(three.study) == numbers_of(one.study)


def test_a_worker_that_dies_three_times_fails_its_trial_only(tmp_path: Path) -> None:
    """The trial is failed with the reason and where, the others are complete."""
    watcher = Watcher()
    summary = run_toy(tmp_path, listed_study("learn", "die", "learn"), watcher)
    assert [t.state for t in summary.study.trials] == ["complete", "failed", "complete"]
    assert "its worker died 3 times between steps 300 and 900" in str(summary.study.trials[1].reason)
    assert summary.study.trials[1].rungs.keys() == {10}
    assert len(watcher.of(Warned)) == 2


def test_two_deaths_are_survived_with_the_same_numbers(tmp_path: Path) -> None:
    """A trial whose worker died twice has the loss of one that was never disturbed."""
    for name in ("learn", "stumble"):
        (tmp_path / name).mkdir()
    learned = run_toy(tmp_path / "learn", listed_study("learn", data={"words": str(tmp_path)}))
    stumbled = run_toy(tmp_path / "stumble", listed_study("stumble", data={"words": str(tmp_path)}))
    assert stumbled.study.trials[0].state == "complete"
    assert stumbled.study.trials[0].dev_loss == learned.study.trials[0].dev_loss
    assert [len(path.read_text()) for path in tmp_path.glob("fell-*")] == [2]


def test_an_exception_in_training_fails_the_trial_at_once(tmp_path: Path) -> None:
    """Its first line is the reason; it is not tried again, and not at the next run."""
    watcher = Watcher()
    spec = listed_study("raise", "learn")
    summary = run_toy(tmp_path, spec, watcher)
    assert [t.state for t in summary.study.trials] == ["failed", "complete"]
    assert summary.study.trials[0].reason == "failed in training: ValueError: the toy broke"
    assert watcher.of(Warned) == []
    assert run_toy(tmp_path, spec).trained == 0


def test_a_study_with_a_failed_trial_goes_on(tmp_path: Path) -> None:
    """A trial that failed after a rung does not keep the next run from proposing on."""
    search = {"y": {"low": 1, "high": 9}, "conduct": {"choices": ["raise"]}}
    run_toy(tmp_path, toy_study(sampler="tpe", search=search, trials=2))
    summary = run_toy(tmp_path, toy_study(sampler="tpe", search=search, trials=3))
    assert [t.state for t in summary.study.trials] == ["failed"] * 3


@pytest.mark.parametrize("conduct", ["nan", "huge", "minus-inf"])
def test_a_diverged_trial_is_stored_but_never_ranked_nor_tried_again(tmp_path: Path, conduct: str) -> None:
    """It keeps its rungs before, has its reason and no loss, and the next run leaves it alone."""
    spec = listed_study(conduct, "learn")
    summary = run_toy(tmp_path, spec)
    diverged = summary.study.trials[0]
    assert (diverged.state, diverged.dev_loss) == ("diverged", None)
    assert str(diverged.reason).startswith("diverged")
    assert diverged.rungs.keys() == {10}
    assert [t.number for t in summary.study.complete_trials()] == [1]
    assert run_toy(tmp_path, spec).trained == 0


@pytest.mark.parametrize("cost", ["n_params", "train_seconds"])
def test_both_objectives_of_a_trial_are_stored(tmp_path: Path, cost: str) -> None:
    """The loss and what it cost: the model's parameters, or the sum of the stored segments' seconds."""
    summary = run_toy(tmp_path, listed_study("learn", "nan", objectives=["dev_loss", cost]))
    learned, diverged = database_in(tmp_path).open_for_dashboard().get_all_trials(1)
    seconds = sum(segment.seconds for segment in summary.study.trials[0].segments)
    assert learned.values == [summary.study.trials[0].dev_loss, {"n_params": 80}.get(cost, seconds)]
    assert (diverged.state.name, diverged.values) == ("PRUNED", None)


def test_a_trial_over_its_time_is_given_up(tmp_path: Path) -> None:
    """It ends as timeout with the limit in its reason, is not tried again, and the next one trains."""
    spec = listed_study("sleep", "learn", trial_timeout="2s")
    summary = run_toy(tmp_path, spec)
    assert [t.state for t in summary.study.trials] == ["timeout", "complete"]
    assert summary.study.trials[0].reason == "timeout after 2 s, at step 300 or later"
    assert run_toy(tmp_path, spec).trained == 0


def test_the_time_of_a_trial_is_training_not_the_start_of_its_worker(tmp_path: Path) -> None:
    """A worker that takes longer to start than a trial may take does not end its trial."""
    summary = run_toy(tmp_path, listed_study("learn", trial_timeout="2s"), task=ToyTask(start_s=3.0))
    assert [t.state for t in summary.study.trials] == ["complete"]


def test_the_timeout_of_a_run_leaves_its_trial_waiting(tmp_path: Path) -> None:
    """The run stops, the trial waits with its rung stored, and the next run goes on from there."""
    timeout_s, rungs = 0.5, None
    while not rungs:  # a run whose worker is slower to start than its timeout trains nothing
        timeout_s *= 2
        assert timeout_s < DEADLINE_S
        spec = listed_study("sleep", "learn", timeout=f"{timeout_s}s")
        summary = run_toy(tmp_path, spec)
        assert summary.stopped_by == "timeout"
        (trial,) = summary.study.trials
        assert trial.state == "waiting"
        rungs = tuple(trial.rungs)
    assert rungs == (10,)
    watcher = Watcher(stop_after=0)
    run_toy(tmp_path, spec, watcher)
    assert watcher.of(SegmentStored) == []
    watcher = Watcher()
    run_toy(tmp_path, spec.replace(timeout=None, trial_timeout=0.5), watcher)
    assert watcher.of(TrialStarted)[0].from_step == 300


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"seed": 7}, "seed: 0 -> 7"),
        ({"pruner": "median"}, 'pruner: "none" -> "median"'),
        ({"fixed": {"num_steps": 4_000}}, "fixed.num_steps: 3000 -> 4000"),
        (
            {"search": {"x": {"low": 0.0, "high": 2.0}, "y": {"low": 1, "high": 9}}},
            "search.x: { low = 0.0, high = 1.0 }",
        ),
    ],
)
def test_another_study_under_the_same_name_is_refused(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    """The refusal names the key with both values and the way out; no byte of the database changes."""
    run_toy(tmp_path, toy_study(trials=1))
    before = (tmp_path / "toy.db").read_bytes()
    with pytest.raises(StudyConflictError, match="--as NAME") as refusal:
        run_toy(tmp_path, toy_study(trials=9, goal="another", **changes))
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert (tmp_path / "toy.db").read_bytes() == before


def test_goal_total_keep_and_times_may_change(tmp_path: Path) -> None:
    """What is not part of a study's identity is taken from the last run."""
    run_toy(tmp_path, toy_study(trials=1))
    changed = toy_study(trials=2, goal="more", keep=1, timeout="5m", trial_timeout="1m")
    study = run_toy(tmp_path, changed).study
    assert (study.goal, study.total_trials, study.keep, len(study.trials)) == ("more", 2, 1, 2)


def test_replicates_share_parameters_but_not_seeds(tmp_path: Path) -> None:
    """Each configuration is trained on as many seeds, in trials that follow each other."""
    trials = run_toy(tmp_path, toy_study(replicates=3, trials=6)).study.trials
    assert trials[0].params == trials[1].params == trials[2].params
    assert trials[3].params == trials[4].params == trials[5].params
    assert trials[0].params != trials[3].params
    assert len({t.seed for t in trials}) == 6
    assert len({t.dev_loss for t in trials}) == 6


@pytest.mark.parametrize("keep", [0, 2])
def test_only_the_best_keep_their_weights_and_full_curves(tmp_path: Path, keep: int) -> None:
    """All others are thinned to 1,000 points that were measured, and have no weights."""
    study = run_toy(tmp_path, toy_study(keep=keep)).study
    files = Checkpoints(LocalFolder(tmp_path / "toy.db.d" / "toy"))
    best = {t.number for t in study.complete_trials()[:keep]}
    for trial in study.trials:
        last = trial.segments[-1]
        state = files.read_state(trial.number, last.step, last.state_sha256)
        steps, losses = files.read_curve(trial.number)
        assert (state is not None) == (trial.number in best)
        assert len(steps) == len(losses) == (3_000 if trial.number in best else 1_000)
        assert (steps[0], steps[-1]) == (0, 2_999)
        assert len(files.folder(trial.number).names()) == (2 if trial.number in best else 1)


@pytest.mark.parametrize("damage", ["deleted", "cut", "flipped"])
def test_a_lost_state_starts_its_trial_again_with_the_same_numbers(tmp_path: Path, damage: str) -> None:
    """The loss of a state file costs time and a warning, never another number."""
    for name in ("whole", "damaged"):
        (tmp_path / name).mkdir()
    whole = run_toy(tmp_path / "whole", toy_study(trials=3))
    run_toy(tmp_path / "damaged", toy_study(trials=3), Watcher(stop_after=6))
    (state,) = (tmp_path / "damaged" / "toy.db.d" / "toy" / "000001").glob("state-*")
    content = state.read_bytes()
    state.unlink()
    if damage != "deleted":
        state.write_bytes(content[:-1] if damage == "cut" else bytes([content[0] ^ 1]) + content[1:])
    watcher = Watcher()
    again = run_toy(tmp_path / "damaged", toy_study(trials=3), watcher)
    assert "trial 1: the state at step 900 is lost or damaged" in watcher.of(Warned)[0].text
    assert watcher.of(TrialStarted)[0].from_step == 0
    assert numbers_of(again.study) == numbers_of(whole.study)
    assert trial_files(tmp_path / "damaged") == trial_files(tmp_path / "whole")


def test_files_of_a_forgotten_study_do_not_leak_into_a_new_one(tmp_path: Path) -> None:
    """Where only the database was removed, the new study's weights and curves are its own."""
    for name in ("fresh", "reused"):
        (tmp_path / name).mkdir()
    fresh = run_toy(tmp_path / "fresh", toy_study())
    run_toy(tmp_path / "reused", toy_study(seed=5, fixed={"num_steps": 5_000}))
    (tmp_path / "reused" / "toy.db").unlink()
    reused = run_toy(tmp_path / "reused", toy_study())
    assert numbers_of(reused.study) == numbers_of(fresh.study)
    assert trial_files(tmp_path / "reused") == trial_files(tmp_path / "fresh")


def test_an_empty_study_that_another_program_made_is_not_taken_over(tmp_path: Path) -> None:
    """A study is stored with its identity or not at all, so one without is somebody else's."""
    from optuna.study import StudyDirection

    storage = database_in(tmp_path).open_for_writing()
    storage.create_new_study([StudyDirection.MINIMIZE], "toy")
    with pytest.raises(StudyConflictError, match="sweep did not make is stored; use --as NAME"):
        run_toy(tmp_path, toy_study(trials=1))


def test_a_worker_that_cannot_start_is_an_error_of_the_machine(tmp_path: Path) -> None:
    """The run stops with the reason instead of failing trial after trial."""
    with pytest.raises(MachineError, match="a worker process cannot start: OSError: no such engine"):
        run_toy(tmp_path, toy_study(), task=ToyTask(cannot_start=True))
    assert run_toy(tmp_path, toy_study()).study.complete_trials()


def test_a_run_says_what_it_does(tmp_path: Path) -> None:
    """The events of a run that goes on count what was done before."""
    run_toy(tmp_path, toy_study(trials=4))
    watcher = Watcher()
    run_toy(tmp_path, toy_study(trials=6), watcher, workers=8)
    (started,) = watcher.of(RunStarted)
    assert (started.done, started.total, started.workers, started.engine) == (4, 6, 2, "toy")
    assert [(event.done, event.total) for event in watcher.of(TrialEnded)] == [(5, 6), (6, 6)]


def test_no_trial_sees_the_test_words(tmp_path: Path) -> None:
    """Test words overwritten with noise of the same symbols leave every loss bitwise the same."""
    words = write_words(tmp_path / "words.txt")
    places = list(range(len(words)))
    random.Random(42).shuffle(places)  # noqa: S311  the split of the field: the last tenth is the test part
    noise = random.Random(9)  # noqa: S311  no secret
    noisy = list(words)
    for place in places[int(0.9 * len(words)) :]:
        noisy[place] = "".join(noise.choices("abcdefghij", k=noise.randint(3, 7)))
    (tmp_path / "noisy.txt").write_text("\n".join(noisy) + "\n")
    losses = [_losses_of(tmp_path, name) for name in ("words", "noisy")]
    assert losses[0] == losses[1]
    assert sum(before != after for before, after in zip(words, noisy, strict=True)) > 25


def _losses_of(folder: Path, name: str) -> list[tuple[Any, ...]]:
    raw = {
        "name": name,
        "trials": 12,
        "data": {"words": str(folder / f"{name}.txt")},
        "fixed": {"num_steps": 2_000},
        "search": {"hidden_neurons": {"low": 4, "high": 64}, "block_size": {"low": 2, "high": 4}},
    }
    database = Database(f"sqlite:///{folder}/noise.db")
    study = run_study(MLP, parse_study(raw, MLP), database, how=How(workers=1, device="cpu")).study
    assert len(study.complete_trials()) == 12
    return numbers_of(study)


def trial_files(folder: Path) -> dict[str, bytes]:
    """The files that the trials of a study left, with their content."""
    root = folder / "toy.db.d" / "toy"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.safetensors")}


def test_what_is_to_be_found_is_found_once_for_each_trial_and_stored(tmp_path: Path) -> None:
    """A run that is stopped goes on with the stored value; the losses are those of the values found."""
    search = {"y": {"low": 1, "high": 9}}
    spec = toy_study(search=search, fixed={"x": "auto"}, trials=4, data={"words": str(tmp_path)})
    run_toy(tmp_path, spec, Watcher(stop_after=6))
    watcher = Watcher()
    study = run_toy(tmp_path, spec, watcher).study
    for trial in study.trials:
        assert trial.found == {"x": trial.params["y"] / 10}
        assert trial.dev_loss is not None
        base = (trial.found["x"] - 0.3) ** 2 + trial.params["y"] / 10
        assert base <= trial.dev_loss < base + 0.01  # the toy adds up to a hundredth for its steps
        assert study.config_values(trial)["x"] == trial.found["x"]
    assert [len(path.read_text()) for path in tmp_path.glob("asked-*")] == [1] * 4
    assert (study.identity["fixed"]["x"], study.found) == ("auto", ("x",))
    assert all(event.trial.found for event in watcher.of(TrialEnded))
