"""Train with a plain Python function: ``trainer = "trainers:train"`` in a study file."""

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.errors import StudyFileError
from sweep.task import GIVEN
from sweep.trainers.function.hosted import Host, HostedFunction, TrialStart
from sweep.trainers.function.probe import Probed, probe
from sweep.trainers.program.definition import PARAMETERS, metric_of, yes_or_no
from sweep.trainers.program.program import Launch, ProgramKind, Startable
from sweep.trainers.program.reports import Ended, Report
from sweep.trainers.program.run_files import RunFiles
from sweep.trainers.program.testing.keys import check_target
from sweep.values import Toml

_LOOK_S = 0.2
"""Seconds between two checks of a silent function."""


def check_function(
    definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], raw: Mapping[str, Toml]
) -> None:
    """Refuse a choice among reports; the function itself is checked before the run, in a separate process."""
    if definition.get("pick") == "best":
        raise StudyFileError(
            'pick = "best" is for commands: the value of a function is what it returns; return its best '
            "value, and remove pick"
        )


def _preflight(
    definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], sources: Sequence[str]
) -> Startable:
    """Return a function's code; refuse one that is missing, fails to import or takes other arguments."""
    here, start = Path(surroundings["here"]), Path(surroundings["start"])
    names = list(definition.get(PARAMETERS, ()))
    target = definition["trainer"]
    found = probe(target, folder=here, cwd=start, sources=sources, hyperparameters=names)
    return startable(found, definition, target)


def startable(found: Probed, definition: Mapping[str, Toml], name: str) -> Startable:
    """Return a function or task class that was found; refuse a task class without a budget."""
    if found.is_task and not definition.get("budget"):
        raise StudyFileError(
            f"trainer {name!r} is a task class, which trains up to a step; budget must name the "
            'hyperparameter that counts the steps, such as budget = "epochs"'
        )
    return Startable(found.code, has_segments=found.is_task)


class FunctionStarter:
    """Starts the trials of one function; see ``hosted.Host``."""

    def __init__(
        self, definition: Mapping[str, Toml], surroundings: Mapping[str, Toml], parcel: bytes = b""
    ) -> None:
        """Initialize from the checked definition, and the packed function if it is in no file."""
        self._definition, self._surroundings, self._parcel = definition, surroundings, parcel
        self._host: Host | None = None

    def start(self, launch: Launch) -> "FunctionProgram":
        """Begin a trial; raises ``MachineError`` if no process can be started."""
        environment = launch.environment()
        if self._host is None:
            self._host = self._new_host(launch, environment)
        files = RunFiles(
            launch.folder,
            secrets=launch.secrets(),
            keeps_checkpoint=launch.definition.get("checkpoint", False),
            earlier=launch.attempt.earlier,
        )
        launch.folder.write_config(launch.config.to_dict())
        if launch.state is not None:
            launch.folder.write_state(launch.state)
        start = TrialStart(
            parameters=launch.config.values,
            searched=launch.definition["searched"],
            seed=launch.config.seed,
            dir=str(launch.folder.path),
            checkpoint=str(launch.folder.checkpoint),
            device="cpu" if launch.device == "cpu" else "cuda:0",  # the first that it can see
            cpus=launch.cpus,
            resumed=launch.attempt.is_resumed,
            until=launch.until,
            environment=environment,
            length=launch.config.num_steps,
            since=launch.since,
        )
        stdout, stderr = files.descriptors
        try:
            hosted = self._host.begin(start, stdout=stdout, stderr=stderr, held=[launch.attempt.lock])
        finally:
            files.begin()
        return FunctionProgram(hosted, files, launch.quiet_s)

    def close(self) -> None:
        """End the process."""
        if self._host is not None:
            self._host.close()
        self._host = None

    def _new_host(self, launch: Launch, environment: Mapping[str, str]) -> Host:
        on_gpu = launch.device != "cpu"
        return Host(
            self._definition[GIVEN if self._parcel else "trainer"],
            metrics=[metric_of(launch.definition).name],
            folder=Path(self._surroundings["here"]),
            cwd=launch.cwd,
            env=environment,
            grace=launch.grace_s,
            fresh=self._surroundings.get("fresh_process", on_gpu),
            parcel=self._parcel,
        )


class FunctionProgram:
    """A running trial of a function and its files; a ``Program``."""

    def __init__(self, hosted: HostedFunction, files: RunFiles, quiet_s: float | None) -> None:
        self._hosted, self._files, self._quiet_s = hosted, files, quiet_s
        self._lock = threading.Lock()
        self._due: list[Report] = []
        self._ended: Ended | None = None

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if none came in time."""
        deadline = time.monotonic() + timeout
        while not self._due and self._ended is None:
            event = self._hosted.next(min(_LOOK_S, max(0.0, deadline - time.monotonic())))
            with self._lock:
                self._take(event)
            if time.monotonic() >= deadline:
                break
        return self._due.pop(0) if self._due else self._ended

    def go_on(self, until: int | None) -> None:
        """Continue the function if it waits at a report."""
        self._files.hear()
        self._hosted.go_on(until)

    def stop(self, *, pruned: bool = False) -> None:
        """End the trial, and its process if it is still running."""
        if self._ended is None:
            self._hosted.stop(pruned=pruned)
            with self._lock:
                self._end(Ended(fault="the trial was stopped"))

    def _take(self, event: Report | Ended | None) -> None:
        if self._ended is not None:
            return
        if isinstance(event, Report):
            self._due += self._files.add(event)
            self._files.look()
        elif event is not None:
            self._end(event)
        elif self._quiet_s is not None and self._files.silent_s > self._quiet_s:
            self._hosted.stop()
            self._end(Ended(fault=f"it printed and reported nothing for {self._quiet_s:g} s"))
        else:
            self._files.look()

    def _end(self, ended: Ended) -> None:
        """Complete the files; a checkpoint is complete unless the process was killed."""
        self._due += self._files.rest()
        process = self._hosted.exit
        self._files.close(was_killed=process is not None and process.code is None)
        self._ended = ended


FUNCTION = ProgramKind(
    name="function",
    defining={"trainer": check_target},
    surrounding={"fresh_process": yes_or_no},
    check=check_function,
    preflight=_preflight,
    starter=FunctionStarter,
)
