"""The command that only programs have: log, which prints what a trial left."""

import argparse
from pathlib import Path

from sweep.cli.command import Command
from sweep.cli.commands.common import advise, database_of, stored_study
from sweep.cli.options import add_study, number, positive

PARTS = ("command", "config", "reports", "stdout", "stderr")
"""Files of a trial that can be printed, in this order."""


def log(arguments: argparse.Namespace) -> int:
    """Print the command, configuration, reports and output of one trial."""
    from sweep.errors import NotFoundError
    from sweep.tasks.program.folder import TrialFolder

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
    from sweep.tasks.program.folder import lines_of

    lines = lines_of(path)
    if with_heading:
        cut = f", last {tail:,} of {len(lines):,} lines" if tail is not None and len(lines) > tail else ""
        print(f"== {name}{cut}")
    for line in lines if tail is None else lines[-tail:]:
        print(printable(line))


def _log_arguments(command: argparse.ArgumentParser) -> None:
    add_study(command)
    command.add_argument("trial", type=number, metavar="TRIAL", help="number of the trial")
    command.add_argument("--only", choices=PARTS, help="one of its files (default: all)")
    command.add_argument("--tail", type=positive, metavar="N", help="the last N lines of each file")


COMMANDS = (
    Command(
        name="log",
        does="print what a trial's program was given and printed",
        example="sweep log digits 7 --tail 20",
        run=log,
        add_arguments=_log_arguments,
    ),
)
