"""Define the commands of the MLP: lr-find and sample."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, database_of, mend, study_spec
from sweep.errors import ConfigError, OptionError

if TYPE_CHECKING:
    from sweep.certify.provenance import Provenance
    from sweep.definition.spec import StudySpec
    from sweep.trainers.mlp.config import TrainConfig


@command(example="sweep lr-find studies/quick.toml", follows_run_of="mlp")
@click.argument(
    "study",
    metavar="STUDY.toml|CONFIG.toml",
    shell_complete=candidates.study_files,
    help="study file or exported config",
)
@click.option("--seeds", type=options.positive, default=5, metavar="N", help="number of runs")
@click.option(
    "--start", type=float, metavar="LR", show_default="0.001, with adamw 0.00001", help="first rate"
)
@click.option("--end", type=float, metavar="LR", show_default="1, with adamw 0.1", help="last rate")
@click.option("--steps", type=options.positive, default=1_000, metavar="N", help="steps of each run")
@options.settings
@options.data_file
@options.device
def lr_find(arguments: Arguments) -> int:
    """Find a learning rate by a range test."""
    from sweep.certify.config_file import is_config_file
    from sweep.trainers.mlp.shown.lr_find import find_learning_rate, subject_of_config, subject_of_study
    from sweep.trainers.mlp.trainer import MLP

    database = database_of(arguments)
    if is_config_file(arguments.study):
        if arguments.settings:
            raise OptionError(
                f"--set changes a study file, and {arguments.study} is an exported configuration"
            )
        config, provenance = _exported(arguments.study, "lr-find")
        subject = subject_of_config(config, provenance, arguments.words or provenance.data["words"])
    else:
        subject = subject_of_study(_study(arguments), database)
    mend(MLP, MLP.resolve_device(arguments.device))
    advise(f"range test of {subject.what} over {arguments.seeds} seeds, {arguments.steps:,} steps each")
    found = find_learning_rate(
        subject,
        database,
        Path("reports"),
        seeds=arguments.seeds,
        low=arguments.start,
        high=arguments.end,
        steps=arguments.steps,
        device=arguments.device,
    )
    print(found.recommendation.sentence())
    print(f"The tested configuration has {found.own:.3g}. What each rule says:")
    for name, (rate, why) in found.suggestions.items():
        print(f"  {name:<18} {'none' if rate is None else f'{rate:.4g}':>8}  {why}")
    for path in found.paths:
        print(f"wrote {path}")
    advise(f"next: open {found.paths[0]} in a browser | sweep dashboard")
    return 0


@command(example="sweep sample best.toml -n 20", follows_export_of="mlp")
@options.config_file
@click.option("-n", type=options.positive, default=20, metavar="N", help="number of words")
@click.option("--seed", type=options.number, default=0, metavar="N", help="seed of the sampling")
@options.data_file
def sample(arguments: Arguments) -> int:
    """Print new words from a trained model."""
    from sweep.trainers.mlp.shown.sample import sample_from
    from sweep.trainers.mlp.trainer import MLP

    config, provenance = _exported(arguments.config, "sample")
    words = arguments.words or provenance.data["words"]
    database, n, seed = database_of(arguments), arguments.n, arguments.seed
    mend(MLP, MLP.resolve_device("auto"))
    for word in sample_from(config, provenance, database, words=words, n=n, seed=seed, say=advise):
        print(word)
    return 0


def _exported(path: str, verb: str) -> "tuple[TrainConfig, Provenance]":
    """Read an exported configuration; refuse that of another trainer."""
    from sweep.certify.config_file import load_config

    config, provenance = load_config(path)
    _check_trainer(path, provenance.trainer, verb)
    return config, provenance


def _study(arguments: Arguments) -> "StudySpec":
    """Read the study file of lr-find; refuse that of another trainer."""
    spec = study_spec(arguments)
    _check_trainer(arguments.study, spec.task.name, "lr-find")
    return spec


def _check_trainer(path: str, trainer: str, verb: str) -> None:
    from sweep.trainers.mlp.trainer import MLP

    if trainer != MLP.name:
        raise ConfigError(f"`sweep {verb}` is only for the built-in trainer {MLP.name}; {path} has {trainer}")


COMMANDS = (lr_find, sample)
