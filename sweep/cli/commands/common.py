"""Parts that several commands share: the database, the study that is meant, the table, advice."""

import contextlib
import json
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from sweep.cli.command import Arguments
from sweep.errors import SweepError
from sweep.values import Toml

if TYPE_CHECKING:
    from sweep.certify.study_data import StudyData
    from sweep.definition.records import StudyRecord
    from sweep.definition.resources import Resources
    from sweep.definition.spec import StudySpec
    from sweep.execution.events import Observer
    from sweep.execution.how import How
    from sweep.storage.database import Database, Reader
    from sweep.task import AnyTask, Data

ANNOUNCE_AFTER_S = 1.0
"""Work that takes longer is announced by a line on stderr."""


def complain(text: str) -> None:
    """Print an error to stderr, on one line."""
    from sweep.reporting.printable import printable

    print(f"sweep: {printable(text)}", file=sys.stderr)


def report_usage(error: click.UsageError) -> None:
    """Print what is wrong with a command line to stderr, in one line that names the command for help."""
    from sweep.reporting.printable import printable
    from sweep.spelling import with_hint

    if error.ctx is None:
        error.show()
        return
    if isinstance(error, click.NoSuchOption | click.exceptions.NoSuchCommand) and error.possibilities:
        del error.possibilities[1:]  # the nearest is named first
    where, help_option = error.ctx.command_path, error.ctx.help_option_names[-1]
    problem = with_hint(printable(error.format_message()), f"`{where} {help_option}` shows how to use it")
    print(f"{where}: error: {problem}", file=sys.stderr)


def report_error(error: SweepError, *, as_json: bool) -> None:
    """Print an error to stderr, one line for each thing that is wrong; as JSON also its key to stdout."""
    for line in error.lines:
        complain(line)
    if as_json:
        try:
            print(json.dumps({"error": error.key, "lines": error.lines}), flush=True)
        except OSError:
            drop_output()


def drop_output(stream: TextIO | None = None) -> None:
    """Send what is still to be written to stdout nowhere, so that it cannot fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def advise(text: str) -> None:
    """Print progress or the next step to stderr; it is ignored if nobody reads stderr."""
    from sweep.reporting.printable import printable
    from sweep.reporting.wrapping import wrap_hint

    width = terminal_width(sys.stderr) if sys.stderr.isatty() else None
    try:
        print(wrap_hint(printable(text), width), file=sys.stderr, flush=True)
    except BrokenPipeError:
        drop_output(sys.stderr)


@contextlib.contextmanager
def announced(text: str, *, after_s: float = ANNOUNCE_AFTER_S) -> Iterator[None]:
    """Print one line on stderr if the work inside is not done within a moment.

    Args:
        text: What is being done.
        after_s: How long the work may take without a line, seconds.
    """
    timer = threading.Timer(after_s, advise, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a line that is being printed is printed whole


def load_data(task: "AnyTask", spec: "StudySpec") -> "Data":
    """Read the data of a study that is to be run or planned."""
    from sweep.task import data_name

    with announced(f"reading {data_name(task, spec.data)}"):
        return cast("Data", task.load_data(spec.data))


def database_of(arguments: Arguments) -> "Database":
    """Return the database that --storage names."""
    from sweep.storage.database import Database

    return Database(arguments.storage, arguments.files)


def database_options(database: "Database") -> str:
    """Return the options that name a database, without its password."""
    files = ["--files", database.files.where] if database.is_shared else []
    return shlex.join(["--storage", database.address, *files])


def mend(task: "AnyTask", device: str) -> None:
    """Repair what a trainer keeps on this machine, such as compiled code; print a line if that fails.

    The line is printed here, once for a command: its worker processes only compile what they lack.
    """
    from sweep.task import mend

    if text := mend(task, device):
        advise(f"warning: {text}")


def check_place(arguments: Arguments, task: "AnyTask", resources: "Resources") -> None:
    """Refuse a pool, device or engine that is not there, before anything is read."""
    from sweep.execution.pools.pools import DEFAULT_POOL, choose_pool
    from sweep.task import check_engine

    kind, _ = choose_pool(arguments.pool)
    devices = kind.list_devices(task, arguments.device, resources)
    if arguments.engine:
        check_engine(task, arguments.engine, devices[0])
    if arguments.pool == DEFAULT_POOL:
        mend(task, devices[0])


def how_of(arguments: Arguments, observe: "Observer", should_stop: "Callable[[], bool]") -> "How":
    """Return how a run is to be done, as the command line says it."""
    from sweep.execution.how import How

    return How(
        workers=arguments.workers,
        device=arguments.device,
        engine=arguments.engine,
        pool=arguments.pool,
        observe=observe,
        should_stop=should_stop,
        code_changed=arguments.code_changed,
    )


def source(task: "AnyTask", section: Mapping[str, Toml]) -> str:
    """Return the files that ``[data]`` names, as the beginning of a line about them."""
    from sweep.task import data_files

    return "".join(f"{path}: " for path in data_files(task, section).values())


def study_spec(arguments: Arguments) -> "StudySpec":
    """Read the study file, or take the stored study, and apply what the command line changes."""
    from sweep.api.asked import Request, find_spec

    given = {request: getattr(arguments, option, None) for option, request in _REQUEST.items()}
    fields = {name: value for name, value in given.items() if value is not None}
    request = Request(study=arguments.study, settings=tuple(arguments.settings), **fields)
    return find_spec(request, database_of(arguments), advise)


_REQUEST = {
    "trials": "trials",
    "replicates": "replicates",
    "timeout": "timeout",
    "new_name": "name",
    "source": "source",
    "source_top": "source_top",
    "words": "data_file",
    "retry_failed": "retry_failed",
    "trust": "trust",
}
"""Argument of a command -> field of ``Request``."""


def stored_study(arguments: Arguments, reader: "Reader") -> "StudyRecord":
    """Return the stored study that a name or a study file means."""
    from sweep.api.asked import stored_study

    return stored_study(arguments.study, reader)


def shown_study(arguments: Arguments, reader: "Reader") -> "StudyRecord":
    """Return the stored study that a name or a study file means, a guest too: it is only shown."""
    from sweep.api.asked import shown_study

    return shown_study(arguments.study, reader)


def check_program(study: "StudyRecord", arguments: Arguments) -> None:
    """Refuse to run a stored study's own program unless the user has run it here, or passes --trust."""
    from sweep.certify.trust import check_trusted

    check_trusted(study.name, study.program, study.surroundings, trust=arguments.trust)


def format_table(study: "StudyRecord", form: str, top: int | None) -> str:
    """Return a study's ranked trials in one of ``FORMATS``."""
    from sweep.definition.ranking import rank_trials
    from sweep.reporting.table.formats import FORMATS
    from sweep.reporting.table.listing import Listing

    return FORMATS[form](Listing(rank_trials(study), study, top, **terminal_look())).rstrip("\n")


def next_command(study: "StudyRecord", reader: "Reader") -> str:
    """Return the next commands for a study: run, confirm, or export after a confirmation."""
    run, confirm = f"sweep run {study.name}", f"sweep confirm {study.name}"
    if not study.complete_trials():
        return run
    if not study.plans:
        return confirm if all(trial.is_finished for trial in study.trials) else f"{run} | {confirm}"
    from sweep.certify.stored_confirmation import load_confirmation
    from sweep.definition.ranking import trials_since

    confirmation = load_confirmation(reader, study)
    is_confirmed = confirmation is not None and not confirmation.remaining and not trials_since(study)
    return f"sweep export {study.name}" if is_confirmed else confirm


def terminal_look() -> dict[str, Any]:
    """Return the width and whether there are colours, where stdout is a terminal."""
    return {"width": terminal_width() if sys.stdout.isatty() else None, "colour": _has_colours()}


def _has_colours() -> bool:
    is_dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
    return sys.stdout.isatty() and not is_dumb and not os.environ.get("NO_COLOR")


def terminal_width(stream: TextIO | None = None) -> int:
    """Return the width of the terminal that a stream, by default stdout, is."""
    return os.get_terminal_size((stream or sys.stdout).fileno()).columns or 80  # one may not know its own


def print_advice(study: "StudyRecord", *, everything: bool = False) -> None:
    """Print the advice below a table, between empty lines, if there is any."""
    from sweep.reporting.advice.checks import format_advice

    width = terminal_width() if sys.stdout.isatty() else None
    text = format_advice(study, everything=everything, width=width)
    if text:
        print(f"\n{text}\n")


def publish_study(
    name: str,
    database: "Database",
    study_data: "StudyData | None" = None,
    *,
    study: "StudyRecord | None" = None,
    concludes: bool = False,
) -> None:
    """Store a study's outcome for the dashboard; an error is a warning, since the trials are stored.

    Args:
        name: As stored.
        database: Where it is stored.
        study_data: Its data; None reads them.
        study: Its record as it is stored now; None reads it.
        concludes: As for ``reporting.publish.publish``.
    """
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.publish import publish

    try:
        with announced("drawing figures for the dashboard"), database.opening():
            evidence = gather_evidence(name, database, study_data=study_data, study=study)
            publish(evidence, database, concludes=concludes)
    except Exception as error:  # noqa: BLE001  whatever it is, it concerns the dashboard alone
        advise(
            f"warning: the dashboard does not show the study's figures and files: {error}".partition("\n")[0]
        )


def warn_of_data(study_data: "StudyData", what_follows: str) -> bool:
    """Print a warning if a study's data are gone or changed; return whether they are."""
    if study_data.why_missing is not None:
        advise(f"warning: {study_data.why_missing}; {what_follows}")
    return study_data.why_missing is not None
