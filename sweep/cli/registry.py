"""Find the commands: those of every study, and those that trainers add.

The trainers' own commands are found by name, so that this room knows no trainer. Installed packages add
commands by the entry point group ``sweep.commands``; it is looked up only for a name that is not built in.
"""

import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from sweep.cli.command import Command

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = (
    "sweep.cli.commands.init:COMMANDS",
    "sweep.cli.commands.run:COMMANDS",
    "sweep.cli.commands.plan:COMMANDS",
    "sweep.cli.commands.showing:COMMANDS",
    "sweep.cli.commands.comparing:COMMANDS",
    "sweep.cli.commands.confirm:COMMANDS",
    "sweep.cli.commands.ablate:COMMANDS",
    "sweep.cli.commands.using:COMMANDS",
    "sweep.cli.commands.tracking:COMMANDS",
    "sweep.cli.commands.keeping:COMMANDS",
    "sweep.cli.commands.completion:COMMANDS",
    "sweep.trainers.program.commands:COMMANDS",
    "sweep.trainers.mlp.commands:COMMANDS",
)
"""``module:object`` of the commands, in the order in which they are listed."""

ENTRY_POINTS = "sweep.commands"
"""Group in which an installed package names a tuple of ``Command``."""


def built_in_commands() -> dict[str, Command]:
    """Return the commands that travel with sweep, by name, in the order in which they are listed."""
    commands: list[Command] = []
    for place in BUILT_IN:
        module, _, target = place.partition(":")
        commands += getattr(importlib.import_module(module), target)
    return _by_name(commands)


def all_commands() -> dict[str, Command]:
    """Return the commands that travel with sweep and those of installed packages; ours keep their names."""
    from importlib.metadata import entry_points

    points = entry_points(group=ENTRY_POINTS)
    return _by_name(command for point in points for command in _load(point)) | built_in_commands()


def _load(point: "EntryPoint") -> Sequence[Command]:
    """Return a package's commands; a package that fails costs a line, not our commands."""
    try:
        return cast("Sequence[Command]", point.load())
    except Exception as error:  # noqa: BLE001  whatever it is, it concerns that package alone
        sys.stderr.write(f"sweep: the commands of {point.value} are left out: {error}\n")
        return ()


def _by_name(commands: Iterable[Command]) -> dict[str, Command]:
    return {command.name: command for command in commands}
