"""The command plan: print what a study would cost."""

import argparse
import shlex

from sweep.cli.command import Command
from sweep.cli.commands.common import advise, database_of, load_data, mend, source, study_spec
from sweep.cli.options import add_data_file, add_device, add_settings, add_trust, positive


def plan(arguments: argparse.Namespace) -> int:
    """Print what a study would cost."""
    from sweep.api.asked import trials_done
    from sweep.execution.plan import plan_study
    from sweep.execution.pools.pool import usable_cores
    from sweep.reporting.plan_text import PLAN_FORMATS
    from sweep.reporting.printable import printable
    from sweep.task import baselines, resolve_device

    spec, database = study_spec(arguments), database_of(arguments)
    task = spec.task
    data, device = load_data(task, spec), resolve_device(task, arguments.device)
    done = trials_done(spec.name, data.sha256, database, lambda text: advise(f"warning: {text}"))
    mend(task, device)
    advise(f"study {spec.name}: timing some of its configurations; nothing is stored")
    plan = plan_study(task, spec, data, workers=arguments.workers or usable_cores(), device=device, done=done)
    if arguments.format == "text":
        print(f"{printable(source(task, spec.data))}{data.describe()}")
    print(PLAN_FORMATS[arguments.format](plan, baselines(task, data)))
    options = [option for setting in arguments.settings for option in ("--set", setting)]
    options += ["--words", arguments.words] if arguments.words else []
    advise(f"next: sweep run {shlex.join([arguments.study, *options])}")
    return 0


def _plan_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", metavar="STUDY.toml", help="study file, or the name of one in studies/")
    command.add_argument("--trials", type=positive, metavar="TOTAL", help="another total of trials")
    command.add_argument("--timeout", metavar="TIME", help="another timeout of one run")
    command.add_argument(
        "--workers", type=positive, metavar="N", help="processes that would train (default: one a core)"
    )
    command.add_argument("--replicates", type=positive, metavar="R", help="seeds for each configuration")
    command.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    add_settings(command)
    add_data_file(command)
    add_device(command)
    add_trust(command)


COMMANDS = (
    Command(
        name="plan",
        does="print what a study would cost",
        example="sweep plan studies/quick.toml",
        run=plan,
        add_arguments=_plan_arguments,
    ),
)
