"""The command ablate: measure what each change between two configurations brings."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import (
    advise,
    check_place,
    database_of,
    how_of,
    publish_study,
    terminal_look,
)
from sweep.values import Toml

if TYPE_CHECKING:
    from sweep.certify.ablation.pair import Pair
    from sweep.certify.ablation.stored_ablation import StoredAblation
    from sweep.storage.database import Database


@command(example="sweep ablate before.toml best.toml")
@click.argument(
    "start", metavar="FROM.toml", shell_complete=candidates.files, help="written by `sweep export`"
)
@click.argument(
    "end", metavar="TO.toml", shell_complete=candidates.files, help="of the same trainer and data"
)
@click.option("--seeds", type=options.positive, default=5, metavar="N", help="seeds for each step")
@click.option(
    "--together",
    multiple=True,
    metavar="NAME,NAME",
    help="hyperparameters that change in one step; may be repeated",
)
@click.option("--as", "new_name", metavar="NAME", help="name of the study that stores the trainings")
@options.workers("processes that train")
@options.formats("text", "json")
@options.data_file
@options.device
@options.place
@options.trust
@options.code_changed
def ablate(arguments: Arguments) -> int:
    """Measure what each change between two exported configurations brings."""
    from sweep.certify.ablation.ablate import earlier_ablation, run_ablation
    from sweep.certify.ablation.pair import read_pair
    from sweep.cli.interrupt import StopSignal
    from sweep.cli.progress import RunProgress
    from sweep.definition.resources import Resources
    from sweep.task import in_shown_order

    together = [[name.strip() for name in group.split(",")] for group in arguments.together]
    pair = read_pair(
        arguments.start, arguments.end, seeds=arguments.seeds, together=together, trust=arguments.trust
    )
    database, name = database_of(arguments), _name(arguments, pair)
    check_place(arguments, pair.task, Resources())
    _announce(arguments, pair, earlier_ablation(pair, database, name), database)
    order = in_shown_order(pair.task, pair.ablation.space)
    progress = RunProgress(f"ablation {name}", pair.task.metric, order=order)
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
        how = how_of(arguments, progress, lambda: bool(stop))
        section = _section(arguments, pair)
        finished = run_ablation(pair, database, name=name, section=section, how=how)
    _print_ablation(name, database, arguments.format)
    if not finished:
        advise("interrupted: finished trainings are stored; run the same command to resume")
        return stop.exit_status
    publish_study(name, database)
    advise(f"next: sweep report {name} | sweep plot {name} ablation")
    return 0


def _name(arguments: Arguments, pair: "Pair") -> str:
    from sweep.definition.sections.top_level import check_name

    return pair.name if arguments.new_name is None else check_name("--as", arguments.new_name)


def _section(arguments: Arguments, pair: "Pair") -> Mapping[str, Toml]:
    """Return the ``[data]`` section of the exports, with the file that --data names."""
    from sweep.api.asked import with_data_file

    section = pair.origins[1].data
    return section if arguments.words is None else with_data_file(pair.task, section, arguments.words)


def _announce(arguments: Arguments, pair: "Pair", stored: "StoredAblation", database: "Database") -> None:
    """Print what is compared and what it costs, before anything is trained."""
    from sweep.certify.ablation.pair import known_seconds
    from sweep.definition.resources import Resources
    from sweep.execution.pools.pools import local_places
    from sweep.reporting.text.ablation import describe_ablation

    advise(pair.goal)
    told = describe_ablation(
        pair.ablation,
        pair.task.metric,
        done=len(stored.losses),
        workers=local_places(pair.task, Resources(), arguments.device, arguments.workers),
        seconds=known_seconds(pair, database) if database.exists() else None,
    )
    for line in told:
        advise(line)


def _print_ablation(name: str, database: "Database", form: str) -> None:
    from sweep.certify.ablation.steps import judge_ablation
    from sweep.certify.ablation.stored_ablation import stored_ablation
    from sweep.reporting.text.ablation import ablation_json, format_ablation
    from sweep.storage.study_reader import load_study

    study = load_study(database.open_read_only(), name)
    stored = stored_ablation(study)
    assert stored is not None, "it was trained as one"
    result = judge_ablation(stored)
    text = (
        ablation_json(study, result) if form == "json" else format_ablation(study, result, **terminal_look())
    )
    print(text)


COMMANDS = (ablate,)
