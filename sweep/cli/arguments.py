"""Read the command line, and explain a mistyped one.

``registry`` finds the commands with their arguments. Every command has an example.
"""

import argparse
import difflib
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweep.cli.command import Command
from sweep.cli.registry import all_commands, built_in_commands
from sweep.storage.addresses import DEFAULT_STORAGE, STORAGE_VARIABLE
from sweep.version import __version__

_FIRST_STEPS = """\
first steps:
  examples            sweep init demo; cd demo; sweep run studies/quick.toml
  a script of yours   sweep init --from-script train.py --metric val_loss; sweep plan studies/train.toml
  a function          sweep init --function -o mine; sweep run mine/study.toml
"""

_NEGATIVE_NUMBER = re.compile(r"-\.?\d.*")


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments, or end with status 2 and what is wrong with them.

    argparse alone would show the usage of all commands for an unknown option of one, and blame with it
    the words that it then could not place.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    registry = built_in_commands()
    if not words or words[0] not in registry:
        registry = all_commands()
    parser, commands = _make_parsers(registry)
    if not words or words[0].startswith("-"):
        return parser.parse_args(words)
    if words[0] not in commands:
        parser.error(f"unknown command {_shown(words[0])}; {_hint(words[0], commands, 'sweep --help')}")
    command = commands[words[0]]
    for option in _unknown_options(command, words[1:]):
        known = [name for name in _option_names(command) if name.startswith("--")]
        command.error(f"unknown option {_shown(option)}; {_hint(option, known, f'{command.prog} --help')}")
    arguments, left = parser.parse_known_args(words)
    if left:
        command.error(f"unexpected argument {_shown(left[0])}")
    return arguments


def _unknown_options(command: argparse.ArgumentParser, words: Sequence[str]) -> Iterable[str]:
    """Yield what looks like an option and is none; as for argparse, the start of a name stands for it."""
    known = _option_names(command)
    for word in itertools.takewhile(lambda word: word != "--", words):
        name = word.partition("=")[0]
        if len(word) < 2 or not word.startswith("-") or " " in word or _NEGATIVE_NUMBER.fullmatch(word):
            continue
        if not any(option.startswith(name) for option in known) and word[:2] not in known:
            yield name


def _option_names(command: argparse.ArgumentParser) -> Iterable[str]:
    return command._option_string_actions  # noqa: SLF001  argparse has no public name for them


def _hint(word: str, known: Iterable[str], help_command: str) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"`{help_command}` lists what there is"


def _shown(word: str) -> str:
    return word if word.isprintable() else ascii(word)


def make_parser(registry: Mapping[str, Command] | None = None) -> argparse.ArgumentParser:
    """Return the parser of ``sweep`` with all its commands."""
    return _make_parsers(built_in_commands() if registry is None else registry)[0]


def _make_parsers(
    registry: Mapping[str, Command],
) -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of ``sweep``, and the parsers of its commands by name."""
    parser = argparse.ArgumentParser(
        prog="sweep",
        description="Search hyperparameters, honestly and fast.",
        epilog=_FIRST_STEPS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sweep {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in registry.values():
        _add(commands, command)
    return parser, commands.choices


def _add(commands: Any, added: Command) -> None:
    command: argparse.ArgumentParser = commands.add_parser(
        added.name,
        help=added.does,
        description=f"{added.does[0].upper()}{added.does[1:]}."
        + (added.explained and f"\n\n{added.explained}"),
        formatter_class=argparse.RawDescriptionHelpFormatter if added.explained else argparse.HelpFormatter,
        epilog=f"Example: {added.example}",
    )
    command.add_argument(
        "--storage",
        metavar="URL",
        default=os.environ.get(STORAGE_VARIABLE, DEFAULT_STORAGE),
        help=f"database (default: {STORAGE_VARIABLE}, else {DEFAULT_STORAGE})",
    )
    command.add_argument(
        "--files",
        metavar="DIR",
        help="folder, or s3://BUCKET/PREFIX, of weights and curves beside a postgresql:// database "
        "(default: SWEEP_FILES)",
    )
    added.add_arguments(command)
    command.set_defaults(run=added.run)
