"""The command line: arguments to one library call to an exit status.

Results go to stdout, progress and advice to stderr. Exit status: 0 done; 1 the input or the
study is wrong; 2 usage; 3 the machine failed; 130 Ctrl-C; 143 SIGTERM; 141 a run that nobody reads.
``registry`` finds the commands; each imports what it needs, so that ``sweep --help`` answers at once.
"""

import atexit
import gc
import io
import os
import sys
import traceback
from collections.abc import Sequence

import click

from sweep.cli.arguments import parse_arguments
from sweep.cli.commands.common import complain, drop_output, report_error, report_usage
from sweep.cli.completion import VARIABLE, complete
from sweep.errors import SweepError
from sweep.reporting.printable import printable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before a command loads numpy; sweep/api says why

_LOSING_OR_FAILING = ("strict", "surrogateescape")
"""What Python does by itself with a letter that an encoding lacks; other ways were asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    gc.set_threshold(100_000)  # nearly all objects live to the end; a table of 1,000 trials takes 12 % less
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in _LOSING_OR_FAILING:
        sys.stdout.reconfigure(errors="backslashreplace")  # a letter that an encoding lacks is seen as \\u…
    try:
        status = _run_command(argv)
        if sys.stdout is not None:  # as where it is closed
            sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop_output()  # the reader has seen enough
        return 0
    except OSError as error:
        complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        drop_output()
        return 3
    finally:
        _write_nothing_more()


def _write_nothing_more() -> None:
    """Cancel the colour reset that colorama writes at the end of the process, under NO_COLOR too.

    Optuna loads colorama if it is installed.
    """
    if (initialise := sys.modules.get("colorama.initialise")) is not None:
        atexit.unregister(initialise.reset_all)


def _run_command(argv: Sequence[str] | None) -> int:
    """Run one command, or complete a line for a shell; what a user can put right ends in a message."""
    if VARIABLE in os.environ:
        return complete(os.environ[VARIABLE])
    try:
        arguments = parse_arguments(argv)
    except click.exceptions.Exit as end:  # help was asked for, and is printed
        return end.exit_code
    except click.UsageError as error:
        report_usage(error)
        return error.exit_code
    try:
        return arguments.run(arguments)
    except SweepError as error:
        if arguments.debug:
            _write_traceback(error)
        report_error(error, as_json=getattr(arguments, "json", False))
        return error.exit_status


def _write_traceback(error: SweepError) -> None:
    """Write the traceback of an error to stderr, first that of an error in the user's code."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        sys.stderr.write(f"{printable(line)}\n")


if __name__ == "__main__":
    sys.exit(main())
