"""Define the interface of a running program, its starter and its input."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sweep.code import Code
from sweep.trainers.program.attempt import Attempt
from sweep.trainers.program.config import ProgramConfig
from sweep.trainers.program.folder import TrialFolder
from sweep.trainers.program.process.environment import child_environment
from sweep.trainers.program.reports import Ended, Report
from sweep.values import Toml

Check = Callable[[str, Toml], Toml]
"""Checks the value of a key; raises ``StudyFileError``."""

DEFAULT_GRACE_S = 10.0
"""Seconds between the request to exit and the kill."""


def grace_of(surroundings: Mapping[str, Toml]) -> float:
    """Return the seconds that a program has to exit by itself."""
    return float(surroundings.get("grace", DEFAULT_GRACE_S))


class Program(Protocol):
    """A running program: a script, or a function in a separate process."""

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if none came within ``timeout`` seconds."""

    def go_on(self, until: int | None) -> None:
        """Continue a function that waits at a report; ``until`` is the step at which it waits again."""

    def stop(self, *, pruned: bool = False) -> None:
        """End the program and its descendants; returns when all have ended.

        In a function that waits at a report, ``sweep.Pruned`` or ``sweep.Stopped`` is raised.
        """


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """The input of a program."""

    definition: Mapping[str, Toml]
    surroundings: Mapping[str, Toml]
    config: ProgramConfig
    study: str
    trial: int
    folder: TrialFolder
    device: str
    cpus: int
    until: int | None
    """Step at which a function waits for a decision; None means that it runs to its end."""
    attempt: Attempt
    """The state of the trial's folder."""
    state: bytes | None = None
    """The state from which a task class resumes; None starts from the beginning."""
    since: int = 0
    """The step of ``state``."""
    deadline: float | None = None
    """Time at which a running program is ended, in seconds since 1970; None for never."""

    @property
    def start(self) -> Path:
        """The folder in which the study was started."""
        return Path(self.surroundings["start"])

    @property
    def here(self) -> Path:
        """The study file's folder."""
        return Path(self.surroundings["here"])

    @property
    def cwd(self) -> Path:
        """The program's working folder."""
        asked = self.surroundings.get("cwd", ".").replace("{dir}", str(self.folder.path))
        return self.start.joinpath(asked.replace("{here}", str(self.here)))

    @property
    def grace_s(self) -> float:
        """Seconds that the program has to exit by itself."""
        return grace_of(self.surroundings)

    @property
    def quiet_s(self) -> float | None:
        """Seconds of silence that count as a hang; None for never."""
        return self.surroundings.get("quiet")

    def environment(self) -> dict[str, str]:
        """Return the program's environment; see ``child_environment`` for the errors."""
        return child_environment(
            os.environ,
            study=self.study,
            trial=self.trial,
            seed=self.config.seed,
            dir=self.folder.path,
            checkpoint=self.folder.checkpoint,
            report=self.folder.reported,
            config=self.folder.config,
            resumed=self.attempt.is_resumed,
            deadline=self.deadline,
            device=self.device,
            cpus=self.cpus,
            env=self.surroundings.get("env", {}),
            secrets=self.surroundings.get("secrets", ()),
        )

    def shown_environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that the user's environment lacks, without secrets."""
        secret = self.surroundings.get("secrets", ())
        return {
            name: value
            for name, value in environment.items()
            if os.environ.get(name) != value and name not in secret
        }

    def secrets(self) -> list[str]:
        """Return the values to mask in stored output."""
        return [os.environ[name] for name in self.surroundings.get("secrets", ()) if name in os.environ]


class Starter(Protocol):
    """Starts the programs of one study, one after another."""

    def start(self, launch: Launch) -> Program:
        """Start a program; raises ``SweepError`` if it cannot."""

    def close(self) -> None:
        """End the process that is kept between programs."""


class Startable(NamedTuple):
    """A program that can be started on this machine."""

    code: Code
    has_segments: bool = False
    """Whether a segment needs only the state of the one before it, so that it can run in any process."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProgramKind:
    """A kind of program: the keys of its study file, and how it is started."""

    name: str
    """One of ``task.PROGRAMS``."""
    defining: Mapping[str, Check]
    """Keys that belong to the study's identity, in addition to those of every program."""
    surrounding: Mapping[str, Check]
    """Keys that may change from run to run."""
    check: Callable[[Mapping[str, Toml], Mapping[str, Toml], Mapping[str, Toml]], None]
    """Refuses a definition, with its surroundings and the file's values, if its keys are inconsistent."""
    preflight: Callable[[Mapping[str, Toml], Mapping[str, Toml], Sequence[str]], Startable]
    """Returns a program with its code and the files that globs add; refuses one that cannot start here."""
    starter: Callable[[Mapping[str, Toml], Mapping[str, Toml]], Starter]
    """Returns the starter for a definition and its surroundings."""
