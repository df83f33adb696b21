"""Read the command line. ``registry`` finds the commands; click explains a mistyped one."""

import sys
from collections.abc import Mapping, Sequence

import click

from sweep.cli.command import Arguments, Command
from sweep.cli.registry import all_commands, built_in_commands
from sweep.version import __version__

_FIRST_STEPS = """\
\b
First steps:
  examples           sweep init demo; cd demo; sweep run studies/quick.toml
  a script of yours  sweep init --from-script train.py --metric val_loss
  a function         sweep init --function -o mine; sweep run mine/study.toml
"""


class _Sweep(click.Group):
    """The command ``sweep``, which lists its commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def parse_arguments(argv: Sequence[str] | None = None) -> Arguments:
    """Return the arguments of a command line.

    Raises:
        click.UsageError: If the command line is wrong.
        click.exceptions.Exit: If it asks for help or the version, which is printed.
    """
    words = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    commands = built_in_commands()
    if words[0] not in commands:
        commands = all_commands()
    sweep = make_sweep(commands)
    with sweep.make_context("sweep", words) as context:
        arguments: Arguments = sweep.invoke(context)
    return arguments


def make_sweep(commands: Mapping[str, Command]) -> click.Group:
    """Return the command ``sweep`` with its subcommands."""
    group = _Sweep(
        name="sweep",
        commands=dict(commands),
        help="Tune the hyperparameters of any training code.",
        epilog=_FIRST_STEPS,
        params=[
            click.Option(
                ["--debug"], is_flag=True, help="Print the traceback of an error; any command takes it."
            )
        ],
        context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
        subcommand_metavar="COMMAND ...",
    )
    return click.version_option(__version__, message="sweep %(version)s")(group)
