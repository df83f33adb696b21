"""Segments of different lengths trained together: each has the numbers that it has alone."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from sweep.task import Segment, SegmentJob
from sweep.trainers.mlp import batching
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import population
from sweep.trainers.mlp.engines.batch import Job
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import Corpus

PLACE = {"engine": "population", "device": "cpu"}
CONFIGS = (
    TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=12, batch_size=8, num_steps=300, seed=1),
    TrainConfig(block_size=3, embedding_dim=2, hidden_neurons=9, batch_size=4, num_steps=120, momentum=0.9),
    TrainConfig(block_size=2, embedding_dim=5, hidden_neurons=7, batch_size=2, num_steps=500, init="normal"),
    TrainConfig(block_size=1, embedding_dim=4, hidden_neurons=20, batch_size=16, num_steps=40, seed=2),
)


class Feed:
    """A queue of jobs that come at different times: one list at each asking."""

    def __init__(self, *lists: Sequence[SegmentJob], dropped: Sequence[int] = ()) -> None:
        self._lists = list(lists)
        self._dropped = dropped

    def take(self, *, wait: bool) -> list[SegmentJob]:
        return list(self._lists.pop(0)) if self._lists else []

    def is_dropped(self, trial: int) -> bool:
        return trial in self._dropped


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few steps, so that every segment is cut many times."""
    monkeypatch.setattr(batching, "FIRST_PACE", 3e6)
    monkeypatch.setattr(batching, "_MOST_CHANGE", 1.3)


def jobs() -> list[SegmentJob]:
    return [
        SegmentJob(trial=k, config=config, state=None, until_step=config.num_steps - 10 * k)
        for k, config in enumerate(CONFIGS)
    ]


def run(corpus: Corpus, feed: Feed) -> dict[int, Any]:
    return dict(MLP.train_segments(corpus, feed, **PLACE))


def as_alone(corpus: Corpus, job: SegmentJob) -> Segment:
    return MLP.train_segment(job.config, corpus, job.state, job.until_step, averaged=job.averaged, **PLACE)


def assert_same(found: Segment, expected: Segment) -> None:
    """All but the seconds is equal to the bit."""
    assert found.losses.tobytes() == expected.losses.tobytes()
    assert dataclasses.replace(found, seconds=0, losses=None) == dataclasses.replace(
        expected, seconds=0, losses=None
    )


def test_segments_that_come_and_go_have_the_numbers_they_have_alone(corpus: Corpus) -> None:
    """Four configurations, some later than others, cut into slices; one with averaged weights."""
    first, second, third, fourth = jobs()
    third = dataclasses.replace(third, averaged=True)
    ended = run(corpus, Feed([first, second], [third], [], [fourth]))
    assert ended.keys() == {0, 1, 2, 3}
    assert list(ended)[-1] == 2  # the longest; the last to come has overtaken it
    for job in (first, second, third, fourth):
        assert_same(ended[job.trial], as_alone(corpus, job))
    assert ended[2].average_loss is not None


def test_a_segment_goes_on_from_a_stored_state(corpus: Corpus) -> None:
    """Two segments in a row give the state of one."""
    (whole,) = jobs()[1:2]
    half = dataclasses.replace(whole, until_step=50)
    state = run(corpus, Feed([half]))[1].state
    rest = run(corpus, Feed([dataclasses.replace(whole, state=state)]))[1]
    assert rest.state == run(corpus, Feed([whole]))[1].state


@pytest.mark.parametrize("room", [2, 1])
def test_out_of_memory_is_answered_by_a_smaller_batch(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """A device that fails above ``room`` runs: all are trained, with the same numbers, after few failures."""
    sizes: list[int] = []

    def train(batch: list[Job], device: str) -> Any:
        sizes.append(len(batch))
        if len(batch) > room:
            raise MemoryError("no room")
        return population.train_batch(batch, device)

    monkeypatch.setitem(batching.BATCH_ENGINES, "population", train)
    ended = run(corpus, Feed(jobs()))
    for job in jobs():
        assert_same(ended[job.trial], as_alone(corpus, job))
    assert [size for size in sizes if size > room] == [4, 2][: 3 - room]


def test_a_run_that_has_no_room_alone_has_failed(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault is its own; the others go on."""

    def train(batch: list[Job], device: str) -> Any:
        if any(job.config.hidden_neurons == 12 for job in batch):
            raise MemoryError("no room")
        return population.train_batch(batch, device)

    monkeypatch.setitem(batching.BATCH_ENGINES, "population", train)
    ended = run(corpus, Feed(jobs()))
    assert isinstance(ended[0], MemoryError)
    for job in jobs()[1:]:
        assert_same(ended[job.trial], as_alone(corpus, job))


def test_memory_is_estimated_beforehand(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the estimate has room for one run, they are trained one after the other."""
    sizes: list[int] = []

    def train(batch: list[Job], device: str) -> Any:
        sizes.append(len(batch))
        return population.train_batch(batch, device)

    monkeypatch.setattr(batching, "free_bytes", lambda device: 1_000)
    monkeypatch.setitem(batching.BATCH_ENGINES, "population", train)
    assert run(corpus, Feed(jobs())).keys() == {0, 1, 2, 3}
    assert set(sizes) == {1}


def test_a_damaged_state_and_a_dropped_trial_end_no_other(corpus: Corpus) -> None:
    """The fault comes back under its trial; of the dropped one nothing comes."""
    damaged = dataclasses.replace(jobs()[0], state=b"no state")
    ended = run(corpus, Feed([damaged, *jobs()[1:]], dropped=[1]))
    assert ended.keys() == {0, 2, 3}
    assert "checkpoint cannot be read" in str(ended[0])
    assert isinstance(ended[2], Segment)


def test_what_is_to_be_found_is_found_first(corpus: Corpus) -> None:
    """learning_rate auto: the segment says what was found, and is trained with it."""
    config = CONFIGS[3].replace(hidden_neurons=16)
    job = SegmentJob(trial=7, config=config, state=None, until_step=20, find=("learning_rate",))
    segment = run(corpus, Feed([job]))[7]
    found = MLP.find_auto(config, corpus, ("learning_rate",), **PLACE)
    assert dict(segment.found) == found
    alone = as_alone(corpus, dataclasses.replace(job, config=config.replace(**found)))
    assert segment.state == alone.state


def test_a_run_begun_with_one_engine_goes_on_with_another(corpus: Corpus) -> None:
    """As when a study moves to a machine with a GPU or from it: the dev loss is within 1e-4 nats."""
    config = CONFIGS[0].replace(num_steps=400, momentum=0.5)
    losses = []
    for engines in (("autograd", "autograd"), ("autograd", "population"), ("population", "fused")):
        half = train_segment(config, corpus, None, 200, engine=engines[0])
        losses.append(train_segment(config, corpus, half.state, 400, engine=engines[1]).dev_loss)
    assert losses[1:] == pytest.approx(losses[:1] * 2, abs=1e-4)
