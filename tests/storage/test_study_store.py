"""What is written of a study is read again to the last bit; names and identity are guarded."""

import contextlib
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.study import StudyDirection

from sweep.definition.records import SegmentRecord
from sweep.errors import GuestError, NotFoundError, StorageError, StudyConflictError
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study, trial_ids
from sweep.storage.study_store import delete_study, open_study, rename_study
from tests.support.toy_runs import database_in, toy_study
from tests.support.toy_task import TOY

SPEC = toy_study(goal="Größe?", keep=3)
DATA = TOY.load_data({"words": ""})
PARAMS: dict[str, Any] = {"x": 0.1 + 0.2, "y": 3}
FACTS = {"n_params": 7, "examples_seen": 96_000}
ORIGIN = {"engine": "toy", "device": "cpu", "owner": "here:1"}
AWKWARD = [0.1 + 0.2, 1 / 3, math.nextafter(2.0, 3.0), 5e-324, 2.2250738585072014e-308, 9_999.999999999998]
"""Losses whose last bit a careless way through text would lose."""


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return database_in(tmp_path).open_for_writing()


@contextlib.contextmanager
def read_by_optuna(folder: Path) -> Iterator[optuna.Study]:
    """Load the study as Optuna's own tools do, and close the connections that they leave open."""
    storage = RDBStorage(f"sqlite:///{folder}/toy.db")
    yield optuna.load_study(study_name="toy", storage=storage)
    storage.remove_session()
    storage.engine.dispose()


def segment(step: int, percent: int | None, dev_loss: float) -> SegmentRecord:
    return SegmentRecord(step=step, percent=percent, dev_loss=dev_loss, seconds=0.25, state_sha256="a" * 64)


def test_a_new_study_is_read_as_it_was_asked_for(storage: Storage) -> None:
    """Goal, total, kept trials and identity come back; there are no trials yet."""
    open_study(storage, SPEC, TOY, DATA)
    study = load_study(storage, "toy")
    assert (study.name, study.goal, study.total_trials, study.keep) == ("toy", "Größe?", 6, 3)
    assert study.identity["sampler"] == "random"
    assert study.identity["data_sha256"] == DATA.sha256
    assert study.searched == ("x", "y")
    assert study.trials == ()


@pytest.mark.parametrize("loss", AWKWARD)
def test_every_number_of_a_trial_survives_to_the_last_bit(storage: Storage, loss: float) -> None:
    """Parameters, seed, rungs and the final loss are read as the very floats that were written."""
    writer = open_study(storage, SPEC, TOY, DATA)
    trial_id = writer.claim(PARAMS, SPEC.space, 2**32 - 1, FACTS, ORIGIN)
    segments = [segment(300, 10, loss), segment(600, None, loss / 3), segment(900, 30, loss * 1.1)]
    writer.store_segments(trial_id, segments[:1])
    writer.store_segments(trial_id, segments)
    writer.end(trial_id, "complete", seconds=0.75, dev_loss=loss)
    (trial,) = load_study(storage, "toy").trials
    assert trial.params == PARAMS
    assert list(trial.params) == ["x", "y"]
    assert type(trial.params["y"]) is int
    assert (trial.seed, trial.facts) == (2**32 - 1, FACTS)
    assert trial.segments == tuple(segments)
    assert trial.rungs == {10: loss, 30: loss * 1.1}
    assert (trial.state, trial.dev_loss, trial.reason) == ("complete", loss, None)
    assert trial.is_finished
    assert trial.started is not None
    assert trial.ended is not None
    assert trial.started <= trial.ended


def test_optunas_own_tools_read_the_trials(tmp_path: Path, storage: Storage) -> None:
    """Loaded by Optuna itself the study has the loss, the parameters and the value at each rung."""
    writer = open_study(storage, SPEC, TOY, DATA)
    trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    with writer.one_transaction():
        writer.store_segments(trial_id, [segment(300, 10, 2.5)])
        writer.store_segments(trial_id, [segment(300, 10, 2.5), segment(3_000, 100, 2.25)])
        writer.end(trial_id, "complete", seconds=1, dev_loss=2.25)
    with read_by_optuna(tmp_path) as study:
        assert (study.best_value, study.best_params) == (2.25, PARAMS)
        assert study.trials[0].intermediate_values == {10: 2.5, 100: 2.25}


def test_optunas_own_tools_read_both_objectives(tmp_path: Path, storage: Storage) -> None:
    """Loaded by Optuna a study of two has their names, both values, and the front as its best trials."""
    spec = SPEC.replace(objectives=("dev_loss", "n_params"))
    writer = open_study(storage, spec, TOY, DATA)
    for loss, cost in [(2.5, 10), (2.25, 30), (2.5, 20), (2.0, 40)]:
        trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
        writer.store_segments(trial_id, [segment(3_000, 100, loss)])
        writer.end(trial_id, "complete", seconds=1, dev_loss=loss, cost=cost)
    trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    writer.end(trial_id, "diverged", seconds=1, cost=5, reason="diverged: the loss was nan")
    with read_by_optuna(tmp_path) as study:
        assert study.metric_names == ["dev_loss", "n_params"]
        assert study.directions == [StudyDirection.MINIMIZE] * 2
        front = [(trial.number, trial.values) for trial in study.best_trials]
        assert front == [(0, [2.5, 10]), (1, [2.25, 30]), (3, [2.0, 40])]
    stored = load_study(storage, "toy")
    assert (stored.objectives, stored.cost) == (("dev_loss", "n_params"), "n_params")
    assert [trial.dev_loss for trial in stored.trials] == [2.5, 2.25, 2.5, 2.0, None]


def test_a_study_of_one_objective_is_stored_as_ever(tmp_path: Path, storage: Storage) -> None:
    """One direction, no metric name, and the identity that older studies have."""
    open_study(storage, SPEC, TOY, DATA)
    with read_by_optuna(tmp_path) as study:
        assert (study.directions, study.metric_names) == ([StudyDirection.MINIMIZE], None)
    assert load_study(storage, "toy").identity["objective"] == "dev_loss"
    assert load_study(storage, "toy").objectives == ("dev_loss",)


@pytest.mark.parametrize(
    ("state", "reason", "stored_as"),
    [
        ("pruned", "pruned at 10 % by asha", "PRUNED"),
        ("diverged", "diverged: the loss was nan", "PRUNED"),
        ("diverged", "diverged by step 900", "PRUNED"),
        ("timeout", "timeout after 5 s, at step 300 or later", "PRUNED"),
        ("failed", "failed in training: ValueError: no", "FAIL"),
    ],
)
def test_a_trial_without_a_loss_keeps_its_state_and_reason(
    storage: Storage, state: str, reason: str, stored_as: str
) -> None:
    """It is one of the states that the table knows, and has no loss although it stood at a rung."""
    writer = open_study(storage, SPEC, TOY, DATA)
    trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    writer.store_segments(trial_id, [segment(300, 10, 2.5)])
    writer.end(trial_id, state, seconds=1, reason=reason)
    (trial,) = load_study(storage, "toy").trials
    assert (trial.state, trial.reason, trial.dev_loss, trial.is_finished) == (state, reason, None, True)
    assert storage.get_trial(trial_id).state.name == stored_as
    assert load_study(storage, "toy").complete_trials() == []


def test_an_interrupted_trial_is_taken_over_with_what_it_has(storage: Storage) -> None:
    """Released it waits; reclaimed it runs for its new owner, with its segments."""
    writer = open_study(storage, SPEC, TOY, DATA)
    trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    writer.store_segments(trial_id, [segment(300, 10, 2.5)])
    writer.release(trial_id)
    assert load_study(storage, "toy").trials[0].state == "waiting"
    writer.reclaim(trial_id, {**ORIGIN, "device": "cuda:0"})
    (trial,) = load_study(storage, "toy").trials
    assert (trial.state, trial.device, trial.rungs) == ("running", "cuda:0", {10: 2.5})
    writer.reclaim(trial_id, ORIGIN)  # its driver was killed, so it never waited
    assert load_study(storage, "toy").trials[0].state == "running"


def test_writes_of_one_transaction_are_stored_together_or_not_at_all(
    tmp_path: Path, storage: Storage
) -> None:
    """Others see nothing before its end, and nothing at all where it fails; the next write is stored."""
    writer = open_study(storage, SPEC, TOY, DATA)
    reader = database_in(tmp_path).open_read_only()
    trial_id = writer.claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    with writer.one_transaction():
        writer.store_segments(trial_id, [segment(300, 10, 2.5)])
        assert load_study(reader, "toy").trials[0].rungs == {}
    assert load_study(reader, "toy").trials[0].rungs == {10: 2.5}

    def fail_midway() -> None:
        with writer.one_transaction():
            writer.end(trial_id, "failed", seconds=1, reason="failed: never stored")
            raise KeyError

    with pytest.raises(KeyError):
        fail_midway()
    assert load_study(reader, "toy").trials[0].state == "running"
    writer.end(trial_id, "complete", seconds=1, dev_loss=2.0)
    trial = load_study(reader, "toy").trials[0]
    assert (trial.state, trial.dev_loss, trial.reason) == ("complete", 2.0, None)


def test_trials_are_numbered_as_they_are_claimed(storage: Storage) -> None:
    """Numbers have no gap, and each has its id in the database, studies side by side or not."""
    claimed: dict[str, list[int]] = {"toy": [], "other": []}
    writers = {name: open_study(storage, SPEC.replace(name=name), TOY, DATA) for name in claimed}
    draw = random.Random(2)  # noqa: S311  no secret
    for name in draw.choices(list(writers), k=12):
        claimed[name].append(writers[name].claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN))
    for name, ids in claimed.items():
        assert trial_ids(storage, name) == dict(enumerate(ids))


def test_the_same_study_is_opened_again(storage: Storage) -> None:
    """Its trials are still there, and no second study is made."""
    open_study(storage, SPEC, TOY, DATA).claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    open_study(storage, SPEC, TOY, DATA)
    assert study_names(storage) == ["toy"]
    assert len(load_study(storage, "toy").trials) == 1


def test_other_data_under_the_same_name_are_refused(storage: Storage) -> None:
    """The refusal names both hashes."""
    open_study(storage, SPEC, TOY, DATA)
    other = type(DATA)(sha256="6" * 64, folder="")
    with pytest.raises(StudyConflictError, match=r'data files, sha256: "5{64}" -> "6{64}"'):
        open_study(storage, SPEC, TOY, other)


def test_a_study_that_sweep_did_not_make_is_left_alone(storage: Storage) -> None:
    """With trials of its own it is neither read nor written."""
    study = optuna.create_study(study_name="toy", storage=storage)
    study.add_trial(optuna.trial.create_trial(value=1.0))
    with pytest.raises(GuestError, match="made by Optuna without sweep"):
        load_study(storage, "toy")
    with pytest.raises(StudyConflictError, match="sweep did not make"):
        open_study(storage, SPEC, TOY, DATA)


def test_an_empty_study_of_optuna_s_is_not_adopted(storage: Storage) -> None:
    """Sweep stores a study with its identity in one transaction, so that one without is somebody else's."""
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], "toy")
    with pytest.raises(StudyConflictError, match="sweep did not make"):
        open_study(storage, SPEC, TOY, DATA)
    assert storage.get_study_user_attrs(study_id) == {}


def test_a_half_described_study_is_an_error_and_no_crash(storage: Storage) -> None:
    """A study killed while it was made says so until the next run completes it."""
    study_id = storage.create_new_study([StudyDirection.MINIMIZE], "toy")
    identity = SPEC.identity(TOY, DATA.sha256)
    storage.set_study_user_attr(study_id, "identity", identity)
    with pytest.raises(StorageError, match="stored incompletely"):
        load_study(storage, "toy")
    open_study(storage, SPEC, TOY, DATA)
    assert load_study(storage, "toy").goal == "Größe?"


def test_a_renamed_study_keeps_everything_but_its_name(storage: Storage) -> None:
    """The old name is free, and a taken or unknown one is refused."""
    open_study(storage, SPEC, TOY, DATA).claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    trials = load_study(storage, "toy").trials
    rename_study(storage, "toy", "new")
    assert study_names(storage) == ["new"]
    assert load_study(storage, "new").trials == trials
    open_study(storage, SPEC, TOY, DATA)
    with pytest.raises(StudyConflictError, match="exists already"):
        rename_study(storage, "toy", "new")
    with pytest.raises(NotFoundError, match="no study 'nothing'"):
        rename_study(storage, "nothing", "x")


def test_a_deleted_study_leaves_the_others(storage: Storage) -> None:
    """Its trials go with it; what is not there cannot be deleted."""
    open_study(storage, SPEC, TOY, DATA).claim(PARAMS, SPEC.space, 1, FACTS, ORIGIN)
    open_study(storage, SPEC.replace(name="other"), TOY, DATA)
    delete_study(storage, "toy")
    assert study_names(storage) == ["other"]
    with pytest.raises(NotFoundError, match="no study 'toy'"):
        delete_study(storage, "toy")
    with pytest.raises(NotFoundError, match="stored: other"):
        load_study(storage, "toy")
