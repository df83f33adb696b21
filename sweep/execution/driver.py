"""What does a driver do, from asking for a trial to its end?

One driver owns a study's trials: it alone asks, reports and tells; workers only train. What it
knows is stored before anybody hears of it, so it can be killed at any moment, and the next run
goes on from the last stored segments.
"""

import bisect
import dataclasses
import datetime
import hashlib
import os
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple

from sweep.definition.records import SegmentRecord, StudyRecord, TrialRecord
from sweep.definition.registries import PRUNERS, SAMPLERS
from sweep.definition.spec import StudySpec
from sweep.execution.budget import Budget
from sweep.execution.events import RunStarted, SegmentStored, TrialEnded, TrialStarted, ValueReported, Warned
from sweep.execution.pools.pool import Pool, SegmentOutcome
from sweep.execution.run_request import RunRequest
from sweep.execution.rungs import Cut, cuts
from sweep.samplers.mirror import Mirror
from sweep.samplers.samplers import PointSampler
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.study_writer import StudyWriter
from sweep.task import Config, Metric, Segment, SegmentJob, loss_ceiling, shortest_with_rungs

MAX_DEATHS = 3
"""Deaths of its worker after which a segment's trial is given up as failed."""

POLL_S = 0.1
"""How long a driver waits for its workers before it looks at the clock, seconds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What one run of a study did."""

    study: StudyRecord
    trained: int
    """Trials that ended in this run."""
    stopped_by: str | None
    """``timeout`` or ``signal``, or None where the study is finished."""


@dataclasses.dataclass(slots=True, kw_only=True)
class Live:
    """A trial in training."""

    number: int
    trial_id: int
    config: Config
    params: dict[str, Any]
    device: str
    started: datetime.datetime
    cuts: list[Cut]
    """Ends of the segments still to be trained."""
    state: bytes | None = None
    segments: list[SegmentRecord] = dataclasses.field(default_factory=list)
    deaths: int = 0
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What was found for hyperparameters that the study leaves open; part of ``config`` from then on."""

    @property
    def step(self) -> int:
        """Steps done."""
        return self.segments[-1].step if self.segments else 0

    @property
    def seconds(self) -> float:
        """Seconds of its segments."""
        return sum(segment.seconds for segment in self.segments)


class _End(NamedTuple):
    """How a trial ends: one of ``records.STATES`` with a loss or a reason."""

    state: str
    dev_loss: float | None = None
    reason: str | None = None


_RUNNING = _End("running")


class Driver:
    """The state of one run: what is live, what stands at which rung, what is best."""

    def __init__(
        self,
        request: RunRequest,
        *,
        spec: StudySpec,
        writer: StudyWriter,
        checkpoints: Checkpoints,
        study: StudyRecord,
        ids: dict[int, int],
    ) -> None:
        """Learn what is stored of a study: its trials, and their ids in the database."""
        workload = request.workload
        self.request, self.observe = request, request.observe
        self.task, self.data, self.engine = workload.task, workload.data, workload.engine
        self.spec, self.writer, self.checkpoints = spec, writer, checkpoints
        self.next_device = workload.devices[0]
        self.trained = 0
        self.live: dict[int, Live] = {}
        self.budget = Budget(spec.timeout)
        self.is_full = False
        """Whether the next trial would not end in time."""
        self.start_from(study, ids)
        for trial in self.finished:
            if trial.state == "complete" and trial.engine == self.engine and trial.device in workload.devices:
                self.budget.learn(self._work(trial.params), trial.train_seconds)

    def start_from(self, study: StudyRecord, ids: dict[int, int]) -> None:
        """Learn what is stored: trials, and their ids in the database."""
        spec, ceiling = self.spec, loss_ceiling(self.task, self.data)
        self.mirror = Mirror(spec.space, ceiling, study.trials, spec.cost, spec.direction)
        self.params = [trial.params for trial in study.trials]
        self.finished = tuple(trial for trial in study.trials if trial.is_finished)
        self.unfinished = [(trial, ids[trial.number]) for trial in study.trials if not trial.is_finished]
        self.done = len(self.finished)
        self.rungs: dict[int, dict[int, float]] = {}
        for trial in study.trials:
            for percent, loss in trial.rungs.items():
                self.stand(trial.number, percent, loss)
        self.kept: list[tuple[float, int]] = []
        self.close_finished(study)

    @property
    def total(self) -> int:
        """How many trials there will be; what was begun is finished, though fewer are asked for by now."""
        return max(self.spec.total_trials, len(self.params))

    def run(self) -> str | None:
        """Train until the total or while it fits; return ``timeout`` or ``signal`` if stopped before."""
        if not self.unfinished and len(self.params) >= self.total:
            return None
        pool = self.request.start_pool(len(self.unfinished) + self.total - len(self.params))
        try:
            self.observe(
                RunStarted(
                    done=self.done,
                    total=self.total,
                    workers=pool.places,
                    engine=self.engine,
                    device=" ".join(pool.devices),
                    data_facts=self.data.describe(),
                    finished=self.finished,
                    timeout=self.spec.timeout,
                    memory=self.request.describe_memory(pool.places),
                )
            )
            while True:
                stopped_by = (
                    "signal" if self.request.should_stop() else "timeout" if self.budget.is_over() else None
                )
                if stopped_by:
                    self.release(pool)
                    return stopped_by
                if self.advance(pool):
                    return "timeout" if self.is_full else None
        finally:
            pool.close()

    def advance(self, pool: Pool) -> bool:
        """Go on until a job ends or a little time has passed; say whether nothing is left to do."""
        self._fill(pool)
        if not self.live:
            return True
        for outcome in pool.wait(POLL_S):
            self._take(pool, outcome)
        self._enforce_trial_timeout(pool)
        return False

    # One trial's way, in order: claim or take over, submit, take, judge, store, leave.

    def _fill(self, pool: Pool) -> None:
        """Give every free worker a trial: interrupted ones first, then new ones."""
        while pool.free():
            self.next_device = pool.next_device()
            live = self.next_trial()
            if live is None:
                return
            self.live[live.number] = live
            record = self._record(live, _RUNNING)
            self.observe(
                TrialStarted(
                    trial=record,
                    from_step=live.step,
                    num_steps=live.config.num_steps,
                    ends=tuple(cut.step for cut in live.cuts),
                )
            )
            end = self._judge(live)
            if end is None:
                self._submit(pool, live)
            else:
                self._end(live, end)

    def next_trial(self) -> Live | None:
        """Take over an interrupted trial, else claim a new one; None where neither is left."""
        return self.take_over(*self.unfinished.pop(0)) if self.unfinished else self.claim_next()

    def claim_next(self) -> Live | None:
        """Claim a new trial; None where the total is reached, or where it would not end in time."""
        if len(self.params) >= self.spec.total_trials or self.is_full:
            return None
        params = self._propose()
        self.is_full = not self.budget.fits(self._work(params))
        return None if self.is_full else self._claim(params)

    def _propose(self) -> dict[str, Any]:
        """Ask for the next trial's configuration."""
        number = len(self.params)
        return self.mirror.ask(number, self._sampler(number))

    def _claim(self, params: dict[str, Any]) -> Live:
        """Store a configuration as a running trial, in one write."""
        number = len(self.params)
        self.checkpoints.begin(number)
        seed, found = self.spec.trial_seed(number), self.spec.trial_found(number)
        config = self.task.make_config({**self.spec.config_values(params), **found, "seed": seed})
        facts = {**self.task.facts(config, self.data), **self.spec.trial_labels(number)}
        with self.writer.one_transaction():
            trial_id = self.writer.claim(params, self.spec.space, seed, facts, self._origin())
            if found:
                self.writer.store_found(trial_id, found)
            live = self._live(number, trial_id, config, params, [])
            live.found = found
            self._seal(live)
        self.params.append(params)
        return live

    def _sampler(self, number: int) -> Any:
        """Return what proposes trial ``number``: an earlier replicate, the list, or the sampler."""
        configuration, replicate = divmod(number, self.spec.replicates)
        if replicate:
            return PointSampler(self.params[number - replicate])
        if configuration < len(self.spec.listed):
            return PointSampler(self.spec.listed[configuration])
        proposal = configuration - len(self.spec.listed)
        return SAMPLERS[self.spec.sampler](self.spec.space, self.spec.seed, proposal, self._work)

    def _work(self, params: Mapping[str, Any]) -> float:
        """Return what a trial with these searched hyperparameters costs, in the task's unit."""
        return self.task.work(self.task.make_config(self.spec.config_values(params)), self.data)

    def take_over(self, record: TrialRecord, trial_id: int) -> Live:
        """Go on with an interrupted trial from its last segment that is still whole."""
        values = self.spec.config_values(record.params)
        config = self.task.make_config({**values, **record.found, "seed": record.seed})
        segments, state = list(record.segments), None
        if segments:
            last = segments[-1]
            state = self.checkpoints.read_state(record.number, last.step, last.state_sha256)
            if state is None:
                text = f"trial {record.number}: the state at step {last.step:,} is lost or damaged"
                self.observe(Warned(text=f"{text}; the trial starts again, with the same numbers"))
                segments = []
        live = self._live(record.number, trial_id, config, record.params, segments)
        live.state, live.found = state, record.found
        self.checkpoints.drop_segments_after(record.number, live.step)
        with self.writer.one_transaction():
            self.writer.reclaim(trial_id, self._origin())
            if len(segments) < len(record.segments):
                self.writer.forget_segments(trial_id)
            self._seal(live)
        return live

    def _live(
        self,
        number: int,
        trial_id: int,
        config: Config,
        params: dict[str, Any],
        segments: list[SegmentRecord],
    ) -> Live:
        done = segments[-1].step if segments else 0
        return Live(
            number=number,
            trial_id=trial_id,
            config=config,
            params=params,
            device=self.next_device,
            started=datetime.datetime.now().astimezone(),
            cuts=[cut for cut in cuts(config.num_steps, shortest_with_rungs(self.task)) if cut.step > done],
            segments=segments,
        )

    def _take(self, pool: Pool, outcome: SegmentOutcome) -> None:
        """Update a trial with the outcome of its job."""
        live = self.live[outcome.trial]
        if outcome.reported is not None:
            step, value = outcome.reported
            self.observe(ValueReported(trial=live.number, step=step, value=value))
            return
        if outcome.segment is not None:
            self._take_segment(pool, live, outcome.segment)
        elif outcome.fault is not None:
            self._end(live, _End("failed", reason=f"failed in training: {outcome.fault}"))
        else:
            self._take_death(pool, live)

    def _take_segment(self, pool: Pool, live: Live, segment: Segment) -> None:
        """Judge a segment, let the worker go on, and store it meanwhile."""
        first_step, cut = live.step, live.cuts.pop(0)
        if segment.found:
            live.found, live.config = segment.found, live.config.replace(**segment.found)
            self.writer.commit(live.trial_id, lambda: self._store_found(live))
        if self.task.metric.has_diverged(segment.dev_loss):
            reason = _describe_divergence(self.task.metric, segment, first_step, cut.step)
            self._end(live, _End("diverged", reason=reason))
            return
        live.state, live.deaths = segment.state, 0
        live.segments.append(
            SegmentRecord(
                step=cut.step,
                percent=cut.percent,
                dev_loss=segment.dev_loss,
                seconds=round(segment.seconds, 6),  # as stored, so that a resumed run knows no other number
                state_sha256=hashlib.sha256(segment.state).hexdigest(),
                average_loss=segment.average_loss,
            )
        )
        if cut.percent is not None:
            self.stand(live.number, cut.percent, live.segments[-1].rung_loss)
            self.mirror.report(live.number, cut.percent, live.segments[-1].rung_loss)
        end = self._judge(live)
        if end is None:
            self._submit(pool, live)
        self._store(live, first_step, segment, end)

    def _judge(self, live: Live) -> _End | None:
        """Say how the trial ends where it stands, or None if it goes on."""
        if not live.cuts:
            return _End("complete", dev_loss=live.segments[-1].dev_loss)
        percent = live.segments[-1].percent if live.segments else None
        if percent is not None and PRUNERS[self.spec.pruner](self.rungs, live.number, percent):
            return _End("pruned", reason=f"pruned at {percent} % by {self.spec.pruner}")
        return None

    def _store(self, live: Live, first_step: int, segment: Segment, end: _End | None) -> None:
        """Store a segment, and the trial's end with it: files first, then one transaction."""
        stored = live.segments[-1]
        step = stored.step
        self.checkpoints.write_segment(live.number, first_step, step, segment.state, segment.losses)

        def write() -> None:
            seal = None if end else self._record(live, _RUNNING).seal()  # an end has its own
            self.writer.store_segments(live.trial_id, live.segments, seal)
            if end is not None:
                self._store_end(live, end)

        self.writer.commit(live.trial_id, write)
        self.checkpoints.drop_states_before(live.number, step)
        self.observe(
            SegmentStored(
                trial=live.number,
                step=step,
                num_steps=live.config.num_steps,
                dev_loss=stored.dev_loss,
                seconds=stored.seconds,
            )
        )
        if end is not None:
            self._leave(live, end)

    def _take_death(self, pool: Pool, live: Live) -> None:
        live.deaths += 1
        if live.deaths == MAX_DEATHS:
            where = f"between steps {live.step:,} and {live.cuts[0].step:,}"
            reason = f"failed: its worker died {MAX_DEATHS} times {where}"
            self._end(live, _End("failed", reason=reason))
            return
        self.observe(Warned(text=f"the worker of trial {live.number} died; its segment is trained again"))
        self._submit(pool, live)

    def _submit(self, pool: Pool, live: Live) -> None:
        job = SegmentJob(
            trial=live.number,
            number=live.number,
            config=live.config,
            state=live.state,
            until_step=live.cuts[0].step,
            averaged=self.spec.pruner != "none",
            find=() if live.found else self.spec.auto,
        )
        pool.submit(job)

    def _end(self, live: Live, end: _End) -> None:
        """Store the end of a trial that comes without a segment, and leave it."""
        self.writer.commit(live.trial_id, lambda: self._store_end(live, end))
        self._leave(live, end)

    def _store_found(self, live: Live) -> None:
        self.writer.store_found(live.trial_id, live.found)
        self._seal(live)

    def _seal(self, live: Live) -> None:
        """Store a hash of what is known of a running trial, in the commit that stores something of it."""
        self.writer.store_seal(live.trial_id, self._record(live, _RUNNING).seal())

    def _store_end(self, live: Live, end: _End) -> None:
        self.writer.end(
            live.trial_id,
            end.state,
            seconds=live.seconds,
            dev_loss=end.dev_loss,
            cost=self._cost(live, end),
            reason=end.reason,
            seal=self._record(live, end).seal(),
        )

    def _leave(self, live: Live, end: _End) -> None:
        """Let everybody know of an end that is on disk."""
        if end.state == "complete":
            self.budget.learn(self._work(live.params), live.seconds)
        self.mirror.end(live.number, end.state, end.dev_loss, self._cost(live, end))
        self.done += 1
        self.trained += 1
        self.close(live.number, end.dev_loss)
        del self.live[live.number]
        self.observe(TrialEnded(trial=self._record(live, end), done=self.done, total=self.total))

    # What surrounds a trial's way.

    def _enforce_trial_timeout(self, pool: Pool) -> None:
        limit = self.spec.trial_timeout
        for live in list(self.live.values()) if limit else []:
            assert limit is not None, "checked in the line above"
            if live.seconds + pool.elapsed(live.number) > limit:
                pool.kill(live.number)
                reason = f"timeout after {limit:g} s, at step {live.step:,} or later"
                self._end(live, _End("timeout", reason=reason))

    def release(self, pool: Pool) -> None:
        """Leave the running trials to the next run."""
        pool.close()
        for live in self.live.values():
            self.writer.release(live.trial_id)
        self.live.clear()

    def close_finished(self, study: StudyRecord) -> None:
        """Tidy the files of finished trials; a killed run may have left some undone."""
        for trial in study.trials:
            if trial.is_finished:
                self.close(trial.number, trial.dev_loss)

    def close(self, number: int, dev_loss: float | None) -> None:
        """Keep the files of the best ``keep`` trials whole, thin those of all others."""
        if dev_loss is None:
            self.tidy(number, keep=False)
            return
        bisect.insort(self.kept, (self.spec.as_loss(dev_loss), number))
        out = self.kept.pop()[1] if len(self.kept) > self.spec.keep else None
        if out != number:
            self.tidy(number, keep=True)
        if out is not None:
            self.tidy(out, keep=False)

    def tidy(self, number: int, *, keep: bool) -> None:
        """Turn a finished trial's files into what stays of them."""
        self.checkpoints.close(number, keep=keep)

    def stand(self, number: int, percent: int, loss: float) -> None:
        """Let a trial stand at a rung, for pruners."""
        self.rungs.setdefault(percent, {})[number] = self.spec.as_loss(loss)

    def _cost(self, live: Live, end: _End) -> float | None:
        """Return the value of the second objective, where the study has one."""
        return None if self.spec.cost is None else self._record(live, end).cost(self.spec.cost)

    def _origin(self) -> dict[str, str]:
        return {
            "engine": self.engine,
            "device": self.next_device,
            "owner": f"{socket.gethostname()}:{os.getpid()}",
        }

    def _record(self, live: Live, end: _End) -> TrialRecord:
        return TrialRecord(
            number=live.number,
            state=end.state,
            params=live.params,
            seed=live.config.seed,
            dev_loss=end.dev_loss,
            segments=tuple(live.segments),
            reason=end.reason,
            facts=self.task.facts(live.config, self.data),
            labels=self.spec.trial_labels(live.number),
            found=dict(live.found),
            engine=self.engine,
            device=live.device,
            started=live.started,
            ended=None if end.state == "running" else datetime.datetime.now().astimezone(),
        )


def _describe_divergence(metric: Metric, segment: Segment, first_step: int, until_step: int) -> str:
    for step, loss in enumerate(segment.losses.tolist(), start=first_step):
        if metric.has_diverged_in_training(loss):
            return f"diverged: the training loss was {loss:.3g} at step {step:,}"
    return f"diverged: the {metric.label} was {segment.dev_loss:.3g} at step {until_step:,}"
