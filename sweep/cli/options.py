"""Options that several commands share, and the kinds of value that an option takes."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sweep.cli import candidates
from sweep.storage.default_address import DEFAULT_STORAGE, STORAGE_VARIABLE

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise click.BadParameter(f"must be a whole number, got {text!r}") from error


def number(text: str) -> int:
    """Return a whole number from 0."""
    value = _whole(text)
    if value < 0:
        raise click.BadParameter(f"must be 0 or more, got {text}")
    return value


def positive(text: str) -> int:
    """Return a whole number from 1."""
    value = _whole(text)
    if value < 1:
        raise click.BadParameter(f"must be 1 or more, got {text}")
    return value


def port(text: str) -> int:
    """Return the number of a port; 0 takes a free one."""
    value = _whole(text)
    if not 0 <= value <= 65_535:
        raise click.BadParameter(f"must be from 0 to 65535, got {text}")
    return value


study = click.argument(
    "study",
    metavar="STUDY",
    shell_complete=candidates.stored_studies,
    help="name of a stored study, or its .toml",
)

study_file = click.argument(
    "study",
    metavar="STUDY.toml",
    shell_complete=candidates.study_files,
    help="study file, or the name of one in studies/",
)

config_file = click.argument(
    "config", metavar="CONFIG.toml", shell_complete=candidates.files, help="written by `sweep export`"
)

config_files = click.argument(
    "configs",
    metavar="CONFIG.toml...",
    nargs=-1,
    required=True,
    shell_complete=candidates.files,
    help="written by `sweep export`; several are evaluated in one look",
)

debug = click.option("--debug", is_flag=True, hidden=True, help="print the traceback of an error")
"""On every command; the help of ``sweep`` shows it."""

trials = click.option(
    "--trials", type=positive, metavar="TOTAL", help="total number of trials, including earlier runs"
)

replicates = click.option("--replicates", type=positive, metavar="R", help="seeds for each configuration")

timeout = click.option(
    "--timeout", metavar="TIME", help='time after which the run stops: "90s", "10m" or "none"'
)

settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="change the study into a named variant: sampler=gp, fixed.init=normal, "
    "search.block_size=3..6 or =16,32; may be repeated",
)

data_file = click.option(
    "--data",
    "--words",  # its name in the first releases
    "words",
    metavar="FILE",
    shell_complete=candidates.files,
    help="data file to use instead of the study's",
)

device = click.option("--device", default="auto", metavar="NAME", help="auto, cpu, cuda or cuda:N")

trust = click.option(
    "--trust",
    is_flag=True,
    help="allow the program of a stored study that you have not run here before",
)

code_changed = click.option(
    "--code-changed",
    metavar="WHY",
    help="continue although the study's program has changed; further trials are marked with this reason",
)

tracker = click.Choice(("mlflow", "wandb"))

force = click.option("--force", is_flag=True, help="overwrite the file if it exists")


def output(
    metavar: str,
    meaning: str,
    *,
    default: str | None = None,
    complete: candidates.Candidates = candidates.files,
) -> Callable[[Decorated], Decorated]:
    """Return ``-o``, where something is written; ``default`` names the place that is taken without it."""
    return click.option(
        "-o", "--output", metavar=metavar, shell_complete=complete, show_default=default, help=meaning
    )


def workers(meaning: str, *, default: str = "one a core") -> Callable[[Decorated], Decorated]:
    """Return ``--workers``; ``default`` names the number that is taken without it."""
    return click.option("--workers", type=positive, metavar="N", show_default=default, help=meaning)


def formats(*names: str) -> Callable[[Decorated], Decorated]:
    """Return ``--format``, one of the names; the first is taken where none is given."""
    return click.option("--format", type=click.Choice(names), default=names[0])


def place(function: Decorated) -> Decorated:
    """Add ``--engine`` and ``--pool``: what trains, and where."""
    engine = click.option(
        "--engine", metavar="NAME", show_default="the device's", help="implementation of the training"
    )
    pool = click.option(
        "--pool",
        default="local",
        metavar="NAME",
        shell_complete=candidates.words("local", "ray"),
        help="where to train: local, ray, or ray://HOST:PORT for a cluster",
    )
    return engine(pool(function))


def stored(function: Decorated) -> Decorated:
    """Add ``--storage`` and ``--files``: where the studies are."""
    storage = click.option(
        "--storage",
        envvar=STORAGE_VARIABLE,
        default=DEFAULT_STORAGE,
        metavar="URL",
        show_envvar=True,
        help="database",
    )
    files = click.option(
        "--files",
        metavar="DIR",
        shell_complete=candidates.folders,
        help="folder, or s3://BUCKET/PREFIX, of weights and curves beside a postgresql:// database",
        show_default="SWEEP_FILES",
    )
    return files(storage(function))
