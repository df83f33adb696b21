"""Draw the live view of a run in a terminal.

It is a full-window view of the state of the run, redrawn four times a second on the terminal's alternate
screen: each frame overwrites the last without clearing it, so nothing flickers, a window may be
resized at any time, and afterwards the terminal is as it was before.
"""

import contextlib
import io
import os
import threading
from collections.abc import Sequence
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment
from rich.text import Text

from sweep.cli.live_frame import Frame
from sweep.cli.run_state import RunState
from sweep.execution.events import Event, RunStarted
from sweep.metric import Metric
from sweep.reporting.printable import printable

FRAMES_PER_S = 4

SHOWN_WARNINGS = 5
"""Warnings that are printed after the run; of others only how many there were."""

_ERASE_LINE = Control((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
"""The line above the cursor vanishes, and the cursor is there."""

_LEAVE = b"\x1b[?1049l\x1b[?25h"
"""Back from the alternate screen, cursor shown."""


class LiveView:
    """Draws the events of a run from its start on; enter it before the run."""

    def __init__(self, title: str, metric: Metric, console: Console, order: Sequence[str] = ()) -> None:
        """Draw on ``console``, a terminal, under ``title``; ``order`` names the hyperparameters' columns."""
        self._title, self._state = title, RunState(metric)
        self._has_title = False
        self._frame = Frame(title, self._state, order)
        self._console = console
        self._lock = threading.Lock()
        self._live = Live(
            console=console,
            screen=True,
            refresh_per_second=FRAMES_PER_S,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=self._draw,
        )
        self._written = io.StringIO()
        self._stack = contextlib.ExitStack()

    def introduce(self) -> None:
        """Print the title on one line, until the view is drawn."""
        self._console.print(Text(printable(self._title)), no_wrap=True, overflow="ellipsis")
        self._has_title = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._tell_warnings()

    def __call__(self, event: Event) -> None:
        """Follow one event; the next frame shows it."""
        with self._lock:
            self._state.take(event)
        if isinstance(event, RunStarted) and not self._live.is_started:
            if self._has_title:
                self._console.control(_ERASE_LINE)
                self._has_title = False
            self._stack.enter_context(contextlib.redirect_stderr(self._written))
            self._stack.enter_context(self._live)

    def leave_at_once(self) -> None:
        """Give the terminal back, from a signal handler that ends the process."""
        if self._live.is_started:
            os.write(self._console.file.fileno(), _LEAVE)

    def _draw(self) -> "Snapshot":
        return Snapshot(self._frame, self._lock)

    def _tell_warnings(self) -> None:
        """Print what went wrong, and what libraries wrote, where it stays."""
        warnings = [f"warning: {text}" for text in self._state.warnings]
        warnings += [line for line in self._written.getvalue().splitlines() if line.strip()]
        for line in warnings[:SHOWN_WARNINGS]:
            self._console.print(Text(printable(line), style="yellow"), soft_wrap=True)
        if len(warnings) > SHOWN_WARNINGS:
            more = f"and {len(warnings) - SHOWN_WARNINGS} more warnings"
            self._console.print(Text(more, style="yellow"), soft_wrap=True)


class Snapshot:
    """A frame as rich draws it: in the window's present size, while no event comes in."""

    def __init__(self, frame: Frame, lock: threading.Lock) -> None:
        self._frame, self._lock = frame, lock

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the lines."""
        width, height = options.size
        with self._lock:
            lines = self._frame.lines(width, height)
        for line in lines:
            yield from line.render(console)
            yield Segment.line()
