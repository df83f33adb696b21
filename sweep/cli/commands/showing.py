"""Commands that show what is stored: list, table, plot, report, dashboard."""

import argparse
import signal
import textwrap

from sweep.cli.command import Command
from sweep.cli.commands.common import (
    advise,
    announced,
    database_of,
    format_table,
    next_command,
    print_advice,
    stored_study,
)
from sweep.cli.options import add_study, port, positive


def list_studies(arguments: argparse.Namespace) -> int:
    """List the stored studies."""
    from sweep.errors import StorageError
    from sweep.reporting.printable import printable
    from sweep.storage.study_names import study_names
    from sweep.storage.study_reader import load_study

    storage = database_of(arguments).open_read_only()
    names = study_names(storage)
    for name in names:
        try:
            study = load_study(storage, name)
        except StorageError as error:
            print(f"{printable(name):<24}  {printable(str(error))}")
            continue
        best = study.complete_trials()
        loss = (
            f"best {best[0].dev_loss:.4f}" if best else f"no {study.objectives[0].removeprefix('dev_')} yet"
        )
        done = sum(trial.is_finished for trial in study.trials)
        total, goal = study.total_trials, printable(study.goal)
        print(f"{printable(name):<24}  {done:>4} of {total:>4} trials  {loss:<12}  {goal}")
    advise("next: sweep table STUDY" if names else "no studies yet; next: sweep run STUDY.toml")
    return 0


def table(arguments: argparse.Namespace) -> int:
    """Show a study's ranked trials."""
    from sweep.storage.looks.test_looks import looks_of_study

    storage = database_of(arguments).open_read_only()
    study = stored_study(arguments, storage)
    print(format_table(study, arguments.format, arguments.top))
    if arguments.format == "text":
        for look in looks_of_study(study, storage):
            print(f"test split looked at {look.describe(study.metric.noun)}")
        print_advice(study, everything=arguments.advice)
        advise(f"next: {next_command(study, storage)}")
    return 0


def plot(arguments: argparse.Namespace) -> int:
    """Write one figure of a study."""
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.figures.figure_files import write_figure
    from sweep.reporting.figures.plots import plots_of

    database = database_of(arguments)
    record = stored_study(arguments, database.open_read_only())
    study = record.name
    if arguments.name is None:
        for name, plot in plots_of(record).items():
            print(f"{name}\n{textwrap.indent(textwrap.fill(plot.reading, 76), '    ')}")
        advise(f"next: sweep plot {arguments.study} NAME")
        return 0
    evidence = gather_evidence(study, database)
    with announced(f"drawing {arguments.name}"):
        path = write_figure(arguments.name, evidence, arguments.output, force=arguments.force)
    print(f"wrote {path}")
    advise(f"next: open {path} | sweep plot {study} for the names of the others")
    return 0


def report(arguments: argparse.Namespace) -> int:
    """Write a study's report."""
    from sweep.api.asked import stored_name
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.page.report import write_report

    database = database_of(arguments)
    evidence = gather_evidence(stored_name(arguments.study), database)
    with announced("evaluating the winner and drawing the report"):
        path = write_report(evidence)
    print(f"wrote {path}")
    go_on = next_command(evidence.study, database.open_read_only())
    advise(f"next: open {path} in a browser | {go_on}")
    return 0


def dashboard(arguments: argparse.Namespace) -> int:
    """Serve the Optuna dashboard, read-only, until Ctrl-C."""
    from sweep.dashboard.server import HOST, make_server

    database = database_of(arguments)
    server = make_server(database.open_for_dashboard(), database.files, arguments.port)
    print(f"http://{HOST}:{server.server_port}/", flush=True)
    advise("the Optuna dashboard, read-only; Ctrl-C ends it")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C
    with server:
        server.serve_forever()
    return 0


def _table_arguments(command: argparse.ArgumentParser) -> None:
    add_study(command)
    command.add_argument("--top", type=positive, metavar="N", help="only the best N")
    formats = ("text", "markdown", "csv", "json", "log")
    command.add_argument("--format", choices=formats, default="text", help="default: text")
    command.add_argument(
        "--advice", action="store_true", help="all advice below the table, not the first six"
    )


def _plot_arguments(command: argparse.ArgumentParser) -> None:
    add_study(command)
    command.add_argument("name", metavar="NAME", nargs="?", help="which figure; without it they are listed")
    command.add_argument(
        "-o", "--output", metavar="FILE", help=".html, .png or .svg (default: reports/STUDY/NAME.html)"
    )
    command.add_argument("--force", action="store_true", help="overwrite the file if it exists")


def _dashboard_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=port, default=8080, help="default: 8080; 0 takes a free one")


COMMANDS = (
    Command(
        name="list",
        does="list the stored studies",
        example="sweep list",
        run=list_studies,
    ),
    Command(
        name="table",
        does="show a study's ranked trials",
        example="sweep table quick --top 5",
        run=table,
        add_arguments=_table_arguments,
    ),
    Command(
        name="plot",
        does="write one figure of a study to a file",
        example="sweep plot quick history -o history.png",
        run=plot,
        add_arguments=_plot_arguments,
    ),
    Command(
        name="report",
        does="write a study's report, one HTML file",
        example="sweep report quick",
        run=report,
        add_arguments=add_study,
    ),
    Command(
        name="dashboard",
        does="browse the studies in the Optuna dashboard",
        example="sweep dashboard",
        run=dashboard,
        add_arguments=_dashboard_arguments,
    ),
)
