"""Train a segment of a run, from one rung to the next.

``train_segment`` is a pure function from (configuration, corpus, state, last step) to the new state, its dev
loss and the minibatch losses.
"""

import dataclasses
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from sweep.task import Segment
from sweep.trainers.mlp.averaging import add_snapshot, snapshot_steps
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.engines.devices import default_engine
from sweep.trainers.mlp.evaluation import split_loss
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.corpus import Corpus
from sweep.trainers.mlp.words.examples import DistinctExamples, Examples, build_examples, merge_examples

KEPT_BYTES = 64 << 20
"""Most bytes of examples of each split that a process keeps for later segments, besides those in use."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    """The result of one segment."""

    state: TrainState
    dev_loss: float
    """Exact loss over the dev split at the end of the segment, nats per character."""
    average_loss: float | None
    """The same for the average of snapshots; None if none is kept."""
    losses: np.ndarray
    """Minibatch loss of each step, float32, shape (steps,)."""
    seconds: float
    """Wall time of training and evaluation, in seconds."""

    def to_segment(self) -> Segment:
        """Return the same with the state as bytes."""
        return Segment(
            state=self.state.to_bytes(),
            dev_loss=self.dev_loss,
            losses=self.losses,
            seconds=self.seconds,
            average_loss=self.average_loss,
        )


def train_segment(
    config: TrainConfig,
    corpus: Corpus,
    state: TrainState | None,
    until_step: int,
    *,
    engine: str | None = None,
    device: str = "cpu",
    averaged: bool = False,
) -> SegmentResult:
    """Train from ``state`` (None: from the beginning) until ``until_step`` and evaluate on dev.

    The state does not depend, bitwise, on where a run is cut, for the same engine, device, thread count and
    machine.

    Args:
        config: The hyperparameters, including the seed.
        corpus: Train and dev parts, without the test part.
        state: The current state of the run.
        until_step: Step before which training stops, at most ``config.num_steps``.
        engine: One of ``ENGINES``; None means the device's default.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        averaged: Whether to keep and evaluate the average of snapshots too; no other result changes.
    """
    segment = OpenSegment(config, corpus, state, until_step, averaged=averaged)
    train = ENGINES[engine or default_engine(device)]
    while not segment.is_done:
        segment.take(*train(config, segment.examples, segment.state, segment.learning_rates(), device))
    return segment.close(device)


class OpenSegment:
    """A segment in training: its state, and the steps that an engine may train in one call."""

    def __init__(
        self,
        config: TrainConfig,
        corpus: Corpus,
        state: TrainState | None,
        until_step: int,
        *,
        averaged: bool = False,
    ) -> None:
        """Open a segment; see ``train_segment`` for the arguments."""
        self._started = time.perf_counter()
        self.config = config
        self.state = state or TrainState.initial(config, corpus.vocabulary_size)
        assert self.state.step <= until_step <= config.num_steps, "segments run forward, within the budget"
        self._corpus, self._until_step, self._averaged = corpus, until_step, averaged
        self._average = self.state.average
        self._losses = [np.empty(0, np.float32)]

    @property
    def is_done(self) -> bool:
        """Whether all steps are trained."""
        return self.state.step == self._until_step

    @property
    def examples(self) -> Examples:
        """The training examples."""
        return train_examples(self._corpus, self.config.block_size)

    def learning_rates(self, at_most: int | None = None) -> np.ndarray:
        """Return the rates of the next steps: up to a snapshot, the end, or ``at_most`` steps."""
        step, until = self.state.step, self._until_step
        snapshots = snapshot_steps(self.config.num_steps, step, until) if self._averaged else []
        stop = snapshots[0] if snapshots else until
        return learning_rates(self.config, step, stop if at_most is None else min(stop, step + at_most))

    def take(self, state: TrainState, losses: np.ndarray) -> None:
        """Set the state that an engine reached with the next learning rates."""
        self.state, num_steps = state, self.config.num_steps
        self._losses.append(losses)
        if self._averaged and snapshot_steps(num_steps, state.step - 1, state.step):
            self._average = add_snapshot(self._average, state.parameters, state.step, num_steps)

    def close(self, device: str) -> SegmentResult:
        """Evaluate the segment, whose steps are all trained."""
        assert self.is_done, "a segment is trained to its end"
        dev = dev_examples(self._corpus, self.config.block_size)
        at_end = (
            self._until_step == self.config.num_steps
        )  # nothing is compared there but the losses themselves
        average = {} if at_end else self._average
        return SegmentResult(
            state=dataclasses.replace(self.state, average=average),
            dev_loss=split_loss(self.state.parameters, dev, device),
            average_loss=split_loss(average, dev, device) if average else None,
            losses=np.concatenate(self._losses),
            seconds=time.perf_counter() - self._started,
        )


def train_examples(corpus: Corpus, block_size: int) -> Examples:
    """Return the training examples, cached per corpus and block size."""
    part = _Part(corpus, "train")
    return _KEPT_TRAIN.get((part, block_size), lambda: build_examples(part.words, block_size))


def dev_examples(corpus: Corpus, block_size: int) -> DistinctExamples:
    """Return the dev examples merged by context, cached like the training examples."""
    part = _Part(corpus, "dev")
    return _KEPT_DEV.get((part, block_size), lambda: merge_examples(build_examples(part.words, block_size)))


class _Part:
    """A split of a corpus as a cache key, equal if file, dedupe, cut and split are equal."""

    def __init__(self, corpus: Corpus, split: str) -> None:
        self.words = getattr(corpus, split)
        self._key = (corpus.sha256, corpus.dedupe, corpus.cut, split)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Part) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


_T = TypeVar("_T", Examples, DistinctExamples)


class _Kept(Generic[_T]):
    """Cache of the examples of the last used block sizes that fit into ``KEPT_BYTES``."""

    def __init__(self) -> None:
        self._found: dict[tuple[_Part, int], _T] = {}

    def get(self, key: tuple[_Part, int], build: Callable[[], _T]) -> _T:
        """Return the examples of a key, building them if missing, and mark them as last used."""
        found = self._found.pop(key) if key in self._found else build()
        room = KEPT_BYTES - found.nbytes
        for other in reversed(list(self._found)):
            room -= self._found[other].nbytes
            if room < 0:
                del self._found[other]
        self._found[key] = found
        return found


_KEPT_TRAIN, _KEPT_DEV = _Kept[Examples](), _Kept[DistinctExamples]()
