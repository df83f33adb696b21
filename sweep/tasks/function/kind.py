"""A plain Python function as a trainer: ``trainer = "trainers:train"`` in a study file."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.tasks.function.hosted import Host, HostedFunction, TrialStart
from sweep.tasks.function.probe import probe
from sweep.tasks.program.definition import yes_or_no
from sweep.tasks.program.program import Launch, ProgramKind
from sweep.tasks.program.reports import Ended, Report
from sweep.tasks.program.run_files import RunFiles
from sweep.tasks.program.testing.keys import check_target


def _check(definition: Mapping[str, Any], surroundings: Mapping[str, Any], raw: Mapping[str, Any]) -> None:
    """Refuse nothing more: whether the function exists is found out before the run, in its own process."""


def _preflight(definition: Mapping[str, Any], surroundings: Mapping[str, Any]) -> None:
    """Refuse a function that does not exist, cannot be imported or takes other arguments."""
    probe(definition["trainer"], folder=Path(surroundings["here"]), cwd=Path(surroundings["start"]))


class FunctionStarter:
    """Starts a function's trials in one process as long as it is as good as new."""

    def __init__(self, definition: Mapping[str, Any], surroundings: Mapping[str, Any]) -> None:
        """Take what the study says of the function; nothing is started."""
        self._definition, self._surroundings = definition, surroundings
        self._host: Host | None = None

    def start(self, launch: Launch) -> "FunctionProgram":
        """Begin a trial; raises ``MachineError``."""
        environment = launch.environment()
        if self._host is None:
            self._host = self._new_host(launch, environment)
        files = RunFiles(
            launch.folder,
            secrets=launch.secrets(),
            keeps_checkpoint=launch.definition.get("checkpoint", False),
        )
        launch.folder.write_config(launch.config.to_dict())
        start = TrialStart(
            parameters=launch.config.values,
            searched=launch.definition["searched"],
            seed=launch.config.seed,
            dir=str(launch.folder.path),
            checkpoint=str(launch.folder.checkpoint),
            device=launch.device,
            cpus=launch.cpus,
            resumed=launch.resumed,
            until=launch.until,
            environment=environment,
        )
        stdout, stderr = files.descriptors
        try:
            hosted = self._host.begin(start, stdout=stdout, stderr=stderr)
        finally:
            files.begin()
        return FunctionProgram(hosted, files)

    def close(self) -> None:
        """End the process."""
        if self._host is not None:
            self._host.close()
        self._host = None

    def _new_host(self, launch: Launch, environment: Mapping[str, str]) -> Host:
        on_gpu = launch.device != "cpu"
        return Host(
            self._definition["trainer"],
            metrics=[launch.definition["metric"]],
            folder=Path(self._surroundings["here"]),
            cwd=launch.cwd,
            env=environment,
            grace=launch.grace_s,
            fresh=self._surroundings.get("fresh_process", on_gpu),
        )


class FunctionProgram:
    """A function's trial, its files kept; a ``Program``."""

    def __init__(self, hosted: HostedFunction, files: RunFiles) -> None:
        self._hosted, self._files = hosted, files
        self._lock = threading.Lock()

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if none came in time."""
        event = self._hosted.next(timeout)
        if isinstance(event, Report):
            self._files.add(event)
        elif isinstance(event, Ended):
            self._close(was_killed=False)
        return event

    def go_on(self, until: int | None) -> None:
        """Let the function go on if it waits at a report."""
        self._hosted.go_on(until)

    def stop(self) -> None:
        """End the trial, and its process if it still runs."""
        self._hosted.stop()
        self._close(was_killed=True)

    def _close(self, *, was_killed: bool) -> None:
        with self._lock:
            self._files.close(was_killed=was_killed)


FUNCTION = ProgramKind(
    name="function",
    defining={"trainer": check_target},
    surrounding={"fresh_process": yes_or_no},
    check=_check,
    preflight=_preflight,
    starter=FunctionStarter,
)
