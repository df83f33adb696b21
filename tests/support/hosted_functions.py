"""Runs functions of a module that a test writes, in a host, and returns what became of them."""

import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweep.trainers.function.hosted import Host, HostedFunction, TrialStart
from sweep.trainers.function.segments import STATE
from sweep.trainers.program.reports import Ended, Report

PATIENCE_S = 60.0
"""For an event that must come, on a machine that is busy."""


@dataclass
class Outcome:
    """A trial that has ended: its reports and its output."""

    end: Ended
    reports: list[Report] = field(default_factory=list)
    stdout: str = ""
    stderr: str = ""

    @property
    def fault(self) -> str:
        """The fault, which there must be."""
        assert self.end.fault is not None, self.end
        assert self.end.values is None
        assert "\n" not in self.end.fault
        return self.end.fault

    @property
    def steps(self) -> list[int | None]:
        """The steps that were reported."""
        return [report.step for report in self.reports]


class Functions:
    """A study's folder with the user's files, and a host for their functions."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cwd = folder / "study", folder / "start"
        self.folder.mkdir()
        self.cwd.mkdir()
        self._outputs = folder
        self._number = 0

    def write(self, source: str, name: str = "trainers.py") -> Path:
        """Write a file of the user's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), "utf-8")
        return path

    @contextmanager
    def host(self, target: str = "trainers:train", **changes: Any) -> Iterator[Host]:
        """A host that is closed at the end."""
        settings: dict[str, Any] = {"metrics": ["accuracy"], "grace": 5.0, **changes}
        host = Host(target, folder=self.folder, cwd=self.cwd, **settings)
        try:
            yield host
        finally:
            host.close()

    def begin(
        self, host: Host, *, until: int | None = None, state: bytes = b"", **changes: Any
    ) -> tuple[HostedFunction, Path]:
        """Begin a trial; return it and the folder that its output goes to."""
        self._number += 1
        folder = self._outputs / f"trial-{self._number}"
        folder.mkdir()
        (folder / STATE).write_bytes(state)
        outputs = {name: os.open(folder / name, os.O_WRONLY | os.O_CREAT) for name in ("stdout", "stderr")}
        settings: dict[str, Any] = {"parameters": {"lr": 0.1}, "searched": ["lr"], "seed": 7, **changes}
        start = TrialStart(dir=str(folder), checkpoint=str(folder / "checkpoint"), until=until, **settings)
        try:
            return host.begin(start, **outputs), folder
        finally:
            for output in outputs.values():
                os.close(output)

    def train(
        self, host: Host, *, decide: Callable[[HostedFunction, Report], None] | None = None, **changes: Any
    ) -> Outcome:
        """Run a trial to its end; ``decide`` is asked whenever it waits, and lets it continue by default."""
        program, folder = self.begin(host, **changes)
        reports: list[Report] = []
        while isinstance(event := next_event(program), Report):
            reports.append(event)
            if program.is_waiting:
                (decide or (lambda waiting, _: waiting.go_on()))(program, event)
        texts = [(folder / name).read_text("utf-8", "replace") for name in ("stdout", "stderr")]
        return Outcome(event, reports, *texts)

    def run(self, source: str, *, target: str = "trainers:train", **changes: Any) -> Outcome:
        """Write ``trainers.py`` and run one trial of it."""
        self.write(source)
        with self.host(target) as host:
            return self.train(host, **changes)


def next_event(program: HostedFunction) -> Report | Ended:
    """Return the next event, which must come."""
    event = program.next(PATIENCE_S)
    assert event is not None, "no event came"
    return event


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    if not sys.platform.startswith("linux"):
        return []
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []
