"""What a driver knows of all trials of a study, its own and those of other drivers."""

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.execution.study_run import StudyRun
from sweep.execution.trials.kept_checkpoints import kept_checkpoints
from sweep.execution.trials.kept_files import KeptFiles
from sweep.execution.trials.proposer import Proposer


class KnownTrials:
    """The trials so far, for whoever proposes, prunes, and keeps files."""

    def __init__(self, run: StudyRun, study: StudyRecord, *, is_alone: bool) -> None:
        """Learn the stored trials; ``is_alone`` if no other driver may add some."""
        self._run = run
        self.files = KeptFiles(
            run.checkpoints,
            run.spec.keep,
            is_alone=is_alone,
            direction=run.spec.direction,
            programs=kept_checkpoints(run.workload, run.checkpoints),
        )
        self.start_from(study)

    def start_from(self, study: StudyRecord) -> None:
        """Forget what was known, and learn what is stored."""
        self.proposer = Proposer(self._run.spec, self._run.workload, study.trials)
        self.finished = tuple(trial for trial in study.trials if trial.is_finished)
        self.done = len(self.finished)
        self.rungs: dict[int, dict[int, float]] = {}
        """Rung in per cent -> trial -> value there in its loss form, for the pruners."""
        for trial in study.trials:
            self._add_rungs(trial)
        self.files.start_from(study.trials)

    @property
    def total(self) -> int:
        """How many trials there will be; what was begun is finished, though fewer are asked for by now."""
        return max(self._run.spec.total_trials, self.proposer.claimed)

    @property
    def remaining(self) -> int:
        """How many trials have not ended yet."""
        return self.total - self.done

    @property
    def are_all_claimed(self) -> bool:
        """Whether no new trial is asked for."""
        return self.proposer.claimed >= self._run.spec.total_trials

    def reach(self, number: int, percent: int, value: float) -> None:
        """Record a running trial's value at a rung."""
        self._add_rung(number, percent, value)
        self.proposer.report(number, percent, value)

    def learn(self, record: TrialRecord) -> None:
        """Record what became of a trial: its end here, or whatever another driver stored of it."""
        self.proposer.learn(record)
        self._add_rungs(record)
        if record.is_finished:
            self.done += 1
            self.files.close(record.number, record.dev_loss, timed_out=record.state == "timeout")

    def _add_rungs(self, record: TrialRecord) -> None:
        for percent, value in record.rungs.items():
            self._add_rung(record.number, percent, value)

    def _add_rung(self, number: int, percent: int, value: float) -> None:
        self.rungs.setdefault(percent, {})[number] = self._run.spec.as_loss(value)
