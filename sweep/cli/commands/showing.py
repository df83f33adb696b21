"""Commands that show what is stored: list, table, plot, report, dashboard."""

import shlex
import signal
import textwrap

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import (
    advise,
    advise_on_guest,
    announced,
    database_of,
    format_table,
    next_command,
    print_advice,
    shown_study,
)


@command("list", example="sweep list")
@options.formats("text", "json")
def list_studies(arguments: Arguments) -> int:
    """List the stored studies."""
    from sweep.reporting.study_list import LIST_FORMATS, summaries

    found = list(summaries(database_of(arguments).open_read_only()))
    if found or arguments.format != "text":
        print(LIST_FORMATS[arguments.format](found))
    advise("next: sweep table STUDY" if found else "no studies yet; next: sweep run STUDY.toml")
    return 0


@command(example="sweep table quick --top 5")
@options.study
@click.option("--top", type=options.positive, metavar="N", help="only the best N")
@options.formats("text", "markdown", "csv", "json", "log")
@click.option("--advice", is_flag=True, help="print all advice below the table, not only the first six")
def table(arguments: Arguments) -> int:
    """Show a study's ranked trials."""
    from sweep.storage.looks.test_looks import looks_of_study

    storage = database_of(arguments).open_read_only()
    study = shown_study(arguments, storage)
    print(format_table(study, arguments.format, arguments.top))
    if arguments.format == "text" and study.is_guest:
        print_advice(study, everything=arguments.advice)
        advise_on_guest(study, database_of(arguments))
    elif arguments.format == "text":
        for look in looks_of_study(study, storage):
            print(f"test split looked at {look.describe(study.metric.noun)}")
        print_advice(study, everything=arguments.advice)
        advise(f"next: {next_command(study, storage)}")
    return 0


@command(example="sweep plot quick history -o history.png")
@options.study
@click.argument("name", metavar="[NAME]", required=False, help="which figure; without it they are listed")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    shell_complete=candidates.files,
    show_default="reports/STUDY/NAME.html",
    help=".html, .png or .svg",
)
@options.force
def plot(arguments: Arguments) -> int:
    """Write one figure of a study to a file."""
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.figures.figure_files import write_figure
    from sweep.reporting.figures.plots import plots_of

    database = database_of(arguments)
    record = shown_study(arguments, database.open_read_only())
    study = record.name
    if arguments.name is None:
        for name, plot in plots_of(record).items():
            print(f"{name}\n{textwrap.indent(textwrap.fill(plot.reading, 76), '    ')}")
        advise(f"next: sweep plot {shlex.quote(arguments.study)} NAME")
        return 0
    evidence = gather_evidence(study, database)
    with announced(f"drawing {arguments.name}"):
        path = write_figure(arguments.name, evidence, arguments.output, force=arguments.force)
    print(f"wrote {path}")
    advise(f"next: open {path} | sweep plot {shlex.quote(study)} for the names of the others")
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
@click.option("--port", type=options.port, default=8080, metavar="PORT", help="0 takes a free one")
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
