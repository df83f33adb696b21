"""Track all trials of a study, a driver's own and those of other drivers."""

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.execution.study_run import StudyRun
from sweep.execution.trials.equal_failures import EqualFailures
from sweep.execution.trials.kept_checkpoints import kept_checkpoints
from sweep.execution.trials.kept_files import KeptFiles
from sweep.execution.trials.proposer import Proposer
from sweep.task import RunsPrograms


class KnownTrials:
    """The trials so far, for the sampler, the pruner and the kept files."""

    def __init__(self, run: StudyRun, study: StudyRecord, *, is_alone: bool) -> None:
        """Start from the stored trials; ``is_alone`` if no other driver may add trials."""
        self._run = run
        self.files = KeptFiles(
            run.checkpoints,
            run.spec.keep,
            is_alone=is_alone,
            direction=run.spec.direction,
            programs=kept_checkpoints(run.workload, run.checkpoints),
        )
        self._failures = EqualFailures(run.spec.name, study.trials)
        if isinstance(run.workload.task, RunsPrograms):
            run.gate.add(self._failures)
        self.start_from(study)

    def start_from(self, study: StudyRecord) -> None:
        """Reset to the stored trials."""
        self.proposer = Proposer(self._run.spec, self._run.workload, study.trials)
        self.finished = tuple(trial for trial in study.trials if trial.is_finished)
        self.done = len(self.finished)
        self.rungs: dict[int, dict[int, float]] = {}
        """Rung in per cent -> trial -> value as a loss, for the pruners."""
        for trial in study.trials:
            self._add_rungs(trial)
        self.files.start_from(study.trials)

    @property
    def total(self) -> int:
        """Total number of trials; begun trials are finished even if the study now asks for fewer."""
        return max(self.proposer.wanted, self.proposer.claimed)

    @property
    def remaining(self) -> int:
        """Number of trials that have not ended."""
        return self.total - self.done

    @property
    def are_all_claimed(self) -> bool:
        """Whether no new trial is left to claim."""
        return self.proposer.is_done

    def reach(self, number: int, percent: int, value: float) -> None:
        """Record a running trial's value at a rung."""
        self._add_rung(number, percent, value)
        self.proposer.report(number, percent, value)

    def learn(self, record: TrialRecord) -> None:
        """Record a trial's end here, or the state that another driver stored."""
        self.proposer.learn(record)
        self._failures.learn(record)
        self._add_rungs(record)
        if record.is_finished:
            self.done += 1
            self.files.close(record.number, record.dev_loss, timed_out=record.state == "timeout")

    def _add_rungs(self, record: TrialRecord) -> None:
        for percent, value in record.rungs.items():
            self._add_rung(record.number, percent, value)

    def _add_rung(self, number: int, percent: int, value: float) -> None:
        self.rungs.setdefault(percent, {})[number] = self._run.spec.as_loss(value)
