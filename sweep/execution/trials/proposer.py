"""Propose configurations with a sampler that learns from a mirror of the study.

Every trial of a study is added once, in the order of the numbers, whichever driver trains it.
"""

from collections.abc import Callable, Iterable

from optuna.samplers import BaseSampler

from sweep.definition.records import TrialRecord
from sweep.definition.registries import SAMPLERS
from sweep.definition.spec import StudySpec
from sweep.execution.workload import Workload
from sweep.samplers.learned_work import learned_work
from sweep.samplers.make_samplers import fixed_point
from sweep.samplers.mirror import Mirror
from sweep.task import RunsPrograms, loss_ceiling
from sweep.values import Params, Value


class Proposer:
    """Proposes the next configuration from all trials so far."""

    def __init__(self, spec: StudySpec, workload: Workload, trials: Iterable[TrialRecord]) -> None:
        """Start from the stored trials, in the order of their numbers."""
        self._spec, self._workload = spec, workload
        trials = tuple(trials)
        self._params: list[dict[str, Value]] = []
        self._own: list[dict[str, Value]] = []
        """Those of ``_params`` that are no retries: proposals, and their replicates."""
        self._retried: set[int] = set()
        """Failed trials that others train again."""
        for trial in trials:
            self._count(trial.params, trial.retries)
        self._seconds: dict[int, float] = {}
        """Number of a complete trial -> its seconds of training."""
        for trial in trials:
            self._time(trial)
        ceiling = loss_ceiling(workload.task, workload.data)
        self._mirror = Mirror(spec.space, ceiling, trials, spec.cost, spec.direction)

    @property
    def claimed(self) -> int:
        """Number of trials, which is the number of the next one."""
        return len(self._params)

    @property
    def wanted(self) -> int:
        """Number of trials after which a run ends: the study's own, and the retries."""
        return self._spec.total_trials + len(self._retried | self._spec.retried.keys())

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to propose."""
        return len(self._own) >= self._spec.total_trials and self.next_retry is None

    @property
    def next_retry(self) -> int | None:
        """The failed trial that the next one trains again; None if the study's own trials go on."""
        if len(self._own) < self._spec.total_trials:
            return None
        return next((number for number in self._spec.retried if number not in self._retried), None)

    def propose(self) -> dict[str, Value]:
        """Return the next trial's searched hyperparameters; ``add`` them before the next call."""
        return self._mirror.ask(self.claimed, self._sampler())

    def add(self, params: dict[str, Value]) -> None:
        """Count a proposal as a trial once it is stored."""
        self._count(params, self.next_retry)

    def _count(self, params: dict[str, Value], retries: int | None) -> None:
        self._params.append(params)
        if retries is None:
            self._own.append(params)
        else:
            self._retried.add(retries)

    def report(self, number: int, percent: int, loss: float) -> None:
        """Record a trial's loss at a rung."""
        self._mirror.report(number, percent, loss)

    def learn(self, record: TrialRecord) -> None:
        """Record a trial's state; the next number is a new trial of another driver."""
        self._time(record)
        if record.number == self.claimed:
            self._count(record.params, record.retries)
            self._mirror.add(record)
        else:
            self._mirror.follow(record)

    def work(self, params: Params) -> float:
        """Return the work of a trial with these searched hyperparameters, in the task's unit."""
        task = self._workload.task
        return task.work(task.make_config(self._spec.config_values(params)), self._workload.data)

    def _time(self, record: TrialRecord) -> None:
        if record.state == "complete":
            self._seconds[record.number] = record.train_seconds

    def _expected_work(self) -> Callable[[Params], float]:
        """Return the work by which a sampler weighs configurations; for programs it is learned."""
        if not isinstance(self._workload.task, RunsPrograms):
            return self.work
        timed = [(self._params[number], self._seconds[number]) for number in sorted(self._seconds)]
        return learned_work(self._spec.space, timed, self.work)

    def _sampler(self) -> BaseSampler:
        """Return the sampler of the next trial: for a given configuration, or the study's own."""
        spec = self._spec
        if (failed := self.next_retry) is not None:
            return fixed_point(spec.retried[failed])
        configuration, replicate = divmod(len(self._own), spec.replicates)
        if replicate:
            return fixed_point(self._own[-replicate])
        if configuration < len(spec.listed):
            return fixed_point(spec.listed[configuration])
        proposal = configuration - len(spec.listed)
        work = self._expected_work()
        sampler: BaseSampler = SAMPLERS[spec.sampler](spec.space, spec.seed, proposal, work)
        return sampler
