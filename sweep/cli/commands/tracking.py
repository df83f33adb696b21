"""The command track: log a stored study to an experiment tracker."""

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import announced, database_of, stored_study

_EXPLAINED = """
Each finished trial becomes one run with its hyperparameters, its values at each step, its final figures,
and tags with its seed, code and environment. A trial is logged once: the command adds those that are
missing. `sweep run --track` does the same while a study runs.

\b
mlflow  an experiment with the study's name, where MLFLOW_TRACKING_URI says
wandb   a group with the study's name, in the folder wandb; nothing is sent
"""


@command(example="sweep track quick --to mlflow", explained=_EXPLAINED)
@options.study
@click.option("--to", type=options.tracker, required=True, help="the tracker")
def track(arguments: Arguments) -> int:
    """Log a stored study's trials to MLflow or Weights & Biases."""
    from sweep.tracking.follower import log_now

    database = database_of(arguments)
    study = stored_study(arguments, database.open_read_only())
    with announced(f"logging study {study.name!r} to {arguments.to}"):
        line = log_now(arguments.to, study.name, database)
    print(line)
    return 0


COMMANDS = (track,)
