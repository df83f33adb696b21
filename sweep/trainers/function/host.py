"""Import a user's function and run its trials one after another, in the main thread of a separate process.

The worker controls this process over a ``Wire`` (``hosted``). All modules that this process needs are
imported before the user's folder is on ``sys.path``, so that a user's ``types.py`` cannot replace one.

    from the worker                                 to the worker
    {"begin": {...}} with stdout and stderr         {"report": "{...}", "seconds": 1.5, "waits": true}
    {"ready": null}                                 {"ready": null}
    {"go_on": 27} or {"go_on": null}                {"told": "pruned"}: its exception is raised
    {"stop": "pruned"} or {"stop": "stopped"}       {"values": {...}}, {"fault": "..."} or {"ended": "pruned"}
"""

import faulthandler
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from sweep.client import Pruned, Reporter, Stopped, connect, report
from sweep.trainers.function.config import Config
from sweep.trainers.function.faults import Fault, fault_of, write_trace
from sweep.trainers.function.forks import make_ordinary
from sweep.trainers.function.given.parcel import read
from sweep.trainers.function.preloaded import preload
from sweep.trainers.function.results import as_values
from sweep.trainers.function.segments import SegmentedTrial, is_task, made
from sweep.trainers.function.surroundings import Surroundings, memory_in_use, output_to
from sweep.trainers.function.target import Target, load, takes_report
from sweep.trainers.function.wire import Wire
from sweep.values import Json

_Returned = TypeVar("_Returned")

_ENDS: Mapping[str, type[BaseException]] = {"pruned": Pruned, "stopped": Stopped}


class Trial:
    """The running trial: sends its reports, and ends it on request."""

    def __init__(self, wire: Wire, until: int | None) -> None:
        self._wire = wire
        self.until = until
        """First step at which the trial waits for a decision; None means never."""
        self._begun = time.monotonic()
        self._is_sending = False
        self.is_running = False
        """Whether the user's code is running, so that an exception may be raised in it."""
        self.told: str | None = None
        """The requested end, a key of ``_ENDS``; any later result is ignored."""
        self.reporter = Reporter(self._send)

    def connect(self, reporter: Reporter) -> None:
        """Send the user's reports to a reporter."""
        self.reporter = reporter
        connect(reporter)

    def call(self, function: Callable[[], _Returned]) -> _Returned:
        """Call the user's code."""
        connect(self.reporter)
        try:
            self.is_running = True
            self._raise_end()
            return function()
        finally:
            self.is_running = False
            connect(None)

    def terminate(self) -> None:
        """Raise ``Stopped`` in the user's code once; later reports raise it again."""
        if self.told is None:
            self.told = "stopped"
            if self.is_running and not self._is_sending:
                raise _ENDS[self.told]

    def send(self, step: int, values: Mapping[str, float], *, waits: bool) -> None:
        """Send a report; if it waits, return after the driver's decision, or raise the trial's end."""
        self._raise_end()
        seconds = time.monotonic() - self._begun
        self._is_sending = True
        try:
            line = json.dumps({"step": step, **values})
            self._wire.send({"report": line, "seconds": seconds, "waits": waits})
        finally:
            self._is_sending = False
        self._raise_end()
        if waits:
            self._wait()

    def _send(self, step: int, values: Mapping[str, float]) -> None:
        """Send a function's report, which waits at the rung."""
        self.send(step, values, waits=self.until is not None and step >= self.until)

    def _wait(self) -> None:
        message = self._wire.receive() or {}
        if "stop" in message:
            self.told = message["stop"]
            self._wire.send({"told": self.told})
        else:
            self.until = message.get("go_on")
        self._raise_end()

    def _raise_end(self) -> None:
        if self.told is not None:
            raise _ENDS[self.told]


class Runner:
    """Runs the trials of one function."""

    def __init__(self, wire: Wire, target: Target) -> None:
        self._wire, self._target = wire, target
        self._function: Callable[..., Any] | None = None
        self._takes_report = ""
        self._surroundings: Surroundings | None = None
        self._trial: Trial | None = None

    def serve(self) -> None:
        """Run trials until the worker closes its end or ends a trial."""
        while True:
            try:
                message = self._wire.receive() or {}
            except EOFError:
                return
            if "ready" in message:
                self._wire.send(message)
            elif "begin" in message and not self._run(message["begin"]):
                return

    def terminate(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM: end the trial, or the process if no trial runs."""
        if self._trial is None:
            raise SystemExit
        self._trial.terminate()

    def _run(self, begin: dict[str, Json]) -> bool:
        """Run a trial; return whether this process may run another."""
        stdout, stderr, *held = self._wire.files
        self._wire.files.clear()
        for lock in held:
            os.set_inheritable(lock, False)
        self._trial = trial = Trial(self._wire, begin["until"])
        with output_to(stdout, stderr):
            answer = self._outcome(trial, begin)
        if trial.told is not None:
            answer = {"ended": trial.told}
        self._wire.send({**answer, "memory": memory_in_use()})
        for lock in held:
            os.close(lock)
        self._trial = None
        return trial.told is None

    def _outcome(self, trial: Trial, begin: dict[str, Json]) -> dict[str, Json]:
        """Return the values or the fault of a trial; catches every error of the user's code."""
        try:
            return {"values": self._train(trial, begin)}
        except BaseException as error:  # noqa: BLE001  also SystemExit and KeyboardInterrupt end only the trial
            fault = fault_of(trial.reporter.mistake or error, self._target.folder, self._function)
            if not (trial.told and isinstance(error, _ENDS[trial.told])):
                self._write(fault)
            return {"fault": fault.line}

    def _train(self, trial: Trial, begin: dict[str, Json]) -> dict[str, float]:
        function, surroundings = self._loaded(trial)
        config = Config(**begin["config"])
        if is_task(function):
            call = SegmentedTrial(
                function, config, trial, metrics=begin["metrics"], **begin["segments"]
            ).train
        else:
            call = self._call_of(function, config)
        with surroundings.kept(begin["environment"]):
            returned = trial.call(call)
        if trial.reporter.mistake:
            raise trial.reporter.mistake
        return as_values(returned, begin["metrics"], self._target.name)

    def _call_of(self, function: Callable[..., Any], config: Config) -> Callable[[], object]:
        arguments = (config, report) if self._takes_report == "second" else (config,)
        named = {"report": report} if self._takes_report == "named" else {}
        return lambda: function(*arguments, **named)

    def _loaded(self, trial: Trial) -> tuple[Callable[..., Any], Surroundings]:
        """Import the function for the first trial; changes that its module makes on import stay in effect."""
        if self._function is None or self._surroundings is None:
            found = trial.call(lambda: load(self._target))
            self._takes_report = takes_report(self._target, found)
            self._function = trial.call(lambda: made(found))
            self._surroundings = Surroundings()
        return self._function, self._surroundings

    @staticmethod
    def _write(fault: Fault) -> None:
        try:
            write_trace(fault)
        except OSError:  # the reader of the trial's stderr has gone
            return


def main() -> None:
    """Run trials; the arguments are a descriptor, the target, the study's folder and the working folder.

    An optional fifth argument is the descriptor of the function's parcel.
    """
    number, text, folder, cwd, *given = sys.argv[1:]
    preload()
    parcel = read(int(given[0])) if given else b""
    faulthandler.enable(file=2)
    wire = Wire(socket.socket(fileno=int(number)))
    runner = Runner(wire, Target(text, Path(folder), Path(cwd), parcel))
    signal.signal(signal.SIGTERM, runner.terminate)
    make_ordinary(runner.terminate, wire.close)
    runner.serve()
