"""The command line: arguments to one library call to an exit status.

Results go to stdout, progress and advice to stderr. Exit status: 0 done; 1 the input or the
study is wrong; 2 usage; 3 the machine failed; 130 Ctrl-C; 143 SIGTERM; 141 a run that nobody reads.
The commands stand in ``commands``; each imports what it needs, so that ``sweep --help`` answers at once.
"""

import argparse
import gc
import io
import sys
from collections.abc import Callable, Sequence

from sweep.cli.arguments import parse_arguments
from sweep.cli.commands import keeping, searching, showing, using
from sweep.cli.commands.common import complain, drop_output, report_error
from sweep.errors import SweepError

_Command = Callable[[argparse.Namespace], int]

_LOSING_OR_FAILING = ("strict", "surrogateescape")
"""What Python does by itself with a letter that an encoding lacks; other ways were asked for."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    gc.set_threshold(100_000)  # nearly all objects live to the end; a table of 1,000 trials takes 12 % less
    arguments = parse_arguments(argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in _LOSING_OR_FAILING:
        sys.stdout.reconfigure(errors="backslashreplace")  # a letter that an encoding lacks is seen as \\u…
    try:
        status = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return status
    except SweepError as error:
        report_error(error, as_json=getattr(arguments, "json", False))
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        drop_output()  # the reader has seen enough
        return 0
    except OSError as error:
        complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        drop_output()
        return 3


_COMMANDS: dict[str, _Command] = {
    "run": searching.run,
    "plan": searching.plan,
    "list": showing.list_studies,
    "table": showing.table,
    "lr-find": searching.lr_find,
    "plot": showing.plot,
    "report": showing.report,
    "dashboard": showing.dashboard,
    "confirm": searching.confirm,
    "export": using.export,
    "replay": using.replay,
    "test": using.test,
    "sample": using.sample,
    "rename": keeping.rename,
    "copy": keeping.copy,
    "delete": keeping.delete,
    "init": keeping.init,
    "doctor": keeping.doctor,
}


if __name__ == "__main__":
    sys.exit(main())
