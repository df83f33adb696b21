"""The command plan: print the cost of a study."""

import shlex
from typing import TYPE_CHECKING

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, announced, database_of, load_data, mend, source, study_spec
from sweep.errors import ConfigError, SweepError

if TYPE_CHECKING:
    from sweep.definition.spec import StudySpec
    from sweep.execution.planning.program_check import Found
    from sweep.storage.database import Database
    from sweep.task import Data


@command(example="sweep plan studies/quick.toml")
@options.study_file
@options.trials
@options.timeout
@options.workers("processes that would train")
@options.replicates
@options.formats("text", "json")
@click.option(
    "--check",
    is_flag=True,
    help="test the study's own program: train some short trials of it, which may write files",
)
@options.settings
@options.data_file
@options.device
@options.trust
def plan(arguments: Arguments) -> int:
    """Print the cost of a study before it is run."""
    from sweep.api.asked import trials_done
    from sweep.execution.planning.study_plan import plan_study
    from sweep.execution.pools.pool import usable_cores
    from sweep.reporting.printable import printable
    from sweep.reporting.text.plan import PLAN_FORMATS
    from sweep.task import RunsPrograms, baselines, resolve_device

    spec, database = study_spec(arguments), database_of(arguments)
    task = spec.task
    if isinstance(task, RunsPrograms):
        return _plan_program(arguments, spec, database)
    if arguments.check:
        raise ConfigError(f"--check tries out a study's own program; trainer {task.name} needs none")
    data, device = load_data(task, spec), resolve_device(task, arguments.device)
    done = trials_done(spec.name, data.sha256, database, lambda text: advise(f"warning: {text}"))
    mend(task, device)
    advise(f"study {spec.name}: timing some of its configurations; nothing is stored")
    plan = plan_study(task, spec, data, workers=arguments.workers or usable_cores(), device=device, done=done)
    if arguments.format == "text":
        print(f"{printable(source(task, spec.data))}{data.describe()}")
    print(PLAN_FORMATS[arguments.format](plan, baselines(task, data)))
    options = _settings(arguments)
    options += ["--data", arguments.words] if arguments.words else []
    advise(f"next: sweep run {shlex.join([arguments.study, *options])}")
    return 0


def _plan_program(arguments: Arguments, spec: "StudySpec", database: "Database") -> int:
    """Print what is known of a study of the user's own program; with --check try the program out."""
    from sweep.api.asked import stored_trials
    from sweep.execution.planning.program_plan import plan_program
    from sweep.execution.pools.pools import local_places
    from sweep.reporting.text.program_plan import format_program_plan, program_plan_as_json
    from sweep.task import check_program

    task, data = spec.task, load_data(spec.task, spec)
    with announced("looking at the program"):
        check_program(task, spec.data)
    stored = stored_trials(spec.name, data.sha256, database, lambda text: advise(f"warning: {text}"))
    workers = local_places(task, spec.resources, arguments.device, arguments.workers)
    plan = plan_program(task, spec, stored, database.program_folder(spec.name), workers=workers)
    if arguments.format == "text":
        print(data.describe())
        print(format_program_plan(plan, is_checked=arguments.check), flush=True)
    found = _check(arguments, spec, data) if arguments.check else None
    if arguments.format == "json":
        print(program_plan_as_json(plan, None if found is None else [each.text for each in found]))
    if found and any(each.is_failure for each in found):
        return 1
    advise(f"next: sweep run {shlex.join([arguments.study, *_settings(arguments)])}")
    return 0


def _check(arguments: Arguments, spec: "StudySpec", data: "Data") -> list["Found"]:
    """Try the program of a study out, print what is found as text, and return it."""
    from sweep.execution.planning.program_check import Found, ProgramCheck
    from sweep.reporting.printable import printable
    from sweep.task import resolve_device

    check = ProgramCheck(spec.task, spec, data, resolve_device(spec.task, arguments.device))
    advise(f"study {spec.name}: --check {check.cost}; no trial is stored")
    advise(f"study {spec.name}: {check.risk}")
    found: list[Found] = []
    try:
        for each in check.run():
            found.append(each)
            if arguments.format == "text":
                print(printable(each.text), flush=True)
    except SweepError:
        for each in found if arguments.format == "json" else ():
            advise(printable(each.text))
        raise
    return found


def _settings(arguments: Arguments) -> list[str]:
    """Return the options of a plan that a run needs too."""
    return [option for setting in arguments.settings for option in ("--set", setting)]


COMMANDS = (plan,)
