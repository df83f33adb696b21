"""The command that shows several studies side by side: compare."""

from pathlib import Path

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, database_of, terminal_look
from sweep.errors import SweepError


@command(example="sweep compare quick quick-tpe -o comparison.html")
@click.argument(
    "studies",
    metavar="STUDY STUDY ...",
    nargs=-1,
    required=True,
    shell_complete=candidates.stored_studies,
    help="names of stored studies with the same metric",
)
@options.output("FILE.html", "also write a page with the best value so far over trials and seconds")
@options.force
@options.formats("text", "markdown", "csv", "json")
def compare(arguments: Arguments) -> int:
    """Show two or more studies side by side."""
    from sweep.api.asked import stored_name
    from sweep.reporting.compare.comparison import compare
    from sweep.reporting.compare.formats import FORMATS
    from sweep.reporting.compare.page import comparison_page
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.files import write_text

    path = _checked_path(arguments)
    database = database_of(arguments)
    reader = database.open_read_only()
    names = [stored_name(study, reader) for study in arguments.studies]
    comparison = compare([gather_evidence(name, database) for name in names])
    look = terminal_look()
    print(FORMATS[arguments.format](comparison, look["width"], look["colour"]))
    if path is None:
        advise(f"next: sweep compare {' '.join(names)} -o comparison.html for a page with figures")
        return 0
    write_text(path, comparison_page(comparison))
    advise(f"wrote {path}; next: open {path} in a browser")
    return 0


def _checked_path(arguments: Arguments) -> Path | None:
    """Return where the page is written; refuse another suffix, and a file that exists without --force."""
    if arguments.output is None:
        return None
    path = Path(arguments.output)
    if path.suffix.lower() != ".html":
        raise SweepError(f"{path} must end in .html; name another with -o")
    if path.exists() and not arguments.force:
        raise SweepError(f"{path} exists and is not overwritten; name another with -o, or pass --force")
    return path


COMMANDS = (compare,)
