"""Train with the user's own program: a function or a command.

The program of a trial stays alive in the worker from segment to segment. If its worker has ended, the program
starts again with the same seed. This process never imports the user's code.
"""

import copy
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sweep.code import Code
from sweep.metric import Metric
from sweep.task import AnyTask, Segment, SegmentJob, TrialPlace, program_kind_named
from sweep.trainers.program import data as data_files
from sweep.trainers.program.attempt import begin_attempt
from sweep.trainers.program.code import CodeWatch
from sweep.trainers.program.config import KINDS, ProgramConfig, make_config
from sweep.trainers.program.data import ProgramData
from sweep.trainers.program.definition import (
    DEFINING,
    PARAMETERS,
    SURROUNDING,
    joined_definition,
    limits_of,
    metric_of,
    read_definition,
)
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.kept_checkpoint import LeavesCheckpoints
from sweep.trainers.program.live import LiveTrial, ProgramFailedError, state_of
from sweep.trainers.program.process.environment import check_secrets
from sweep.trainers.program.process.gpus import PlacedProgram
from sweep.trainers.program.process.work_folder import work_folders
from sweep.trainers.program.program import Launch, ProgramKind, Startable, Starter, grace_of
from sweep.trainers.program.testing.tested import TestedProgram, check_test_program
from sweep.values import Params, Toml


def program_of_study(kind: ProgramKind, raw: Mapping[str, Toml], here: Path) -> "ProgramTask":
    """Return the trainer that a study file defines.

    Args:
        kind: The kind of program, function or command.
        raw: The file's values.
        here: The file's folder.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    definition, surroundings = read_definition(raw, here, kind.defining, kind.surrounding)
    kind.check(definition, surroundings, raw)
    check_test_program(definition, surroundings, raw)
    return ProgramTask(kind.name, definition, surroundings)


class ProgramTask(TestedProgram, LeavesCheckpoints, PlacedProgram):
    """The user's own program as a trainer."""

    version = 1
    shown: tuple[str, ...] = ()
    contributions = "sweep.trainers.program.shown.contributions:CONTRIBUTIONS"
    seed_bound = 2**31
    """NumPy, scikit-learn and transformers refuse seeds from 2**32 on, some libraries from 2**31 on."""
    shortest_with_rungs = 2
    """Ten epochs have rungs at 1, 3 and 9."""

    def __init__(self, name: str, definition: Mapping[str, Toml], surroundings: Mapping[str, Toml]) -> None:
        """Initialize from the checked definition and surroundings; nothing is imported or started."""
        self.name, self.definition, self.surroundings = name, definition, surroundings
        self.metric: Metric = metric_of(definition)
        self._kinds: Mapping[str, str] = definition.get(PARAMETERS, {})
        self._budget: str = definition.get("budget", "")
        self.grace_s = grace_of(surroundings)
        self.bounds: Mapping[str, Mapping[str, float]] = definition.get("feasible", {})
        self.work_folders = work_folders(name, surroundings)
        self._starter: Starter | None = None
        self._live: LiveTrial | None = None
        self._left: set[int] = set()
        """Trials that have ended, perhaps while their program was starting."""
        self._watch: CodeWatch | None = None
        self._has_segments = False
        """Whether a segment needs only the state of the one before it; known after ``check_program``."""

    @property
    def study_keys(self) -> frozenset[str]:
        """Keys of a study file that define the trainer."""
        kind = program_kind_named(self.name)
        return frozenset({*DEFINING, *SURROUNDING, *kind.defining, *kind.surrounding})

    def field_types(self) -> dict[str, type]:
        """Return the study's hyperparameters, with their types."""
        return {name: KINDS[kind] for name, kind in self._kinds.items()}

    def make_config(self, values: Params) -> ProgramConfig:
        """Build a configuration; raises ``ConfigError``."""
        return make_config(values, self._kinds, self._budget)

    def check_data_section(self, section: Mapping[str, Toml]) -> dict[str, Toml]:
        """Validate ``[data]``; raises ``DataError``."""
        return data_files.check_section(section)

    def load_data(self, section: Mapping[str, Toml]) -> ProgramData:
        """Hash the files that ``[data]`` names; raises ``DataError``."""
        return data_files.read_data(section, self.surroundings.get("start", "."))

    def check_program(self, section: Mapping[str, Toml]) -> Code:
        """Return the program's code; refuse a program that cannot start here."""
        check_secrets(self.surroundings.get("secrets", ()), os.environ)
        if self._watch is None or self._watch.changes():
            sources = section.get("sources", ())
            code, self._has_segments = self.preflight(sources)
            self._watch = CodeWatch(code, Path(self.surroundings["here"]), sources)
        return self._watch.code

    def joined(self, other: AnyTask) -> "ProgramTask":
        """Return the trainer with the hyperparameters of two studies; raises ``ConfigError``."""
        assert isinstance(other, ProgramTask), "both have the same kind of trainer"
        return ProgramTask(
            self.name, joined_definition(self.definition, other.definition), other.surroundings
        )

    def preflight(self, sources: Sequence[str]) -> Startable:
        """Return a program that can start here; ``sources`` are globs of further files."""
        kind: ProgramKind = program_kind_named(self.name)
        return kind.preflight(self.definition, self.surroundings, sources)

    def new_starter(self) -> Starter:
        """Return a starter for the program's trials."""
        kind: ProgramKind = program_kind_named(self.name)
        return kind.starter(self.definition, self.surroundings)

    @property
    def budget(self) -> str:
        """Name of the hyperparameter that is a trial's length; empty if there is none."""
        return self._budget

    @property
    def reuses_process(self) -> bool:
        """Whether one process runs several trials on a CPU, one after another."""
        return self.name != "command" and not self.surroundings.get("fresh_process", False)

    def limits(self) -> list[str]:
        """Return the missing capabilities of the program, each with its consequence."""
        unknown = self._watch is not None and not self._watch.code.files
        more = ["no source file is known: name them in [data] sources, or changes are not detected"]
        resumes = {"checkpoint": True} if self._has_segments else {}
        return [*limits_of({**self.definition, **resumes}), *(more if unknown else ())]

    def is_named(self, name: str) -> bool:
        """Return whether a known source file contains the name of a hyperparameter."""
        return self._watch is not None and self._watch.names(name)

    def program_changes(self) -> list[str]:
        """Return the names of files that have changed since ``check_program``."""
        return [] if self._watch is None else self._watch.changes()

    def facts(self, config: ProgramConfig, data: ProgramData) -> dict[str, int]:
        """Return no facts, because the size of a program's run is unknown."""
        return {}

    def work(self, config: ProgramConfig, data: ProgramData) -> float:
        """Return the run's length, 1 without a budget."""
        return float(config.num_steps)

    def train_segment(
        self,
        config: ProgramConfig,
        data: ProgramData,
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        """Run the program from the start until a step, in a temporary folder, and end it."""
        job = SegmentJob(trial=0, config=config, state=state, until_step=until_step, averaged=averaged)
        with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
            try:
                return self.train_live(
                    config, data, job, TrialPlace(study="", folder=folder), device=device, report=_ignore
                )
            finally:
                self.leave_all()

    def train_in(
        self, folder: Path, config: ProgramConfig, data: ProgramData, *, study: str, device: str
    ) -> Segment:
        """Run the program from start to end in a trial's folder, and keep the folder."""
        job = SegmentJob(trial=0, config=config, state=None, until_step=config.num_steps)
        place = TrialPlace(study=study, folder=str(folder.absolute()), is_of_trial=True)
        try:
            return self.train_live(config, data, job, place, device=device, report=_ignore)
        finally:
            self.leave_all()

    def train_live(
        self,
        config: ProgramConfig,
        data: ProgramData,
        job: SegmentJob,
        place: TrialPlace,
        *,
        device: str,
        report: Callable[[int, float], None],
    ) -> Segment:
        """Continue the trial's program until the job's step; start the program if it is not running."""
        is_end = job.until_step >= config.num_steps
        until = None if is_end else job.until_step
        live = self._live
        if live is not None and live.trial == job.number:
            live.program.go_on(until)
        else:
            self._drop()
            live = self._live = self._start(config, job, place, device, until)
        try:
            if job.number in self._left:
                raise ProgramFailedError("the trial has ended")
            segment = live.train(
                job.from_step, job.until_step, is_end=is_end, is_pruned=job.averaged, report=report
            )
        except BaseException:
            self._drop()
            raise
        if is_end:
            self._drop()
        return segment

    def in_one_piece(self) -> "ProgramTask":
        """Return the same trainer without rungs, unless it is a task class: each trial is one segment."""
        if self._has_segments:
            return self
        other = copy.copy(self)
        other.shortest_with_rungs = sys.maxsize
        return other

    def leave(self, trial: int) -> None:
        """End the program of a trial, if it runs here; another thread may be waiting for it."""
        self._left.add(trial)
        if self._live is not None and self._live.trial == trial:
            self._drop(pruned=True)

    def leave_all(self) -> None:
        """End the running program, and the process kept for the next one."""
        self._drop()
        starter, self._starter = self._starter, None
        if starter is not None:
            starter.close()

    def _drop(self, *, pruned: bool = False) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.close(pruned=pruned)

    def _start(
        self, config: ProgramConfig, job: SegmentJob, place: TrialPlace, device: str, until: int | None
    ) -> LiveTrial:
        folder = TrialFolder(place.trial_folder(job.number))
        state = state_of(job.state)
        since = 0 if state is None else job.from_step
        attempt = begin_attempt(
            folder,
            is_first=job.is_first,
            since=since,
            keeps_checkpoint=self.definition.get("checkpoint", False),
            grace_s=self.grace_s,
        )
        launch = Launch(
            definition=self.definition,
            surroundings=self.surroundings,
            config=config,
            study=place.study,
            trial=job.number,
            folder=folder,
            device=device,
            cpus=place.cpus,
            until=until,
            attempt=attempt,
            state=state,
            since=since,
            deadline=job.deadline(time.time()),
        )
        try:
            if self._starter is None:
                self._starter = self.new_starter()
            program = self._starter.start(launch)
        except BaseException:
            os.close(attempt.lock)
            raise
        return LiveTrial(program, launch, self.metric, bounded=tuple(self.bounds))


def _ignore(step: int, value: float) -> None:
    """Ignore a report."""
