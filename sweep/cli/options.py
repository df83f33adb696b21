"""Options that several commands share, and the kinds of value that an option takes."""

import argparse


def add_study(command: argparse.ArgumentParser) -> None:
    """Add the argument that names a stored study."""
    command.add_argument("study", metavar="STUDY", help="name of a stored study, or its .toml")


def add_data_file(command: argparse.ArgumentParser) -> None:
    """Add ``--data``, another data file than the named one; the first releases called it ``--words``."""
    command.add_argument(
        "--data", "--words", dest="words", metavar="FILE", help="another data file than the one that is named"
    )


def add_settings(command: argparse.ArgumentParser) -> None:
    """Add ``--set``, which makes a variant of a study file."""
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change the study into a named variant: sampler=gp, fixed.init=normal, "
        "search.block_size=3..6 or =16,32; may be repeated",
    )


def add_trust(command: argparse.ArgumentParser) -> None:
    """Add ``--trust``, which lets the program of a stored study run here for the first time."""
    command.add_argument(
        "--trust",
        action="store_true",
        help="run the stored study's own program although you have not run it here before",
    )


def add_code_changed(command: argparse.ArgumentParser) -> None:
    """Add ``--code-changed``, which accepts another version of a study's program."""
    command.add_argument(
        "--code-changed",
        metavar="WHY",
        help="go on although the study's own program has changed; further trials are marked with the reason",
    )


def add_device(command: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    command.add_argument(
        "--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:N (default: auto)"
    )


def add_place(command: argparse.ArgumentParser) -> None:
    """Add ``--engine`` and ``--pool``: what trains, and where."""
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


def number(text: str) -> int:
    """Return a whole number from 0."""
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text}")
    return value


def positive(text: str) -> int:
    """Return a whole number from 1."""
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {text}")
    return value


def port(text: str) -> int:
    """Return the number of a port; 0 takes a free one."""
    value = _whole(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"must be from 0 to 65535, got {text}")
    return value
