"""The live view of a run, in windows of many sizes and on a real terminal."""

import contextlib
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from sweep.cli.live import SHOWN_WARNINGS, LiveView
from sweep.cli.live_frame import Frame
from sweep.cli.progress import JsonView, LineView, RunProgress, choose_views
from sweep.cli.run_state import RunState
from sweep.execution.events import Event, TrialEnded, Warned
from sweep.trainers.mlp.trainer import MLP
from tests.support.run_events import Clock, begin, outlook, started, stored
from tests.support.small_study import STUDY, environment, lay_out
from tests.support.study_records import trial

KNOBS = {
    "block_size": 3,
    "hidden_neurons": 200,
    "embedding_dim": 10,
    "batch_size": 32,
    "num_steps": 50_000,
    "learning_rate": 0.123456,
    "schedule": "cosine",
}


def made_up_run(workers: int = 2, ended: int = 8) -> RunState:
    """A run in which trials ended, two train, and one of them lacks a hyperparameter."""
    clock = Clock()
    state = RunState(MLP.metric, clock)
    state.take(started(total=60, workers=workers, timeout=600.0, outlook=outlook()))
    for number in range(ended):
        loss = None if number == 3 else 2.1 + number / 100
        record = trial(number, loss, params=KNOBS, state="complete" if loss else "diverged", seconds=12.5)
        state.take(TrialEnded(trial=record, done=number + 1, total=60))
    state.take(begin(ended, params=KNOBS))
    state.take(begin(ended + 1, params={name: KNOBS[name] for name in ("block_size", "num_steps")}))
    clock.now += 7
    state.take(stored(ended, 5_000, seconds=5.0, loss=2.4321))
    clock.now += 2
    return state


def text_of(state: RunState, width: int = 80, height: int = 24, title: str = "study names") -> list[str]:
    return [line.plain for line in Frame(title, state).lines(width, height)]


def test_a_frame_says_what_trains_what_is_best_and_what_remains() -> None:
    """Per worker its trial, progress, loss and knobs; the five best; budget, times and rate."""
    lines = text_of(made_up_run())
    assert lines[0] == "study names"
    assert lines[1].endswith("8 of 60 trials")
    # 50 trials of 12.5 s to come, 43 and 45.001 s left of the two in training, two workers: 356.5 s
    shown = re.fullmatch(
        r"0:09 elapsed · (\d:\d\d) to (\d:\d\d) left · 2,000 steps/s · 10:00 at most · 2 workers", lines[2]
    )
    assert shown
    assert shown[1] < "5:57" < shown[2]
    assert lines[3] == "Ctrl-C is safe: finished segments are stored, and the same command resumes."
    headings = [line.split() for line in lines[5:7]]
    assert headings == [
        ["done", "or", "dev", "block", "hidden", "embed", "batch", "num", "learning"],
        ["#", "trial", "seconds", "loss", "size", "neurons", "dim", "size", "steps", "rate"],
    ]
    training = lines.index(" in training   too narrow for schedule")
    first, second = lines[training + 1].split(), lines[training + 2].split()
    assert first[:2] + first[3:] == [
        "1",
        "8",
        "14",
        "%",
        "2.4321",
        "3",
        "200",
        "10",
        "32",
        "50,000",
        "0.1235",
    ]
    assert second[:2] + second[3:] == ["2", "9", "9", "%", "-", "3", "-", "-", "-", "50,000", "-"]
    best = lines.index(" best so far")
    assert [line.split()[:5] for line in lines[best + 1 : best + 6]] == [
        [str(rank), str(number), "12.5", "s", f"{2.1 + number / 100:.4f}"]
        for rank, number in enumerate([0, 1, 2, 4, 5], start=1)
    ]
    recent = lines.index(" ended last")
    assert lines[recent + 1].split()[:4] == ["7", "12.5", "s", "2.1700"]
    assert "diverged" in lines[recent + 5]


@pytest.mark.parametrize("height", [1, 3, 6, 15, 24, 60])
@pytest.mark.parametrize("width", [12, 40, 60, 80, 200])
@pytest.mark.parametrize("workers", [1, 2, 40])
def test_no_frame_is_larger_than_its_window(width: int, height: int, workers: int) -> None:
    """Whatever the window and the names in it, lines fit; letters of double width count as two."""
    state = made_up_run(workers)
    state.take(Warned(text="the worker of trial 8 died " * 20))
    state.take(begin(2_000_000, params={"漢字" * 30: "値" * 50, "x_y_z": float("nan"), "flag": True}))
    lines = text_of(state, width, height, title="漢字 " * 60)
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_fifteen_lines_hold_two_workers_and_the_five_best() -> None:
    """The smallest usual window shows all that matters; wider ones show more hyperparameters."""
    narrow, usual, wide = (text_of(made_up_run(), width, 15) for width in (60, 80, 200))
    for lines in (narrow, usual, wide):
        assert len(lines) == 15
        assert " best so far" in lines
        assert lines[-1].split()[:2] == ["5", "5"]
    assert narrow[5].split()[-2:] == ["dim", "size"]
    assert narrow[6] == " in training   too narrow for num_steps, learning_rate, sch…"
    assert usual[5].split()[-2:] == ["steps", "rate"]
    assert usual[6] == " in training   too narrow for schedule"
    assert wide[5].split()[-2:] == ["rate", "schedule"]
    assert wide[6] == " in training"
    assert "0.1235" in wide[7]


def test_many_workers_leave_room_for_the_best() -> None:
    """Of forty workers those that fit are shown, and how many more there are."""
    lines = text_of(made_up_run(workers=40), height=20)
    assert any(re.fullmatch(r" and \d+ more workers", line) for line in lines)
    assert " best so far" in lines


def test_a_frame_before_the_first_segment_says_that_the_workers_start() -> None:
    """Without a rate nothing is made up: no estimate, no steps per second."""
    state = RunState(MLP.metric, Clock())
    state.take(started())
    lines = text_of(state)
    assert lines[2] == "0:00 elapsed · the workers start · 2 workers · fused on cpu"
    assert [line.split() for line in lines[-2:]] == [["1", "-"], ["2", "-"]]


def test_the_columns_keep_the_order_of_the_table_whatever_trains_first() -> None:
    """A hyperparameter that only later trials have does not move the others, and has its column at once."""
    order = ("block_size", "hidden_neurons", "momentum", "schedule")
    headings = []
    for params in ({"schedule": "step", "block_size": 3}, {"momentum": 0.9, "hidden_neurons": 20}):
        state = RunState(MLP.metric, Clock())
        state.take(started())
        state.take(begin(0, params=params))
        lines = [line.plain for line in Frame("names", state, order).lines(100, 24)]
        headings.append(lines[6].split()[-4:])
    assert headings == [["size", "neurons", "momentum", "schedule"]] * 2


def test_a_low_window_shows_trials_instead_of_the_hint() -> None:
    """The hint takes no line from the trials of a window of fifteen lines."""
    assert not any("Ctrl-C" in line for line in text_of(made_up_run(), height=15))
    assert sum("Ctrl-C" in line for line in text_of(made_up_run(), height=24)) == 1


def test_untrusted_text_cannot_steer_the_terminal() -> None:
    """Escape sequences and markup in names and values are shown, never obeyed."""
    state = made_up_run()
    state.take(begin(50, params={"[red]x": "\x1b[2J[bold]"}))
    state.take(Warned(text="\x1b]0;title\x07"))
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=200)
    for line in Frame("\x1b[31m goal", state).lines(200, 40):
        console.print(line)
    written = file.getvalue()
    assert "\x1b[2J" not in written
    assert "\x1b]0" not in written
    assert "\\x1b[2J[bold]" in written


# On a terminal.

ENTER, LEAVE, HIDE, SHOW, HOME = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25l", "\x1b[?25h", "\x1b[H"
ERASE = "\x1b[1A\x1b[2K"


class Terminal:
    """A pseudo-terminal of a given size, whose output is collected."""

    def __init__(self, columns: int, rows: int) -> None:
        self._mine, self.theirs = pty.openpty()
        self.resize(columns, rows)
        self._read = b""
        self._reader = threading.Thread(target=self._collect)
        self._reader.start()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self) -> str:
        return self._read.decode(errors="replace")

    def wait_for(self, text: str, times: int = 1) -> None:
        end = time.monotonic() + 60
        while self.text().count(text) < times:
            assert time.monotonic() < end, self.text()[-2_000:]
            time.sleep(0.02)

    def wait_for_frames(self, more: int) -> None:
        self.wait_for(HOME, self.text().count(HOME) + more)

    def close(self) -> str:
        with contextlib.suppress(OSError):
            os.close(self.theirs)
        self._reader.join()
        os.close(self._mine)
        return self.text()

    def _collect(self) -> None:
        while select.select([self._mine], [], [], 60)[0]:
            try:
                part = os.read(self._mine, 65_536)
            except OSError:  # the other side is closed
                return
            if not part:
                return
            self._read += part


def frames(written: str) -> list[list[str]]:
    """Return what was drawn between entering and leaving the alternate screen, as frames of lines."""
    drawn = written[written.index(ENTER) + len(ENTER) : written.index(LEAVE)]
    plain = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", frame) for frame in drawn.split(HOME)[2:]]
    return [frame.replace("\r", "").split("\n") for frame in plain]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    window = Terminal(80, 15)
    yield window
    with contextlib.suppress(OSError):
        window.close()


def test_a_real_run_leaves_only_its_table_behind(tmp_path: Path, terminal: Terminal) -> None:
    """In a window of 15 by 80, resized on the way: whole frames, the terminal as before, the table."""
    folder = lay_out(tmp_path / "fresh")
    (folder / "studies" / "small.toml").write_text(STUDY.replace("trials = 6", "trials = 200"))
    command = [sys.executable, "-m", "sweep", "run", "small", "--workers", "1"]
    variables = {"TERM": "xterm-256color", "SWEEP_LEDGER": str(tmp_path / "ledger")}
    run = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(**variables),
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
    )
    terminal.wait_for("best so far")
    terminal.resize(60, 30)
    terminal.wait_for_frames(3)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) == 130
    written = terminal.close()

    title, _, _ = written.partition(ENTER)
    assert re.fullmatch(r"study small[^\n]*\n" + re.escape(ERASE), title), (
        "a line that is gone before the view"
    )
    sizes = {(len(frame), max(map(cell_len, frame))) for frame in frames(written)}
    assert sizes == {(15, 80), (30, 60)}
    after = written.partition(LEAVE)[2]
    assert written.rindex(SHOW) > written.rindex(HIDE)
    assert HIDE not in after
    assert re.search(r"interrupted: \d+ of 200 trials done", after)
    assert "in training" not in after
    assert "Traceback" not in written


def live_view(terminal: Terminal) -> tuple[LiveView, Any]:
    file = open(terminal.theirs, "w", closefd=False)  # noqa: SIM115  closed by the test
    console = Console(file=file, force_terminal=True, width=80, height=15)
    return LiveView("study names", MLP.metric, console), file


def test_warnings_are_told_after_the_run_and_do_not_flood(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    """What libraries write to stderr meanwhile is held back; five lines are told, the others counted."""
    view, file = live_view(terminal)
    with file, view:
        view(started())
        for number in range(20):
            view(Warned(text=f"the worker of trial {number} died"))
        sys.stderr.write("ExperimentalWarning: beware\n")
    after = terminal.close().partition(LEAVE)[2]
    assert after.count("the worker of trial") == SHOWN_WARNINGS
    assert "and 16 more warnings" in after
    assert capsys.readouterr().err == ""


def test_a_second_signal_gives_the_terminal_back(terminal: Terminal) -> None:
    """Leaving at once, as a signal handler does it, ends the alternate screen and shows the cursor."""
    view, file = live_view(terminal)
    view.leave_at_once()
    assert terminal.text() == ""  # nothing was taken yet
    with file, view:
        view(started())
        view.leave_at_once()
        terminal.wait_for(LEAVE + SHOW)


def test_an_error_in_the_run_gives_the_terminal_back(terminal: Terminal) -> None:
    """The alternate screen is left before the error is told."""
    view, file = live_view(terminal)

    def fail() -> None:
        with view:
            view(started())
            raise ValueError("broken")

    with file, pytest.raises(ValueError, match="broken"):
        fail()
    assert LEAVE in terminal.close()


# Elsewhere.


def views(as_json: bool) -> list[type]:
    return [type(view) for view in choose_views("title", MLP.metric, as_json=as_json)]


def test_the_view_suits_where_the_output_goes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live on a terminal; lines in a pipe, on a dumb terminal, and where JSON goes to the same terminal."""
    with open(terminal.theirs, "w", closefd=False) as window, io.StringIO() as pipe:
        for stderr, stdout, term, as_json, expected in [
            (window, window, "xterm", False, [LiveView]),
            (window, pipe, "xterm", True, [LiveView, JsonView]),
            (window, window, "xterm", True, [LineView, JsonView]),
            (window, window, "dumb", False, [LineView]),
            (pipe, window, "xterm", False, [LineView]),
        ]:
            monkeypatch.setattr(sys, "stderr", stderr)
            monkeypatch.setattr(sys, "stdout", stdout)
            monkeypatch.setenv("TERM", term)
            assert views(as_json) == expected
        monkeypatch.setattr(sys, "stderr", pipe)
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert views(False) == [LineView]


DIVERGED = trial(2, state="diverged", reason="diverged: the training loss was nan at step 12")


def test_in_a_pipe_each_trial_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """However long its hyperparameters, and with what went wrong in a line of its own."""
    events: list[Event] = [
        started(done=1),
        begin(1, from_step=5_000),
        Warned(text="the worker of trial 1 died"),
        TrialEnded(trial=trial(1, 2.1, params={f"knob_{n}": n for n in range(40)}), done=2, total=10),
        TrialEnded(trial=DIVERGED, done=3, total=10),
    ]
    with RunProgress("study names: goal [x]", MLP.metric) as progress:
        for event in events:
            progress(event)
    written = capsys.readouterr()
    assert written.out == ""
    lines = written.err.splitlines()
    assert lines[:2] == ["study names: goal [x]", "words"]
    assert lines[3:5] == ["trial 1 resumes from step 5,000", "warning: the worker of trial 1 died"]
    assert lines[5].startswith(" 2/10  trial   1  2.1000    10.0 s  knob_0=0 knob_1=1 ")
    assert lines[6].startswith(" 3/10  trial   2  diverged ")
    assert lines[6].endswith(" diverged: the training loss was nan at step 12")
    assert len(lines) == 7
