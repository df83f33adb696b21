"""Test a program before its study is run: whether it is reproducible and uses its parameters.

The test trains a few short trials, stores nothing, and yields each finding at once. The trials' folders are
temporary, but the program runs in the study's working folder, where it may change files of the user.
"""

import contextlib
import dataclasses
import itertools
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from sweep.definition.dimension import Choices, Range
from sweep.definition.spec import StudySpec
from sweep.errors import SweepError
from sweep.execution.planning.written_files import WrittenFiles
from sweep.samplers.make_samplers import qmc_point
from sweep.task import AnyTask, Config, Data, RunsPrograms, SegmentJob, TrialPlace, TriedOut
from sweep.values import Params, Value

LIMIT_S = 600.0
"""Longest time of a training if the study has no ``trial_timeout``, in seconds."""


class TooSlowError(SweepError):
    """A training reached its time limit."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One finding, as a line."""

    text: str
    is_failure: bool = False
    """Whether the program failed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a training; equal results are bitwise equal."""

    value: float
    reports: tuple[tuple[int, float], ...]

    def __str__(self) -> str:
        return repr(self.value)


class ProgramCheck:
    """Tests the program of one study."""

    def __init__(self, task: AnyTask, spec: StudySpec, data: Data, device: str) -> None:
        """Initialize with a trainer that is ``RunsPrograms`` and ``TriedOut``."""
        self._make_config = task.make_config
        assert isinstance(task, RunsPrograms), "only programs are tested"
        assert isinstance(task, TriedOut), "only programs are tested"
        self._task, self._spec, self._data, self._device = task, spec, data, device
        self._limit = spec.trial_timeout or LIMIT_S
        self._budget: dict[str, Value] = self._shortest()
        self._is_repeatable = True

    @property
    def cost(self) -> str:
        """The largest number of trainings and their time limit, as text."""
        ends = sum(len(_ends(dimension)) for dimension in self._ended().values())
        count = 4 + 3 * self._task.reuses_process + ends
        short = "".join(f" with {name} = {value}" for name, value in self._budget.items())
        source = "trial_timeout" if self._spec.trial_timeout else "trial_timeout is not set"
        return (
            f"trains up to {count} short trials{short}, one after another, each for at most "
            f"{self._limit:g} s ({source})"
        )

    @property
    def risk(self) -> str:
        """What the program may do to files outside the temporary folders, as text."""
        folder = self._task.work_folders.runs_in
        if folder is None:
            return "the program runs in a temporary folder for each trial"
        return (
            f"the program runs in {folder}: a file that it writes there by a relative name stays, and "
            "replaces yours of that name"
        )

    def run(self) -> Iterator[Found]:
        """Train, and yield the findings; the program is ended in any case.

        Raises:
            SweepError: If the first training fails, with the program's reason, after what it changed.
        """
        with tempfile.TemporaryDirectory(prefix="sweep-check-") as folder:
            self._place = TrialPlace(study=self._spec.name, folder=folder)
            self._numbers = itertools.count()
            try:
                written = WrittenFiles(self._task.work_folders.written, besides=folder)
                try:
                    first = self._first()
                finally:
                    first_wrote = written.new()
                    yield from self._changed(first_wrote & written.first)
                yield from self._repeated(first)
                second_wrote = written.new()
                yield from self._shared((first_wrote & second_wrote) - written.first)
                yield from self._seeds(first)
                if self._task.reuses_process:
                    yield from self._in_turn(first)
                yield from self._parameters()
                yield from self._changed(((second_wrote | written.new()) & written.first) - first_wrote)
            finally:
                self._task.leave_all()

    def _first(self) -> Outcome:
        """Train the first configuration, with the study's length if the shortest is too short."""
        try:
            return self._train(self._point(0), 0)
        except TooSlowError:
            raise
        except SweepError:
            if not self._budget:
                raise
        self._budget = {}
        return self._train(self._point(0), 0)

    def _repeated(self, first: Outcome) -> Iterator[Found]:
        again = self._train(self._point(0), 0)
        self._is_repeatable = again == first
        if self._is_repeatable:
            yield Found(f"reproducible: one seed gave {first} twice")
        else:
            yield Found(f"not reproducible: one seed gave {first}, then {again}")

    def _seeds(self, first: Outcome) -> Iterator[Found]:
        others = (self._train(self._point(0), number) for number in (1, 2))
        if any(other != first for other in others):
            yield Found(
                "the seed has an effect" if self._is_repeatable else "the effect of the seed is unknown"
            )
        else:
            yield Found(f"the seed made no difference: three seeds gave {first}; does the program use it?")

    def _in_turn(self, first: Outcome) -> Iterator[Found]:
        """Train A, B and A in one process."""
        try:
            for point in (0, 1):
                self._train(self._point(point), 0, in_turn=True)
            last = self._train(self._point(0), 0, in_turn=True)
        except SweepError as error:
            yield Found(f"trials in one process: {error}", is_failure=True)
            return
        if self._is_repeatable and last != first:
            yield Found(
                f"a trial depends on earlier trials in its process: {first} at first, {last} after another; "
                "set fresh_process = true"
            )

    def _parameters(self) -> Iterator[Found]:
        for name, dimension in self._ended().items():
            outcomes = []
            for value in _ends(dimension):
                try:
                    outcomes.append(self._train(self._with(name, value), 0))
                except SweepError as error:
                    yield Found(f"{name} = {value!r}: {error}", is_failure=True)
            if len(outcomes) > 1 and outcomes[0] == outcomes[1]:
                unread = "" if self._task.is_named(name) else " no source file names it;"
                yield Found(f"{name} made no difference:{unread} does the script read it?")

    def _ended(self) -> dict[str, Value]:
        """Return the hyperparameters whose ends are compared: all except the trial's length."""
        return {name: dim for name, dim in self._spec.space.items() if name != self._task.budget}

    def _shortest(self) -> dict[str, Value]:
        budget = self._task.budget
        if not budget:
            return {}
        dimension = self._spec.space.get(budget, Range(1, 1))
        return {budget: min(dimension.choices) if isinstance(dimension, Choices) else dimension.low}

    def _point(self, number: int) -> dict[str, Value]:
        if number < len(self._spec.listed):
            return dict(self._spec.listed[number])
        return self._spec.space.active_part(qmc_point(self._spec.space, 0, number))

    def _with(self, name: str, value: Value) -> dict[str, Value]:
        """Return a configuration in which a hyperparameter is active and has the given value."""
        space = self._spec.space
        point = {**{each: dimension.value_at(0.5) for each, dimension in space.items()}, name: value}
        todo = [name]
        while todo:
            for other, values in space.conditions.get(todo.pop(), {}).items():
                point[other] = values[0]
                todo.append(other)
        return space.active_part(point)

    def _train(self, params: Params, seed: int, *, in_turn: bool = False) -> Outcome:
        """Train one configuration, in a new process unless ``in_turn``."""
        values = {**self._spec.config_values(params), **self._budget, "seed": self._spec.trial_seed(seed)}
        config: Config = self._make_config(values)
        number = next(self._numbers)
        job = SegmentJob(trial=number, number=number, config=config, state=None, until_step=config.num_steps)
        if not in_turn:
            self._task.leave_all()
        with self._time_limit(number):
            segment = self._task.train_live(
                config, self._data, job, self._place, device=self._device, report=lambda step, value: None
            )
        steps = segment.steps_from(0).tolist()
        return Outcome(segment.dev_loss, tuple(zip(steps, segment.losses.tolist(), strict=True)))

    @contextlib.contextmanager
    def _time_limit(self, number: int) -> Iterator[None]:
        """End the program of a trial after the limit, and raise ``TooSlowError`` then."""
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            self._task.leave(number)

        timer = threading.Timer(self._limit, end)
        timer.start()
        try:
            yield
        except SweepError as error:
            if not is_over.is_set():
                raise
            remedy = "" if self._spec.trial_timeout else "; set trial_timeout in the study file to allow more"
            raise TooSlowError(f"the trial did not end within {self._limit:g} s{remedy}") from error
        finally:
            timer.cancel()
            timer.join()

    def _changed(self, names: set[str]) -> Iterator[Found]:
        for name in sorted(names):
            yield Found(
                f"{name}: this file was there before and has changed during the check; if the program writes "
                f"it, so does each trial: {self._task.work_folders.advice}"
            )

    def _shared(self, names: set[str]) -> Iterator[Found]:
        for name in sorted(names):
            yield Found(
                f"{name}: each trial writes this file outside its folder, so trials overwrite it: "
                f"{self._task.work_folders.advice}"
            )


def _ends(dimension: Any) -> list[Any]:
    """Return both ends of a range, or the first and the last choice; one value if they are equal."""
    ends = dimension.choices if isinstance(dimension, Choices) else (dimension.low, dimension.high)
    return [ends[0]] if ends[0] == ends[-1] else [ends[0], ends[-1]]
