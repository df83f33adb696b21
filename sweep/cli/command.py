"""What a command is: its name, its help, its arguments and the function that does it."""

import argparse
import dataclasses
from collections.abc import Callable


def no_arguments(command: argparse.ArgumentParser) -> None:
    """Add nothing to what every command takes."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of ``sweep``. Its function imports what it needs, so that ``--help`` answers at once."""

    name: str
    does: str
    """One line for the list of commands."""
    example: str
    explained: str = ""
    """What its help says below that line, as it is to be printed."""
    run: Callable[[argparse.Namespace], int]
    """Does the command and returns the exit status."""
    add_arguments: Callable[[argparse.ArgumentParser], None] = no_arguments
    follows_run_of: str = ""
    """Trainer after whose runs the command is proposed; it takes the study's name."""
    follows_export_of: str = ""
    """Trainer after whose exports the command is proposed; it takes the exported file."""
