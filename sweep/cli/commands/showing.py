"""Commands that show what is stored: list, table, plot, report, dashboard."""

import shlex
import signal
import textwrap
from typing import TYPE_CHECKING

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import (
    advise,
    announced,
    database_of,
    format_table,
    next_command,
    print_advice,
    shown_study,
)
from sweep.storage.default_address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from sweep.definition.records import StudyRecord
    from sweep.reporting.evidence import Evidence
    from sweep.storage.database import Database, Reader


_BEGIN = (
    "no studies yet; next: sweep run STUDY.toml | sweep init DIR for examples | sweep init --help for yours"
)


@command("list", example="sweep list")
@options.formats("text", "json")
def list_studies(arguments: Arguments) -> int:
    """List the stored studies."""
    from sweep.reporting.text.study_list import LIST_FORMATS, summaries

    database = database_of(arguments)
    # A folder in which nothing was run yet is no mistake; an address that somebody gave is one.
    is_new = arguments.storage == DEFAULT_STORAGE and not database.exists()
    found = [] if is_new else list(summaries(database.open_read_only()))
    if found or arguments.format != "text":
        print(LIST_FORMATS[arguments.format](found))
    advise("next: sweep table STUDY" if found else _BEGIN)
    return 0


@command(example="sweep table quick --top 5")
@options.study
@click.option("--top", type=options.positive, metavar="N", help="only the best N")
@options.formats("text", "markdown", "csv", "json", "log", "parquet")
@options.output("FILE", "write the rows to this file; parquet needs one")
@options.force
@click.option("--advice", is_flag=True, help="print all advice below the table, not only the first six")
def table(arguments: Arguments) -> int:
    """Show a study's ranked trials."""
    from sweep.storage.looks.stored_looks import looks_of_study

    storage = database_of(arguments).open_read_only()
    study = shown_study(arguments, storage)
    if arguments.output is not None or arguments.format == "parquet":
        return _write_table(study, arguments)
    print(format_table(study, arguments.format, arguments.top))
    if arguments.format == "text" and study.is_guest:
        print_advice(study, everything=arguments.advice)
        _advise_on_guest(study, database_of(arguments))
    elif arguments.format == "text":
        if study.plans:
            _print_confirmation(study, storage)
        for look in looks_of_study(study, storage):
            print(f"test split looked at {look.describe(study.metric.noun)}")
        print_advice(study, everything=arguments.advice)
        advise(f"next: {next_command(study, storage)}")
    return 0


def _write_table(study: "StudyRecord", arguments: Arguments) -> int:
    """Write the rows to a file, which is not overwritten unless that is asked for."""
    from pathlib import Path

    from sweep.definition.ranking import rank_trials
    from sweep.errors import OptionError, SweepError
    from sweep.reporting.files import write_bytes
    from sweep.reporting.table.formats import FORMATS
    from sweep.reporting.table.listing import Listing
    from sweep.reporting.table.parquet import format_parquet

    if arguments.output is None:
        raise OptionError("--format parquet is not text: name a file with -o FILE.parquet")
    path = Path(arguments.output)
    if path.exists() and not arguments.force:
        raise SweepError(f"{path} exists and is not overwritten; name another with -o, or pass --force")
    listing, form = Listing(rank_trials(study), study, arguments.top), arguments.format
    is_binary = form == "parquet"
    write_bytes(path, format_parquet(listing) if is_binary else f"{FORMATS[form](listing)}\n".encode())
    print(f"wrote {path}")
    return 0


def _advise_on_guest(study: "StudyRecord", database: "Database") -> None:
    """Print what is unknown of the results of a guest, if it has any, and the next commands."""
    from sweep.reporting.page.guests import ONE_RUN, ways_on

    if study.complete_trials():
        advise(ONE_RUN)
    advise(f"next: {' | '.join(ways_on(study, database.address))}")


def _print_confirmation(study: "StudyRecord", storage: "Reader") -> None:
    """Print what the study's confirmation chose."""
    from sweep.certify.stored_confirmation import load_confirmation
    from sweep.certify.verdict import judge
    from sweep.reporting.text.confirmation import confirmation_line, explosion_warnings, newer_trials

    confirmation = load_confirmation(storage, study)
    assert confirmation is not None, "the study has plans"
    verdict = judge(study, confirmation)
    print(confirmation_line(study, confirmation, verdict))
    for line in explosion_warnings(study, confirmation, verdict):
        print(line)
    if newer := newer_trials(study):
        print(newer)


@command(example="sweep plot quick history -o history.png")
@options.study
@click.argument(
    "name", metavar="[NAME]", required=False, help="the figure; without it, the command lists all"
)
@click.option("--all", "everything", is_flag=True, help="write every figure; -o then names a folder")
@options.output("FILE", ".html, .png or .svg", default="reports/STUDY/NAME.html")
@click.option(
    "--format", type=click.Choice(("html", "png", "svg")), default="html", help="of the files of --all"
)
@options.force
def plot(arguments: Arguments) -> int:
    """Write one figure of a study to a file, or all of them."""
    from sweep.errors import SweepError
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.figures.figure_files import write_figure

    if arguments.everything and arguments.name is not None:
        raise SweepError(f"give a figure's name or --all, not both: {arguments.name!r} is one of them")
    database = database_of(arguments)
    record = shown_study(arguments, database.open_read_only())
    study = record.name
    if arguments.name is None and not arguments.everything:
        return _list_plots(record, arguments.study)
    evidence = gather_evidence(study, database)
    if arguments.everything:
        return _write_all_plots(evidence, arguments)
    with announced(f"drawing {arguments.name}"):
        path = write_figure(arguments.name, evidence, arguments.output, force=arguments.force)
    print(f"wrote {path}")
    advise(f"next: open {path} | sweep plot {shlex.quote(study)} for the names of the others")
    return 0


def _list_plots(record: "StudyRecord", study: str) -> int:
    """Print the name of each figure, and how to read it."""
    from sweep.reporting.figures.plots import plots_of

    for name, plot in plots_of(record).items():
        print(f"{name}\n{textwrap.indent(textwrap.fill(plot.reading, 76), '    ')}")
    advise(f"next: sweep plot {study} NAME | sweep plot {study} --all")
    return 0


def _write_all_plots(evidence: "Evidence", arguments: Arguments) -> int:
    """Write every figure that the study has the data for; print a line for each other one."""
    from sweep.reporting.figures.figure_files import write_all_figures

    with announced("drawing all figures"):
        written, missing = write_all_figures(
            evidence, arguments.output, suffix=f".{arguments.format}", force=arguments.force
        )
    for path in written:
        print(f"wrote {path}")
    for name, reason in missing.items():
        advise(f"left out {name}: {reason}")
    return 0


@command(example="sweep report quick")
@options.study
def report(arguments: Arguments) -> int:
    """Write a study's report, one HTML file."""
    from sweep.api.asked import shown_name
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.page.report import write_report

    database = database_of(arguments)
    evidence = gather_evidence(shown_name(arguments.study, database.open_read_only()), database)
    with announced("evaluating the winner and drawing the report"):
        path = write_report(evidence)
    print(f"wrote {path}")
    if evidence.study.is_guest:
        advise(f"next: open {path} in a browser")
        return 0
    go_on = next_command(evidence.study, database.open_read_only())
    advise(f"next: open {path} in a browser | {go_on}")
    return 0


@command(example="sweep dashboard")
@click.option("--port", type=options.port, default=8080, metavar="PORT", help="port; 0 for a free one")
def dashboard(arguments: Arguments) -> int:
    """Browse the studies in the Optuna dashboard."""
    from sweep.dashboard.server import HOST, make_server

    database = database_of(arguments)
    server = make_server(database.open_for_dashboard(), database.files, arguments.port)
    print(f"http://{HOST}:{server.server_port}/", flush=True)
    advise("the Optuna dashboard, read-only; Ctrl-C ends it")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C
    with server:
        server.serve_forever()
    return 0


COMMANDS = (list_studies, table, plot, report, dashboard)
