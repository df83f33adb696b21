"""Define the command ``sweep log``, which prints the input and output of a trial's program."""

from pathlib import Path

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, database_of, stored_study

PARTS = ("command", "config", "reports", "stdout", "stderr")
"""Files of a trial that can be printed, in order."""


@command(example="sweep log digits 7 --tail 20")
@options.study
@click.argument("trial", type=options.number, metavar="TRIAL", help="number of the trial")
@click.option("--only", type=click.Choice(PARTS), show_default="all", help="one of its files")
@click.option("--tail", type=options.positive, metavar="N", help="the last N lines of each file")
def log(arguments: Arguments) -> int:
    """Print the input and output of a trial's program."""
    from sweep.errors import NotFoundError
    from sweep.trainers.program.folder import TrialFolder

    database = database_of(arguments)
    study = stored_study(arguments, database.open_read_only())
    if arguments.trial >= len(study.trials):
        has = f"it has {len(study.trials)}"
        raise NotFoundError(f"study {study.name!r} has no trial {arguments.trial}; {has}")
    folder = TrialFolder.of(database.program_folder(study.name), arguments.trial)
    if not folder.path.is_dir():
        what = "has no program of its own" if not study.program else f"has no folder {folder.path} here"
        raise NotFoundError(f"trial {arguments.trial} of {study.name!r} {what}")
    files = {name: getattr(folder, name) for name in PARTS if arguments.only in (None, name)}
    for name, path in files.items():
        _print(name, path, arguments.tail, with_heading=arguments.only is None)
    advise(f"all files: {folder.path}")
    return 0


def _print(name: str, path: Path, tail: int | None, *, with_heading: bool) -> None:
    from sweep.reporting.printable import printable
    from sweep.trainers.program.folder import lines_of

    lines = lines_of(path)
    if with_heading:
        cut = f", last {tail:,} of {len(lines):,} lines" if tail is not None and len(lines) > tail else ""
        print(f"== {name}{cut}")
    for line in lines if tail is None else lines[-tail:]:
        print(printable(line))


COMMANDS = (log,)
