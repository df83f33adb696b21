"""Trials begin with one commit: new ones up to the total, interrupted ones where they were left."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from sweep.definition.records import StudyRecord
from sweep.execution.events import Warned
from sweep.execution.rungs import cuts
from sweep.execution.study_run import StudyRun
from sweep.execution.trials.claimer import Claimer
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.recorder import Recorder
from sweep.execution.trials.running_trial import End, RunningTrial
from sweep.execution.trials.trial_source import LoneSource
from sweep.storage.study_reader import load_study, trial_ids
from sweep.task import Segment
from tests.support.toy_runs import Watcher, database_in, toy_study
from tests.support.toy_study_run import toy_run
from tests.support.toy_task import TOY


def stored(folder: Path) -> StudyRecord:
    return load_study(database_in(folder).open_read_only(), "toy")


def begin(run: StudyRun, folder: Path) -> tuple[KnownTrials, Claimer, LoneSource]:
    study = stored(folder)
    known = KnownTrials(run, study, is_alone=True)
    claimer = Claimer(run, known)
    ids = trial_ids(database_in(folder).open_read_only(), "toy")
    return known, claimer, LoneSource(claimer, run.writer, study, ids)


def train(trial: RunningTrial, data: object) -> tuple[int, Segment]:
    """Train the next segment as a worker does; return its first step and the segment."""
    first, cut = trial.step, trial.cuts.pop(0)
    segment = TOY.train_segment(trial.config, data, trial.state, cut.step, engine="toy", device="cpu")  # type: ignore[arg-type]
    trial.add(cut, segment)
    return first, segment


def test_a_claimed_trial_is_stored_as_its_own_record_says(tmp_path: Path) -> None:
    """The record that a running trial writes of itself is the one that is read back, and its seal holds."""
    run = toy_run(tmp_path, toy_study(trials=2))
    _, claimer, _ = begin(run, tmp_path)
    trials = [claimer.claim_next("cpu"), claimer.claim_next("cpu")]
    assert claimer.claim_next("cpu") is None
    assert not claimer.is_full
    for trial, record in zip(trials, stored(tmp_path).trials, strict=True):
        assert trial is not None
        unlike = {"started": None, "engine": "", "device": ""}
        assert dataclasses.replace(trial.record(), **unlike) == dataclasses.replace(record, **unlike)
        assert trial.record().seal() == record.seal()


def test_a_released_trial_goes_on_before_new_ones_begin(tmp_path: Path) -> None:
    """It has the segments and the state that were stored, and only the cuts after them are left."""
    run = toy_run(tmp_path, toy_study(trials=2))
    _, _, source = begin(run, tmp_path)
    trial = source.next_trial("cpu", ())
    assert trial is not None
    first, segment = train(trial, run.workload.data)
    Recorder(run).store_segment(trial, first, segment, None)
    source.release([trial])
    known, _, source = begin(run, tmp_path)
    assert (known.remaining, known.total, known.are_all_claimed) == (2, 2, False)
    again = source.next_trial("cpu", ())
    assert again is not None
    assert (again.number, again.state, again.segments) == (0, trial.state, trial.segments)
    assert again.cuts == cuts(3_000)[1:]
    new = source.next_trial("cpu", ())
    assert new is not None
    assert (new.number, new.step) == (1, 0)
    assert source.next_trial("cpu", ()) is None


def test_a_trial_whose_state_is_lost_starts_again_with_the_same_seed(tmp_path: Path) -> None:
    """A damaged state draws a warning; what was stored of the trial's segments is gone from the database."""
    watcher = Watcher()
    run = toy_run(tmp_path, toy_study(trials=1), watcher)
    _, _, source = begin(run, tmp_path)
    trial = source.next_trial("cpu", ())
    assert trial is not None
    first, segment = train(trial, run.workload.data)
    Recorder(run).store_segment(trial, first, segment, None)
    source.release([trial])
    (state,) = tmp_path.rglob("state-*")
    state.write_bytes(b"damaged")
    again = begin(run, tmp_path)[2].next_trial("cpu", ())
    assert again is not None
    assert (again.state, again.segments, again.config.seed) == (None, [], trial.config.seed)
    assert [event.text for event in watcher.of(Warned)] == [
        "trial 0: the state at step 300 is lost or damaged; the trial starts again, with the same numbers"
    ]
    assert stored(tmp_path).trials[0].segments == ()


def test_an_end_is_stored_with_the_last_segment(tmp_path: Path) -> None:
    """State, loss and seconds are those of the trial's own record; its files are there."""
    run = toy_run(tmp_path, toy_study(trials=1))
    trial = begin(run, tmp_path)[2].next_trial("cpu", ())
    assert trial is not None
    while trial.cuts:
        first, segment = train(trial, run.workload.data)
        end = None if trial.cuts else End("complete", dev_loss=segment.dev_loss)
        Recorder(run).store_segment(trial, first, segment, end)
    (record,) = stored(tmp_path).trials
    assert (record.state, record.dev_loss) == ("complete", segment.dev_loss)
    assert record.seal() == trial.record(End("complete", dev_loss=segment.dev_loss)).seal()
    steps, losses = run.checkpoints.read_curve(0)
    assert steps.tolist() == list(range(3_000))
    assert losses.dtype == np.float32


@pytest.mark.parametrize("sampler", ["random", "tpe", "gp_cost"])
def test_a_driver_that_starts_in_the_middle_proposes_the_same(tmp_path: Path, sampler: str) -> None:
    """What is learnt trial by trial and what is read at the start lead to equal proposals."""
    run = toy_run(tmp_path, toy_study(trials=8, sampler=sampler, pruner="none"))
    known, claimer, _ = begin(run, tmp_path)
    for place in range(6):
        trial = claimer.claim_next("cpu")
        assert trial is not None
        first, segment = train(trial, run.workload.data)
        known.reach(trial.number, 10, trial.segments[-1].rung_loss)
        ends = [End("pruned", reason="pruned"), End("complete", dev_loss=segment.dev_loss)]
        end = ends[place % 2]
        Recorder(run).store_segment(trial, first, segment, end)
        known.learn(trial.record(end))
    assert (known.done, known.remaining) == (6, 2)
    rebuilt = begin(run, tmp_path)[0]
    assert rebuilt.rungs == known.rungs
    assert rebuilt.proposer.propose() == known.proposer.propose()
