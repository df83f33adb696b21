"""Commands that only the MLP has: lr-find, sample."""

import argparse
from pathlib import Path

from sweep.cli.command import Command
from sweep.cli.commands.common import advise, database_of, mend, study_spec
from sweep.cli.options import add_data_file, add_device, add_settings, number, positive
from sweep.errors import SweepError


def lr_find(arguments: argparse.Namespace) -> int:
    """Find a learning rate by a range test."""
    from sweep.certify.config_file import is_config_file, load_config
    from sweep.tasks.mlp.shown.lr_find import find_learning_rate, subject_of_config, subject_of_study
    from sweep.tasks.mlp.trainer import MLP

    database = database_of(arguments)
    if is_config_file(arguments.study):
        if arguments.settings:
            raise SweepError(
                f"--set changes a study file, and {arguments.study} is an exported configuration"
            )
        config, provenance = load_config(arguments.study)
        subject = subject_of_config(config, provenance, arguments.words or provenance.data["words"])
    else:
        subject = subject_of_study(study_spec(arguments), database)
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
    for name, (rate, why) in found.suggestions.items():
        print(f"  {name:<18} {'none' if rate is None else f'{rate:.4g}':>8}  {why}")
    for path in found.paths:
        print(f"wrote {path}")
    advise(f"next: open {found.paths[0]} in a browser | sweep dashboard")
    return 0


def sample(arguments: argparse.Namespace) -> int:
    """Print new words from a trained model."""
    from sweep.certify.config_file import load_config
    from sweep.tasks.mlp.shown.sample import sample_from
    from sweep.tasks.mlp.trainer import MLP

    config, provenance = load_config(arguments.config)
    words = arguments.words or provenance.data["words"]
    database, n, seed = database_of(arguments), arguments.n, arguments.seed
    mend(MLP, MLP.resolve_device("auto"))
    for word in sample_from(config, provenance, database, words=words, n=n, seed=seed, say=advise):
        print(word)
    return 0


def _lr_find_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY.toml|CONFIG.toml", help="study file or exported config")
    command.add_argument(
        "--seeds", type=positive, default=5, metavar="N", help="runs of the test (default: 5)"
    )
    command.add_argument(
        "--start", type=float, metavar="LR", help="first rate (default: 0.001, with adamw 0.00001)"
    )
    command.add_argument("--end", type=float, metavar="LR", help="last rate (default: 1, with adamw 0.1)")
    command.add_argument("--steps", type=positive, default=1_000, metavar="N", help="default: 1000")
    add_settings(command)
    add_data_file(command)
    add_device(command)


def _sample_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", metavar="CONFIG.toml", help="written by `sweep export`")
    command.add_argument("-n", type=positive, default=20, metavar="N", help="how many words (default: 20)")
    command.add_argument("--seed", type=number, default=0, help="of the sampling (default: 0)")
    add_data_file(command)


COMMANDS = (
    Command(
        name="lr-find",
        does="find a learning rate by a range test",
        example="sweep lr-find studies/quick.toml",
        run=lr_find,
        add_arguments=_lr_find_arguments,
        follows_run_of="mlp",
    ),
    Command(
        name="sample",
        does="print new words from a trained model",
        example="sweep sample best.toml -n 20",
        run=sample,
        add_arguments=_sample_arguments,
        follows_export_of="mlp",
    ),
)
