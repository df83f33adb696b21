"""Which arguments does each command take, and what is said of a mistyped one?

What the commands do stands in ``cli``. Every command has an example.
"""

import argparse
import difflib
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sweep import __version__
from sweep.storage.addresses import DEFAULT_STORAGE, STORAGE_VARIABLE

_NEGATIVE_NUMBER = re.compile(r"-\.?\d.*")


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments, or end with status 2 and what is wrong with them.

    argparse alone would show the usage of all commands for an unknown option of one, and blame with it
    the words that it then could not place.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    parser, commands = _make_parsers()
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


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of ``sweep`` with all its commands."""
    return _make_parsers()[0]


def _make_parsers() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of ``sweep``, and the parsers of its commands by name."""
    parser = argparse.ArgumentParser(
        prog="sweep",
        description="Search the hyperparameters of a character-level MLP, honestly and fast.",
        epilog="A first run: sweep init demo; cd demo; sweep run studies/quick.toml",
    )
    parser.add_argument("--version", action="version", version=f"sweep {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    _add_searching(commands)
    _add_using(commands)
    _add_keeping(commands)
    return parser, commands.choices


def _add_searching(commands: Any) -> None:
    run = _add(commands, "run", "train a study's trials, or go on with them", "sweep run studies/quick.toml")
    run.add_argument("study", metavar="STUDY.toml", help="study file, or the name of one in studies/")
    run.add_argument(
        "--trials", type=_positive, metavar="TOTAL", help="total of trials, earlier runs included"
    )
    run.add_argument("--timeout", metavar="TIME", help='stop after, as "90s", "10m" or "none"')
    run.add_argument(
        "--workers",
        type=_positive,
        metavar="N",
        help="trials in training at a time (default: one a core; engine population on a GPU: 128; "
        "pool ray: as many as the cluster has room for)",
    )
    run.add_argument("--replicates", type=_positive, metavar="R", help="seeds for each configuration")
    run.add_argument("--as", dest="new_name", metavar="NAME", help="store the study under another name")
    _add_settings(run)
    run.add_argument(
        "--from", dest="source", metavar="STUDY", help="begin with the best configurations of a stored study"
    )
    run.add_argument(
        "--from-top", dest="source_top", type=_positive, metavar="N", help="how many of them (default: 5)"
    )
    run.add_argument("--json", action="store_true", help="one JSON object a finished trial on stdout")
    _add_words(run)
    _add_device(run)
    _add_place(run)

    plan = _add(commands, "plan", "say what a study would cost", "sweep plan studies/quick.toml")
    plan.add_argument("study", metavar="STUDY.toml", help="study file, or the name of one in studies/")
    plan.add_argument("--trials", type=_positive, metavar="TOTAL", help="another total of trials")
    plan.add_argument("--timeout", metavar="TIME", help="another timeout of one run")
    plan.add_argument(
        "--workers", type=_positive, metavar="N", help="processes that would train (default: one a core)"
    )
    plan.add_argument("--replicates", type=_positive, metavar="R", help="seeds for each configuration")
    plan.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    _add_settings(plan)
    _add_words(plan)
    _add_device(plan)

    _add(commands, "list", "list the stored studies", "sweep list")

    table = _add(commands, "table", "show a study's ranked trials", "sweep table quick --top 5")
    _add_study(table)
    table.add_argument("--top", type=_positive, metavar="N", help="only the best N")
    formats = ("text", "markdown", "csv", "json", "log")
    table.add_argument("--format", choices=formats, default="text", help="default: text")
    table.add_argument("--advice", action="store_true", help="all advice below the table, not the first six")

    find = _add(
        commands, "lr-find", "find a learning rate by a range test", "sweep lr-find studies/quick.toml"
    )
    find.add_argument("study", metavar="STUDY.toml|CONFIG.toml", help="study file or exported config")
    find.add_argument("--seeds", type=_positive, default=5, metavar="N", help="runs of the test (default: 5)")
    find.add_argument("--start", type=float, default=1e-3, metavar="LR", help="first rate (default: 0.001)")
    find.add_argument("--end", type=float, default=1.0, metavar="LR", help="last rate (default: 1)")
    find.add_argument("--steps", type=_positive, default=1_000, metavar="N", help="default: 1000")
    _add_settings(find)
    _add_words(find)
    _add_device(find)

    plot = _add(
        commands, "plot", "write one figure of a study to a file", "sweep plot quick history -o history.png"
    )
    _add_study(plot)
    plot.add_argument("name", metavar="NAME", nargs="?", help="which figure; without it they are listed")
    plot.add_argument(
        "-o", "--output", metavar="FILE", help=".html, .png or .svg (default: reports/STUDY/NAME.html)"
    )
    plot.add_argument("--force", action="store_true", help="overwrite the file if it exists")

    report = _add(commands, "report", "write a study's report, one HTML file", "sweep report quick")
    _add_study(report)

    dashboard = _add(commands, "dashboard", "browse the studies in the Optuna dashboard", "sweep dashboard")
    dashboard.add_argument("--port", type=_port, default=8080, help="default: 8080; 0 takes a free one")


def _add_using(commands: Any) -> None:
    confirm = _add(
        commands,
        "confirm",
        "train the best configurations again on fresh seeds and choose among them",
        "sweep confirm quick --top 5 --seeds 5",
    )
    _add_study(confirm)
    confirm.add_argument("--top", type=_positive, default=5, metavar="K", help="candidates (default: 5)")
    confirm.add_argument(
        "--seeds", type=_positive, default=5, metavar="N", help="seeds for each (default: 5)"
    )
    confirm.add_argument(
        "--certify", type=_positive, default=5, metavar="M", help="more seeds for the chosen one (default: 5)"
    )
    confirm.add_argument(
        "--race",
        action="store_true",
        help="leave candidates out early; --seeds is then the most (Kim, Nelson)",
    )
    confirm.add_argument(
        "--delta", type=float, metavar="D", help="difference that matters (default: the trainer's)"
    )
    confirm.add_argument(
        "--alpha", type=float, default=0.05, metavar="P", help="chance of an error (default: 0.05)"
    )
    confirm.add_argument("--workers", type=_positive, metavar="N", help="default: one a core")
    confirm.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    _add_device(confirm)
    _add_place(confirm)

    export = _add(
        commands, "export", "write the best configuration to a file", "sweep export quick -o best.toml"
    )
    _add_study(export)
    export.add_argument("--trial", type=_number, metavar="N", help="another trial than the best")
    export.add_argument("-o", "--output", metavar="FILE", help="default: reports/STUDY/best.toml")
    export.add_argument("--force", action="store_true", help="overwrite the file if it exists")

    replay = _add(
        commands, "replay", "train a stored trial again and compare", "sweep replay quick --trial 7"
    )
    _add_study(replay)
    replay.add_argument("--trial", type=_number, metavar="N", help="default: the best")
    replay.add_argument("--engine", metavar="NAME", help="default: the engine of then")
    _add_device(replay)

    test = _add(
        commands, "test", "evaluate an exported config once on the test split", "sweep test best.toml"
    )
    test.add_argument("config", metavar="CONFIG.toml", help="written by `sweep export`")
    test.add_argument(
        "--again", default="", metavar="WHY", help="reason for looking once more; it is recorded"
    )
    _add_words(test)
    _add_device(test)

    sample = _add(commands, "sample", "print new words from a trained model", "sweep sample best.toml -n 20")
    sample.add_argument("config", metavar="CONFIG.toml", help="written by `sweep export`")
    sample.add_argument("-n", type=_positive, default=20, metavar="N", help="how many words (default: 20)")
    sample.add_argument("--seed", type=_number, default=0, help="of the sampling (default: 0)")
    _add_words(sample)


def _add_keeping(commands: Any) -> None:
    rename = _add(commands, "rename", "rename a stored study", "sweep rename quick first-try")
    _add_study(rename)
    rename.add_argument("new", metavar="NEW", help="its new name")

    copy = _add(
        commands,
        "copy",
        "copy a stored study, its confirmation and its files to another database",
        "sweep copy quick --to postgresql://USER@HOST/DATABASE",
    )
    _add_study(copy)
    copy.add_argument("--to", required=True, metavar="URL", help="the other database")
    copy.add_argument(
        "--to-files", metavar="DIR", help="its folder of files, or s3://…, if it is on a server"
    )

    delete = _add(commands, "delete", "delete a stored study and its files", "sweep delete first-try")
    _add_study(delete)
    delete.add_argument("--yes", action="store_true", help="do not ask back")

    init = _add(commands, "init", "lay out a folder with starter studies and a word list", "sweep init demo")
    init.add_argument("folder", metavar="DIR", help="made where it is missing; nothing is overwritten")

    _add(commands, "doctor", "check versions, device, database, permissions and disk", "sweep doctor")


def _add(commands: Any, name: str, does: str, example: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}.", epilog=f"Example: {example}"
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
    return command


def _add_study(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY", help="name of a stored study, or its .toml")


def _add_words(command: argparse.ArgumentParser) -> None:
    command.add_argument("--words", metavar="FILE", help="another word list than the one that is named")


def _add_settings(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the study into a named variant: sampler=gp, fixed.init=normal, "
        "search.block_size=3..6 or =16,32; may be repeated",
    )


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:N (default: auto)"
    )


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument("--engine", metavar="NAME", help="what trains (default: the device's)")
    command.add_argument(
        "--pool",
        default="local",
        metavar="NAME",
        help="where: local, or ray, or ray://HOST:PORT for a cluster (default: local)",
    )


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from error


def _number(text: str) -> int:
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return value


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return value


def _port(text: str) -> int:
    value = _whole(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"must be from 0 to 65535, got {text}")
    return value
