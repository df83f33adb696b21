"""Show the progress of a run.

On a terminal, stderr shows a live view; elsewhere it gets one line for each trial. With ``--json``, stdout
gets an object for each trial; otherwise it gets only results. To add a view, write a class that takes events,
and name it in ``choose_views``.
"""

import contextlib
import sys
from collections.abc import Sequence
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape

from sweep.cli.live import LiveView
from sweep.definition.records import CODE_CHANGED, TrialRecord
from sweep.execution.events import Event, RunStarted, TrialEnded, TrialStarted, Warned
from sweep.metric import Metric
from sweep.reporting.json_text import json_text
from sweep.reporting.printable import printable
from sweep.values import Json, Value


class View(Protocol):
    """Shows the events of a run; entered before the run, left after it."""

    def introduce(self) -> None:
        """Show at once what will be run; nothing is read or loaded yet."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def leave_at_once(self) -> None:
        """Give the terminal back before the process ends without leaving; called by a signal."""


class _Console(Console):
    """Rich's console, which would end the process where nobody reads it."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        raise BrokenPipeError


def choose_views(title: str, metric: Metric, *, as_json: bool, order: Sequence[str] = ()) -> list[View]:
    """Return the views that suit where stderr and stdout go."""
    console = _Console(file=sys.stderr, highlight=False)
    has_window = console.is_interactive and sys.stderr.isatty()
    fills_window = has_window and not (as_json and sys.stdout.isatty())  # they would write over each other
    view: View = LiveView(title, metric, console, order) if fills_window else LineView(title, console)
    return [view, JsonView(metric)] if as_json else [view]


class RunProgress:
    """Hands the events of a run to its views; enter it before the run and call it with each event."""

    def __init__(
        self, title: str, metric: Metric, *, as_json: bool = False, order: Sequence[str] = ()
    ) -> None:
        """Prepare the views of a run.

        Args:
            title: First line on stderr.
            metric: The metric that ranks the trials.
            as_json: Whether ended trials are also written to stdout.
            order: Hyperparameters in the order of their columns in the live view.
        """
        self.is_closed = False
        """Whether somebody stopped reading what is written."""
        self._views = choose_views(title, metric, as_json=as_json, order=order)
        self._stack = contextlib.ExitStack()

    def introduce(self) -> None:
        """Show at once what will be run; otherwise it is shown when the run starts."""
        for view in self._views:
            try:
                view.introduce()
            except BrokenPipeError:
                self.is_closed = True

    def __enter__(self) -> Self:
        for view in self._views:
            self._stack.enter_context(view)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __call__(self, event: Event) -> None:
        """Show one event; the run decides what it means that nobody reads it."""
        for view in self._views:
            try:
                view(event)
            except BrokenPipeError:
                self.is_closed = True

    def leave_at_once(self) -> None:
        """Give the terminal back, from a signal handler that ends the process."""
        for view in self._views:
            view.leave_at_once()


class _HoldsNothing:
    """A view that holds nothing of the terminal."""

    def introduce(self) -> None:
        """Show nothing yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave everything as it stands."""

    def leave_at_once(self) -> None:
        """Leave everything as it stands."""


class LineView(_HoldsNothing):
    """Writes what is read and trained, then one line a trial."""

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._console = console
        self._has_title = self._introduced = False

    def introduce(self) -> None:
        """Write the title."""
        self._say(escape(printable(self._title)))
        self._has_title = True

    def __call__(self, event: Event) -> None:
        """Write what an event is worth, if anything."""
        match event:
            case RunStarted():
                self._start(event)
            case TrialStarted() if event.from_step:
                self._say(f"trial {event.trial.number} resumes from step {event.from_step:,}")
            case TrialStarted() if event.restart:
                self._say(f"trial {event.trial.number} {event.restart}")
            case TrialEnded():
                width = len(str(event.total))
                count = f"[dim]{event.done:>{width}}/{event.total}[/]"
                reason = f"  {escape(printable(event.trial.reason))}" if event.trial.reason else ""
                self._say(f"{count}  {_outcome(event.trial)}  {_params(event.trial)}{reason}")
            case Warned():
                self._say(f"[yellow]warning:[/] {escape(printable(event.text))}")

    def _start(self, event: RunStarted) -> None:
        plural = "" if event.workers == 1 else "s"
        if not self._introduced:  # a confirmation starts several runs
            if not self._has_title:
                self.introduce()
            for line in filter(None, (event.data_facts, event.memory)):
                self._say(escape(printable(line)))
        self._introduced = True
        self._say(
            f"{event.done} of {event.total} trials done; training {event.total - event.done} more on "
            f"{event.workers} worker{plural}, device {event.device}, engine {event.engine}"
        )

    def _say(self, markup: str) -> None:
        self._console.print(markup, soft_wrap=True)  # the terminal wraps; rich would cut commands in two


class JsonView(_HoldsNothing):
    """Writes each ended trial to stdout as one JSON object in a line."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def __call__(self, event: Event) -> None:
        """Write the trial, if one ended."""
        if isinstance(event, TrialEnded):
            sys.stdout.write(json_text(trial_object(event.trial, self._metric)) + "\n")
            sys.stdout.flush()


def trial_object(trial: TrialRecord, metric: Metric) -> dict[str, Json]:
    """Return an ended trial as plain values, for one line of JSON."""
    return {
        "trial": trial.number,
        "state": trial.state,
        metric.key: trial.dev_loss,
        "reason": trial.reason,
        "params": trial.params,
        **({"found": trial.found} if trial.found else {}),
        "seed": trial.seed,
        **trial.labels,
        **({CODE_CHANGED: trial.code_changed} if trial.code_changed is not None else {}),
        **trial.facts,
        "train_seconds": round(trial.train_seconds, 3),
        "engine": trial.engine,
        "device": trial.device,
    }


def _params(trial: TrialRecord) -> str:
    shown = {**trial.params, **trial.found}
    pairs = " ".join(f"{name}={_value(value)}" for name, value in shown.items())
    return f"[dim]{escape(printable(pairs))}[/]"


def _outcome(trial: TrialRecord) -> str:
    outcome = (
        f"[bold]{trial.dev_loss:.4f}[/]" if trial.dev_loss is not None else f"[yellow]{trial.state:>6}[/]"
    )
    return f"{_title(trial)}  {outcome}  {trial.train_seconds:6.1f} s"


def _title(trial: TrialRecord) -> str:
    """Return a trial's number; in a confirmation that of the candidate, and which round it is."""
    if "candidate" not in trial.labels:
        return f"trial {trial.number:>3}"
    return f"trial {trial.labels['candidate']:>3}, {trial.labels['phase']} {trial.labels['round'] + 1:>2}"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, tuple):
        return str(list(value)).replace(" ", "")
    return f"{value:.4g}" if isinstance(value, float) else str(value)
