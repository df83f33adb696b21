"""Begin trials: claim new ones, or resume those that an earlier run or driver left.

Each is one commit, before training starts.
"""

from collections.abc import Sequence

from sweep.definition.records import CODE_CHANGED, SegmentRecord, TrialRecord
from sweep.execution.events import Warned
from sweep.execution.rungs import cuts
from sweep.execution.study_run import StudyRun
from sweep.execution.trials.known_trials import KnownTrials
from sweep.execution.trials.running_trial import RunningTrial, origin
from sweep.task import Config, RunsPrograms, shortest_with_rungs
from sweep.values import Json, Params, Value


class Claimer:
    """Begins trials."""

    def __init__(self, run: StudyRun, known: KnownTrials) -> None:
        """Initialize for a run; ``known`` proposes new trials."""
        self._run, self._known = run, known
        self.is_full = False
        """Whether the next trial would not end in time."""

    def is_barred(self) -> bool:
        """Return whether a check, such as for changed code, forbids another trial."""
        return self._run.gate.is_shut()

    @property
    def was_barred(self) -> bool:
        """Whether a check has forbidden a trial."""
        return self._run.gate.fault is not None

    def claim_next(self, device: str) -> RunningTrial | None:
        """Claim a new trial; None if the total is reached, time is too short, or a check forbids it."""
        if self._known.are_all_claimed or self.is_full or self.is_barred():
            return None
        proposer = self._known.proposer
        params = proposer.propose()
        self.is_full = not self._run.budget.fits(proposer.work(params))
        if self.is_full:
            return None
        trial = self._claim(params, device)
        proposer.add(params)
        return trial

    def take_over(self, record: TrialRecord, trial_id: int, device: str) -> RunningTrial:
        """Resume an interrupted trial from its last intact segment."""
        segments, state = self._whole_segments(record)
        config = self._config(record.params, record.found, record.seed)
        trial = self._begin(
            *(record.number, trial_id, config, record.params),
            labels=record.labels,
            device=device,
            segments=segments,
        )
        trial.state, trial.found, trial.was_cut = state, record.found, True
        trial.code_changed = self._run.code_changed or record.code_changed
        trial.figures = record.figures
        self._run.checkpoints.drop_segments_after(record.number, trial.step)
        writer = self._run.writer
        with writer.one_transaction():
            writer.reclaim(trial_id, {**origin(self._run.workload, device), **_marks(trial.code_changed)})
            if len(segments) < len(record.segments):
                writer.forget_segments(trial_id)
            writer.store_seal(trial_id, trial.record().seal())
        return trial

    def _claim(self, params: dict[str, Value], device: str) -> RunningTrial:
        """Store a configuration as a running trial, in one write."""
        spec, writer, workload = self._run.spec, self._run.writer, self._run.workload
        number = self._known.proposer.claimed
        self._run.checkpoints.begin(number)
        seed, found = spec.trial_seed(number), spec.trial_found(number)
        config = self._config(params, found, seed)
        retries = self._known.proposer.next_retry
        labels = {**spec.trial_labels(number), **({} if retries is None else {"retries": retries})}
        facts = {**workload.task.facts(config, workload.data), **labels}
        with writer.one_transaction():
            marks = {**origin(workload, device), **_marks(self._run.code_changed)}
            trial_id = writer.claim(params, spec.space, seed, facts, marks)
            if found:
                writer.store_found(trial_id, found)
            trial = self._begin(number, trial_id, config, params, labels=labels, device=device)
            trial.found = found
            writer.store_seal(trial_id, trial.record().seal())
        return trial

    def _begin(
        self,
        number: int,
        trial_id: int,
        config: Config,
        params: dict[str, Value],
        *,
        labels: dict[str, Json],
        device: str,
        segments: Sequence[SegmentRecord] = (),
    ) -> RunningTrial:
        done = segments[-1].step if segments else 0
        shortest = shortest_with_rungs(self._run.workload.task)
        return RunningTrial(
            number=number,
            trial_id=trial_id,
            workload=self._run.workload,
            config=config,
            params=params,
            labels=labels,
            device=device,
            code_changed=self._run.code_changed,
            cuts=[cut for cut in cuts(config.num_steps, shortest) if cut.step > done],
            segments=list(segments),
        )

    def _whole_segments(self, record: TrialRecord) -> tuple[Sequence[SegmentRecord], bytes | None]:
        """Return a trial's segments and the state after the last one; none if the state is lost."""
        if not record.segments:
            return (), None
        last = record.segments[-1]
        state = self._run.checkpoints.read_state(record.number, last.step, last.state_sha256)
        if state is not None:
            return record.segments, state
        text = f"trial {record.number}: the state at step {last.step:,} is lost or damaged"
        same = "seed" if isinstance(self._run.workload.task, RunsPrograms) else "numbers"
        self._run.request.observe(Warned(text=f"{text}; the trial starts again, with the same {same}"))
        return (), None

    def _config(self, params: dict[str, Value], found: Params, seed: int) -> Config:
        values = {**self._run.spec.config_values(params), **found, "seed": seed}
        config: Config = self._run.workload.task.make_config(values)
        return config


def _marks(code_changed: str | None) -> dict[str, str]:
    return {} if code_changed is None else {CODE_CHANGED: code_changed}
