"""Compute the state of a run from its events and a clock.

The state has the trials in training with their estimated progress, the best trials, the rate and the
remaining time. ``live_frame`` lays it out.
"""

import collections
import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable

from sweep.definition.records import TrialRecord
from sweep.execution.events import (
    Event,
    InTraining,
    RunStarted,
    SegmentStored,
    Standing,
    TrialEnded,
    TrialStarted,
    ValueReported,
    Warned,
)
from sweep.metric import Metric

BEST = 5
"""Trials that are kept as the best so far."""

WINDOW_S = 60.0
"""The rate is that of the segments stored in so many seconds before the last one."""

_RECENT = 100

_PREDICT_EVERY_S = 1.0


@dataclasses.dataclass(slots=True, kw_only=True)
class Training:
    """A trial in training."""

    trial: TrialRecord
    num_steps: int
    step: int
    """Steps on disk."""
    since: float
    """When the segment in training began, seconds on the clock."""
    rate: float | None = None
    """Steps per second of its last segment, None before it has one."""
    spent: float = 0.0
    """Seconds of its stored segments."""
    dev_loss: float | None = None
    """Last value that is known, of a stored segment or a report."""
    ends: tuple[int, ...] = ()
    """Last steps of its segments."""
    reported_step: int | None = None
    """Last step that its program has reported; None if it reports none."""

    def take(self, event: SegmentStored, now: float) -> None:
        """Follow a segment that was stored."""
        self.rate = (event.step - self.step) / max(event.seconds, 1e-6)
        self.spent += event.seconds
        self.step, self.since, self.dev_loss = event.step, now, event.dev_loss

    def take_report(self, event: ValueReported) -> None:
        """Follow what the trial's program reports."""
        self.reported_step, self.dev_loss = event.step, event.value

    def step_at(self, now: float, usual_rate: float | None) -> int:
        """Estimate the steps done: from the rate, and short of the end of the segment in training.

        Args:
            now: Seconds on the clock.
            usual_rate: Steps per second that are taken for a trial without a segment.
        """
        if self.reported_step is not None:
            return min(self.reported_step, self.num_steps)
        rate = self.rate or usual_rate or 0.0
        end = next((end for end in self.ends if end > self.step), self.step + 1)
        return min(self.step + int(rate * (now - self.since)), end - 1)


class RunState:
    """What the events of a run add up to."""

    def __init__(self, metric: Metric, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing known; trials are judged by ``metric``, and ``clock`` counts seconds."""
        self.metric = metric
        self._clock = clock
        self.run: RunStarted | None = None
        self.done = 0
        self.workers: list[Training | None] = []
        """What each worker trains."""
        self.best: list[TrialRecord] = []
        """Best first."""
        self.recent: collections.deque[TrialRecord] = collections.deque(maxlen=_RECENT)
        """What ended in this run, last first."""
        self.warnings: list[str] = []
        self._began = clock()
        self._finished: list[TrialRecord] = []
        self._free_since: dict[int, float] = {}
        """When each worker's last trial ended, seconds on the clock."""
        self._pauses: list[float] = []
        """Seconds between two trials of a worker."""
        self._predicted: tuple[float, float] | None = None
        self._predicted_at = 0.0
        self._stored: collections.deque[tuple[float, int, float]] = collections.deque()
        """When segments were stored, their steps and seconds."""

    def take(self, event: Event) -> None:
        """Follow one event."""
        match event:
            case RunStarted():
                self._start(event)
            case TrialStarted():
                self._begin(event)
            case SegmentStored():
                self._store(event)
            case ValueReported():
                self._report(event)
            case TrialEnded():
                self._end(event)
            case Warned():
                self.warnings.append(event.text)

    def training(self) -> list[Training]:
        """Return the trials in training, in the order of the workers."""
        return [row for row in self.workers if row is not None]

    def elapsed_s(self) -> float:
        """Return for how long the run has gone on, seconds."""
        return self._clock() - self._began

    def step_of(self, row: Training) -> int:
        """Estimate the steps that a trial in training has done by now."""
        return row.step_at(self._clock(), self._usual_rate())

    def share_done(self) -> float:
        """Estimate which share of all trials is done, those in training in part; at most 1."""
        total = self.run.total if self.run else 0
        parts = sum(self.step_of(row) / row.num_steps for row in self.training())
        return min(1.0, (self.done + parts) / total) if total else 0.0

    def steps_per_s(self) -> float | None:
        """Return the training rate of all busy workers together, None before the first segment."""
        usual = self._usual_rate()
        return usual * len(self.training()) if usual else None

    def remaining_s(self) -> tuple[float, float] | None:
        """Estimate what remains until the total or the timeout, at least and at most, seconds.

        None while nothing is known. The estimate is made anew once a second at most.
        """
        now = self._clock()
        if self._predicted is None or now - self._predicted_at >= _PREDICT_EVERY_S:
            self._predicted, self._predicted_at = self._predict(), now
        if self._predicted is None or self.run is None:
            return None
        rest = float("inf") if self.run.timeout is None else max(0.0, self.run.timeout - self.elapsed_s())
        low, high = (min(rest, max(0.0, end - (now - self._predicted_at))) for end in self._predicted)
        return low, high

    def _predict(self) -> tuple[float, float] | None:
        """Return the time that all trials to come and in training take, without the timeout."""
        if self.run is None or self.run.outlook is None:
            return None
        rows = self.training()
        training = [self._in_training(row) for row in rows]
        to_come = max(0, self.run.total - self.done - len(rows))
        numbers = range(self.run.total - to_come, self.run.total)
        ended = sorted(self._finished, key=lambda trial: trial.number)
        overhead = statistics.median(self._pauses) if self._pauses else 0.0
        workers = max(1, len(self.workers))
        return self.run.outlook(
            Standing(ended=ended, training=training, numbers=numbers, workers=workers, overhead=overhead)
        )

    def _in_training(self, row: Training) -> InTraining:
        spent = self._clock() - row.since + row.spent
        if row.rate is None:
            return InTraining(params=row.trial.params, spent=spent, total=None)
        total = row.num_steps / row.rate
        return InTraining(
            params=row.trial.params, spent=total * self.step_of(row) / row.num_steps, total=total
        )

    def _start(self, event: RunStarted) -> None:
        """Take over what earlier runs did; a confirmation is one run a round."""
        if self.run is None:
            self._began = self._clock()
        self.run, self.done, self.best = event, event.done, []
        self.workers = [None] * event.workers
        self._rank(event.finished)
        self._finished = list(event.finished)
        self._free_since = {}
        self._predicted = None

    def _begin(self, event: TrialStarted) -> None:
        row = Training(
            trial=event.trial,
            num_steps=event.num_steps,
            step=event.from_step,
            since=self._clock(),
            ends=event.ends,
            spent=event.trial.train_seconds if event.from_step else 0.0,
        )
        if event.from_step and event.trial.segments:
            row.dev_loss = event.trial.segments[-1].dev_loss
        if None in self.workers:
            place = self.workers.index(None)
            self.workers[place] = row
            if place in self._free_since:
                self._pauses.append(self._clock() - self._free_since[place])
        else:
            self.workers.append(row)

    def _report(self, event: ValueReported) -> None:
        for row in self.training():
            if row.trial.number == event.trial:
                row.take_report(event)

    def _store(self, event: SegmentStored) -> None:
        now = self._clock()
        for row in self.training():
            if row.trial.number == event.trial:
                self._stored.append((now, event.step - row.step, event.seconds))
                row.take(event, now)
        while self._stored and self._stored[0][0] < now - WINDOW_S:
            self._stored.popleft()

    def _end(self, event: TrialEnded) -> None:
        number = event.trial.number
        for place, row in enumerate(self.workers):
            if row is not None and row.trial.number == number:
                self.workers[place] = None
                self._free_since[place] = self._clock()
        self.done = event.done
        self._finished.append(event.trial)
        self.recent.appendleft(event.trial)
        self._rank([event.trial])

    def _rank(self, ended: Iterable[TrialRecord]) -> None:
        found = [
            (self.metric.as_loss(trial.dev_loss), trial.number, trial)
            for trial in [*self.best, *ended]
            if trial.dev_loss is not None
        ]
        self.best = [trial for _, _, trial in sorted(found, key=lambda entry: entry[:2])[:BEST]]

    def _usual_rate(self) -> float | None:
        """Return the mean rate of one worker, steps per second, over the last ``WINDOW_S``."""
        steps = sum(steps for _, steps, _ in self._stored)
        seconds = sum(seconds for _, _, seconds in self._stored)
        return steps / max(seconds, 1e-6) if steps else None
