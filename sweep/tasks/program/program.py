"""What a running program is to its trainer, and what it is started with."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sweep.tasks.program.config import ProgramConfig
from sweep.tasks.program.folder import TrialFolder
from sweep.tasks.program.reports import Ended, Report

Check = Callable[[str, Any], Any]
"""Checks the value of a key; raises ``StudyFileError``."""


class Program(Protocol):
    """A program in training: a script, or a function in a process of its own."""

    def next(self, timeout: float) -> Report | Ended | None:
        """Return the next report or the end; None if none came within ``timeout`` seconds."""

    def go_on(self, until: int | None) -> None:
        """Let a function go on that waits at a report; ``until`` is the step at which it waits again."""

    def stop(self) -> None:
        """End the program and all that it started; returns when nothing of it is alive."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a program is started with."""

    definition: Mapping[str, Any]
    surroundings: Mapping[str, Any]
    config: ProgramConfig
    study: str
    trial: int
    folder: TrialFolder
    device: str
    cpus: int
    until: int | None
    """Step at which a function waits for a decision; None: it runs to its end."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProgramKind:
    """A kind of program: what its study file says, and how it is started."""

    name: str
    """One of ``task.PROGRAMS``."""
    defining: Mapping[str, Check]
    """Keys that belong to the study's identity, beside those of every program."""
    surrounding: Mapping[str, Check]
    """Keys that may change from run to run."""
    check: Callable[[Mapping[str, Any], Mapping[str, Any]], None]
    """Refuses a definition, with its surroundings, whose keys do not go together."""
    start: Callable[[Launch], Program]
    """Starts a program; raises ``MachineError`` if it cannot."""
