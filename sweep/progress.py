"""What does a person see while a sweep runs?

On a terminal a bar at the bottom with the finished trials scrolling above it; elsewhere one
line a trial. Everything goes to stderr, so that stdout holds results only.
"""

import json
import sys
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from sweep.results.printable import printable
from sweep.search.events import Event, RunStarted, SegmentStored, TrialEnded, TrialStarted, Warned
from sweep.search.records import TrialRecord


class RunProgress:
    """Shows the events of a run; enter it before the run and call it with each event."""

    def __init__(self, title: str, *, as_json: bool = False) -> None:
        """Write to stderr, ``title`` first, and to stdout one JSON object a trial where ``as_json``."""
        self._title = title
        self._as_json = as_json
        self._console = Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
            expand=True,
        )
        self._bar = self._progress.add_task("starting", total=None)
        self._best: tuple[float, int] | None = None
        self._running: dict[int, float] = {}
        self._finished = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case RunStarted():
                self._start(event)
            case TrialStarted():
                self._running[event.trial.number] = event.from_step / event.num_steps
                if event.from_step:
                    self._say(f"trial {event.trial.number} goes on from step {event.from_step:,}")
            case SegmentStored():
                self._running[event.trial] = event.step / event.num_steps
            case TrialEnded():
                self._end(event)
            case Warned():
                self._say(f"[yellow]warning:[/] {escape(printable(event.text))}")
        if self._progress.tasks[0].total is not None:
            self._progress.update(self._bar, completed=self._finished + sum(self._running.values()))

    def _start(self, event: RunStarted) -> None:
        self._finished = event.done
        plural = "" if event.workers == 1 else "s"
        for line in (self._title, event.data_facts):
            self._say(escape(printable(line)))
        self._say(
            f"{event.done} of {event.total} trials done; training {event.total - event.done} more on "
            f"{event.workers} worker{plural}, device {event.device}, engine {event.engine}"
        )
        self._progress.update(self._bar, total=event.total, description="starting the workers")

    def _end(self, event: TrialEnded) -> None:
        trial = event.trial
        self._running.pop(trial.number, None)
        self._finished = event.done
        if trial.dev_loss is not None:
            self._best = min(self._best or (trial.dev_loss, trial.number), (trial.dev_loss, trial.number))
        if self._best:
            loss, number = self._best
            self._progress.update(self._bar, description=f"best {loss:.4f} (trial {number})")
        width = len(str(event.total))
        self._say_beside(f"[dim]{event.done:>{width}}/{event.total}[/]  {_outcome(trial)}", _params(trial))
        if self._as_json:
            sys.stdout.write(json.dumps(trial_object(trial)) + "\n")
            sys.stdout.flush()

    def _say(self, markup: str) -> None:
        self._console.print(markup)

    def _say_beside(self, left: str, right: str) -> None:
        """Print one line; where a terminal is too narrow, its right part goes on below itself."""
        if not self._console.is_terminal:
            self._say(f"{left}  {right}")
            return
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column()
        grid.add_row(left, right)
        self._console.print(grid)


def trial_object(trial: TrialRecord) -> dict[str, Any]:
    """Return an ended trial as plain values, for one line of JSON."""
    return {
        "trial": trial.number,
        "state": trial.state,
        "dev_loss": trial.dev_loss,
        "reason": trial.reason,
        "params": trial.params,
        "seed": trial.seed,
        **trial.facts,
        "train_seconds": round(trial.train_seconds, 3),
        "engine": trial.engine,
        "device": trial.device,
    }


def _params(trial: TrialRecord) -> str:
    pairs = " ".join(f"{name}={_value(value)}" for name, value in trial.params.items())
    return f"[dim]{escape(printable(pairs))}[/]"


def _outcome(trial: TrialRecord) -> str:
    outcome = (
        f"[bold]{trial.dev_loss:.4f}[/]" if trial.dev_loss is not None else f"[yellow]{trial.state:>6}[/]"
    )
    return f"trial {trial.number:>3}  {outcome}  {trial.train_seconds:6.1f} s"


def _value(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
