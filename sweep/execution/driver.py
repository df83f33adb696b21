"""Train trials: fill the free workers, wait, judge what comes back, store it.

A driver is the one that reads what workers return; they only train. Whatever it learns is stored before
anybody hears of it, so it can be killed at any moment, and the next run continues from the last stored
segments. ``trials`` holds what it is made of: where trials come from, who proposes them, whose files stay.
"""

import dataclasses
import time

from sweep.definition.records import StudyRecord
from sweep.definition.registries import PRUNERS
from sweep.execution.events import RunStarted, SegmentStored, TrialEnded, TrialStarted, ValueReported, Warned
from sweep.execution.planning.time_left import Prediction
from sweep.execution.pools.pool import Pool, SegmentOutcome
from sweep.execution.study_run import StudyRun
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.recorder import Recorder
from sweep.execution.trials.running_trial import End, RunningTrial
from sweep.execution.trials.trial_source import TrialSource
from sweep.task import Metric, RunsPrograms, Segment, SegmentJob, describe_restart, why_infeasible

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


class Driver:
    """Leads trials from their beginning to their end."""

    def __init__(self, run: StudyRun, known: KnownTrials, source: TrialSource) -> None:
        """Train the trials of ``source``; what becomes of them is told to ``known``."""
        self.spec, self.request, self.workload = run.spec, run.request, run.workload
        self.observe, self.budget, self.gate = run.request.observe, run.budget, run.gate
        self.known, self.source, self.recorder = known, source, Recorder(run)
        self.trained = 0
        self.live: dict[int, RunningTrial] = {}

    def run(self) -> str | None:
        """Train until the total or while it fits; return ``timeout`` or ``signal`` if stopped before."""
        if not self.known.remaining:
            return None
        pool = self.request.start_pool(self.known.remaining)
        try:
            self._announce(pool)
            while not (stopped_by := self._asked_to_stop()):
                if self._advance(pool):
                    self._dismiss(pool)
                    return "timeout" if self.source.is_full else None
            self._release(pool)
            return stopped_by
        except BaseException:
            pool.close()
            raise
        finally:
            self.known.files.tidy_rest()

    def _announce(self, pool: Pool) -> None:
        self.observe(
            RunStarted(
                done=self.known.done,
                total=self.known.total,
                workers=pool.places,
                engine=self.workload.engine,
                device=" ".join(pool.devices),
                data_facts=self.workload.data.describe(),
                finished=self.known.finished,
                timeout=self.spec.timeout,
                memory=self.request.describe_memory(pool.places),
                outlook=Prediction(self.spec, self.known.proposer.work).seconds_left,
            )
        )

    def _asked_to_stop(self) -> str | None:
        if self.request.should_stop():
            return "signal"
        return "timeout" if self.budget.is_over() else None

    def _advance(self, pool: Pool) -> bool:
        """Go on until a job ends or a little time has passed; return whether nothing is left to do."""
        self.source.keep_alive()
        self._fill(pool)
        if not self.live:
            if self.source.is_over():
                return True
            time.sleep(POLL_S)
            return False
        for outcome in pool.wait(POLL_S):
            self._take(pool, outcome)
        self._enforce_trial_timeout(pool)
        return False

    def _dismiss(self, pool: Pool) -> None:
        """End what runs programs; other workers are left to the caller, who may have a use for them."""
        if isinstance(self.workload.task, RunsPrograms):
            pool.close()

    def _release(self, pool: Pool) -> None:
        """Leave the running trials to the next run."""
        pool.close()
        self.source.release(self.live.values())
        self.live.clear()

    # One trial's way, in order: begin, submit, take, judge, store, leave.

    def _fill(self, pool: Pool) -> None:
        """Give every free worker a trial."""
        while pool.free():
            own = {trial.trial_id for trial in self.live.values()}
            trial = self.source.next_trial(pool.next_device(), own)
            if trial is None:
                return
            self.live[trial.number] = trial
            self._announce_start(trial)
            end = self._judge(trial)
            if end is None:
                self._submit(pool, trial)
            else:
                self._end(pool, trial, end)

    def _announce_start(self, trial: RunningTrial) -> None:
        restart = describe_restart(self.workload.task, trial.state) if trial.was_cut else ""
        self.observe(
            TrialStarted(
                trial=trial.record(),
                from_step=0 if restart else trial.step,
                num_steps=trial.config.num_steps,
                ends=tuple(cut.step for cut in trial.cuts),
                restart=restart,
            )
        )

    def _submit(self, pool: Pool, trial: RunningTrial) -> None:
        limit = self.spec.trial_timeout
        job = SegmentJob(
            trial=trial.number,
            number=trial.number,
            config=trial.config,
            state=trial.state,
            from_step=trial.step,
            is_first=not trial.was_cut,
            until_step=trial.cuts[0].step,
            averaged=self.spec.pruner != "none",
            find=() if trial.found else self.spec.auto,
            run_ends=self.budget.ends_at,
            seconds_left=None if limit is None else limit - trial.seconds,
        )
        pool.submit(job)

    def _take(self, pool: Pool, outcome: SegmentOutcome) -> None:
        """Update a trial with the outcome of its job."""
        trial = self.live[outcome.trial]
        if outcome.reported is not None:
            step, value = outcome.reported
            self.observe(ValueReported(trial=trial.number, step=step, value=value))
            return
        if outcome.segment is not None:
            self._take_segment(pool, trial, outcome.segment)
        elif outcome.fault is not None and not outcome.has_died:
            self._end(pool, trial, End("failed", reason=f"failed in training: {outcome.fault}"))
        else:
            self._take_death(pool, trial, outcome.fault)

    def _take_segment(self, pool: Pool, trial: RunningTrial, segment: Segment) -> None:
        """Judge a segment, let the worker go on, and store it meanwhile."""
        first_step, cut = trial.step, trial.cuts.pop(0)
        if segment.found:
            trial.set_found(segment.found)
            self.recorder.store_found(trial)
        metric = self.workload.task.metric
        if metric.has_diverged(segment.dev_loss):
            reason = _describe_divergence(metric, segment, first_step, cut.step)
            self._end(pool, trial, End("diverged", reason=reason))
            return
        trial.add(cut, segment)
        if cut.percent is not None:
            self.known.reach(trial.number, cut.percent, trial.segments[-1].rung_loss)
        end = self._judge(trial)
        if end is None:
            self._submit(pool, trial)
        self._store(pool, trial, first_step, segment, end)

    def _take_death(self, pool: Pool, trial: RunningTrial, fault: str | None) -> None:
        """Train a segment again whose worker died, or whose program was killed, which ``fault`` says."""
        trial.deaths += 1
        trial.was_cut = True
        if trial.deaths == MAX_DEATHS:
            what = f"it was killed {MAX_DEATHS} times" if fault else f"its worker died {MAX_DEATHS} times"
            where = f"between steps {trial.step:,} and {trial.cuts[0].step:,}"
            reason = f"failed: {what} {where}" + (f"; {fault}" if fault else "")
            self._end(pool, trial, End("failed", reason=reason))
            return
        died = f"trial {trial.number}: {fault}" if fault else f"the worker of trial {trial.number} died"
        again = describe_restart(self.workload.task, trial.state)
        self.observe(Warned(text=f"{died}; {f'it {again}' if again else 'its segment is trained again'}"))
        self._submit(pool, trial)

    def _judge(self, trial: RunningTrial) -> End | None:
        """Return how the trial ends after its last segment, or None if it goes on."""
        if not trial.cuts:
            if (why := why_infeasible(self.workload.task, trial.figures)) is not None:
                return End("infeasible", reason=f"infeasible: {why}")
            return End("complete", dev_loss=trial.segments[-1].dev_loss)
        percent = trial.segments[-1].percent if trial.segments else None
        if percent is not None and PRUNERS[self.spec.pruner](self.known.rungs, trial.number, percent):
            return End("pruned", reason=f"pruned at {percent} % by {self.spec.pruner}")
        return None

    def _store(
        self, pool: Pool, trial: RunningTrial, first_step: int, segment: Segment, end: End | None
    ) -> None:
        """Store a segment, and the trial's end with it."""
        self.recorder.store_segment(trial, first_step, segment, end)
        stored = trial.segments[-1]
        self.observe(
            SegmentStored(
                trial=trial.number,
                step=stored.step,
                num_steps=trial.config.num_steps,
                dev_loss=stored.dev_loss,
                seconds=stored.seconds,
            )
        )
        if end is not None:
            self._leave(pool, trial, end)

    def _end(self, pool: Pool, trial: RunningTrial, end: End) -> None:
        """Store the end of a trial that comes without a segment, and leave it."""
        self.recorder.store_end(trial, end)
        self._leave(pool, trial, end)

    def _leave(self, pool: Pool, trial: RunningTrial, end: End) -> None:
        """Make an end known that is stored by now."""
        if end.state == "complete":
            self.budget.learn(self.known.proposer.work(trial.params), trial.seconds)
        record = trial.record(end)
        self.known.files.take_charge(trial.number)
        self.known.learn(record)
        self.trained += 1
        del self.live[trial.number]
        pool.leave(trial.number)
        self.observe(TrialEnded(trial=record, done=self.known.done, total=self.known.total))

    def _enforce_trial_timeout(self, pool: Pool) -> None:
        limit = self.spec.trial_timeout
        for trial in list(self.live.values()) if limit else []:
            assert limit is not None, "checked in the line above"
            if trial.seconds + pool.elapsed(trial.number) > limit:
                pool.kill(trial.number)
                reason = f"timeout after {limit:g} s, at step {trial.step:,} or later"
                self._end(pool, trial, End("timeout", reason=reason))


def _describe_divergence(metric: Metric, segment: Segment, first_step: int, until_step: int) -> str:
    for step, loss in zip(segment.steps_from(first_step).tolist(), segment.losses.tolist(), strict=True):
        if metric.has_diverged_in_training(loss):
            what = "training loss" if segment.steps is None else metric.label
            return f"diverged: the {what} was {loss:.3g} at step {step:,}"
    return f"diverged: the {metric.label} was {segment.dev_loss:.3g} at step {until_step:,}"
