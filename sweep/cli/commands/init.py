"""The command init: lay out examples, or the first study of a script or a function."""

import shlex
from pathlib import Path
from typing import Any

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, database_of
from sweep.errors import OptionError

FROM_GUEST = "sweep.trainers.guest.study_text:study_of_guest"
"""``module:object`` of what makes a study file of a study that Optuna made without sweep."""

FROM_SCRIPT = "sweep.trainers.command.from_script.first_study:study_of_script"
"""``module:object`` of what makes a study file of a script; loaded by name, as every trainer is."""


_EXPLAINED = """\
Nothing is overwritten. Beside each study file lies study.schema.json, with which editors check and
complete it.

\b
sweep init DIR
    Examples: studies of a small network on a list of names.
sweep init --from-script train.py
    Reads the script's argparse, click or Hydra options from its source. If
    the source lists none, it runs `python train.py --help` for at most 20 s
    in an empty folder. Options become entries of the study file, with their
    types, defaults and choices; an option that cannot be read becomes a
    comment.
sweep init --from-optuna STUDY --storage URL
    The search space and the objective of a study that Optuna made; fill in
    the command that trains a configuration.
sweep init --function -o mine
    A template for your training function, and a study that runs unchanged."""


@command(
    example="sweep init --from-script train.py --metric val_acc --direction maximize",
    explained=_EXPLAINED,
    one_of=("folder", "from_script", "from_optuna", "function"),
    not_together="-o PATH says where to write; for a function that exists, `sweep init --function -o mine` "
    "and write its MODULE:NAME after `trainer =` in mine/study.toml",
)
@click.argument(
    "folder",
    metavar="[DIR]",
    required=False,
    shell_complete=candidates.folders,
    help="folder for the examples; made if it is missing",
)
@click.option(
    "--from-script",
    metavar="SCRIPT",
    shell_complete=candidates.files,
    help="write a study file for a script of yours",
)
@click.option(
    "--from-optuna",
    metavar="STUDY",
    shell_complete=candidates.stored_studies,
    help="write a study file for a study that Optuna stored",
)
@click.option("--function", is_flag=True, help="write trainers.py and a study that runs it")
@options.output(
    "PATH",
    "the study file, or the folder of the function",
    default="studies/SCRIPT.toml, or . for a function",
)
@click.option("--metric", metavar="NAME", help="the figure that the script prints")
@click.option("--direction", type=click.Choice(("minimize", "maximize")), help="of the metric")
def init(arguments: Arguments) -> int:
    """Write examples, or a first study for your own script or function."""
    _check_options(arguments)
    if arguments.from_script is not None:
        return _init_script(arguments)
    if arguments.from_optuna is not None:
        return _init_guest(arguments)
    if arguments.function:
        return _init_function(Path(arguments.output or "."))
    return _init_examples(Path(arguments.folder))


def _check_options(arguments: Arguments) -> None:
    """Refuse options that have no effect on what is asked for."""
    if arguments.from_script is None and (arguments.metric or arguments.direction):
        raise OptionError("--metric and --direction go with --from-script", key="unused-option")
    if arguments.folder is not None and arguments.output:
        raise OptionError(
            "-o goes with --from-script, --from-optuna and --function; DIR is the folder", key="unused-option"
        )


def _init_examples(folder: Path) -> int:
    from sweep.cli.workspace import init_workspace

    _print_written(init_workspace(folder))
    advise(f"next: {shlex.join(['cd', str(folder)])} && sweep run studies/quick.toml")
    return 0


def _init_function(folder: Path) -> int:
    from sweep.cli.workspace import init_function

    written = init_function(folder)
    _print_written(written)
    advise(f"next: {shlex.join(['sweep', 'run', str(written[-1])])}")
    return 0


def _init_guest(arguments: Arguments) -> int:
    """Write the study file of a study that Optuna made, and print what is left to do."""
    from sweep.definition.registries import Registry
    from sweep.storage.guests.reader import load_guest

    guest = load_guest(database_of(arguments).open_read_only(), arguments.from_optuna)
    return _write_first(Registry({"guest": FROM_GUEST})["guest"](guest), arguments)


def _init_script(arguments: Arguments) -> int:
    """Write the study file of a script, and print what is left to do."""
    from sweep.definition.registries import Registry

    study_of_script = Registry({"script": FROM_SCRIPT})["script"]
    study = study_of_script(
        Path(arguments.from_script), metric=arguments.metric, direction=arguments.direction, note=advise
    )
    return _write_first(study, arguments)


def _write_first(study: Any, arguments: Arguments) -> int:
    """Write a first study file, and print what is left to do."""
    from sweep.cli.workspace import write_study_file

    path = Path(arguments.output or f"studies/{study.name}.toml")
    _print_written(write_study_file(path, study.text))
    to_do = f"{', '.join(study.to_do)} in {path}, then " if study.to_do else ""
    advise(f"next: {to_do}{shlex.join(['sweep', 'plan', str(path)])}")
    return 0


def _print_written(paths: list[Path]) -> None:
    from sweep.reporting.printable import printable

    for path in paths:
        print(printable(f"wrote {path}"))


COMMANDS = (init,)
