"""The command confirm: train the best configurations again on fresh seeds and choose among them."""

from typing import TYPE_CHECKING

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import (
    advise,
    announced,
    check_place,
    check_program,
    database_of,
    how_of,
    publish_study,
    stored_study,
    terminal_look,
    warn_of_data,
)

if TYPE_CHECKING:
    from sweep.certify.confirm_plan import ConfirmPlan, ConfirmSettings
    from sweep.certify.units.report import UnitReport
    from sweep.definition.records import StudyRecord
    from sweep.reporting.evidence import Evidence


@command(example="sweep confirm quick --top 5 --seeds 5")
@options.study
@click.option("--top", type=options.positive, default=5, metavar="K", help="number of candidates")
@click.option("--seeds", type=options.positive, default=5, metavar="N", help="fresh seeds for each candidate")
@click.option(
    "--certify",
    type=options.positive,
    default=5,
    metavar="M",
    help="further seeds for the chosen candidate",
)
@click.option(
    "--race", is_flag=True, help="drop clearly worse candidates early (Kim, Nelson); --seeds is then the most"
)
@click.option(
    "--delta", type=float, metavar="D", show_default="the trainer's", help="smallest difference that matters"
)
@click.option(
    "--alpha", type=float, default=0.05, metavar="P", help="probability of an error in the comparison"
)
@click.option(
    "--resplit",
    type=options.number,
    default=0,
    metavar="R",
    help="also train the chosen candidate on R other cuts of train and dev, 10 or more; test stays apart",
    show_default=False,
)
@options.workers("processes that train")
@options.formats("text", "json")
@options.device
@options.place
@options.trust
@options.code_changed
def confirm(arguments: Arguments) -> int:
    """Train the best configurations again on fresh seeds and choose among them."""
    from sweep.certify.confirm import plan_confirmation, run_confirmation
    from sweep.certify.stored_confirmation import load_confirmation
    from sweep.cli.interrupt import StopSignal
    from sweep.cli.progress import RunProgress
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.publish import keep_unit_report
    from sweep.task import in_shown_order

    database = database_of(arguments)
    storage = database.open_read_only()
    study = stored_study(arguments, storage)
    check_program(study, arguments)
    check_place(arguments, study.task, study.resources)
    plan = plan_confirmation(study, load_confirmation(storage, study), _settings(arguments, study))
    _print_plan(arguments, study, plan)
    order = in_shown_order(study.task, (*study.searched, *study.found))
    progress = RunProgress(f"confirming {study.name}", study.metric, order=order)
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
        how = how_of(arguments, progress, lambda: bool(stop))
        finished = run_confirmation(study.task, study, plan, database, how)
    evidence = gather_evidence(study.name, database)
    with announced(f"evaluating the confirmed models on each dev {evidence.unit}"):
        units = evidence.unit_report if finished else None
        keep_unit_report(evidence, database)
    _print_confirmation(evidence, units, arguments.format)
    if finished:
        warn_of_data(evidence.study_data, "the verdict is that of the seeds alone")
        if evidence.why_no_unit_report:
            advise(f"warning: no losses {evidence.unit} by {evidence.unit}: {evidence.why_no_unit_report}")
        publish_study(study.name, database, evidence.study_data)
    else:
        advise("interrupted: finished trainings are stored; run the same command to resume")
        return stop.exit_status
    return _advise_next(study.name, is_uncertified=evidence.is_uncertified)


def _advise_next(study: str, *, is_uncertified: bool) -> int:
    """Print on stderr what follows a finished confirmation; return the exit status."""
    if is_uncertified:
        more = f"`sweep confirm {study}` with another --top or --certify adds trainings"
        advise(f"no certificate: too few trainings have a value, see the reasons above; {more}")
        return 1
    advise(f"next: sweep export {study} | sweep report {study}")
    return 0


def _print_plan(arguments: Arguments, study: "StudyRecord", plan: "ConfirmPlan") -> None:
    """Print the plan on stderr before anything is trained."""
    from sweep.execution.pools.pools import local_places
    from sweep.reporting.text.confirmation import describe_plan

    workers = local_places(study.task, study.resources, arguments.device, arguments.workers)
    for line in describe_plan(study, plan, workers):
        advise(line)


def _settings(arguments: Arguments, study: "StudyRecord") -> "ConfirmSettings":
    """Return what is asked of the confirmation."""
    from sweep.certify.confirm_plan import ConfirmSettings, difference_that_matters

    return ConfirmSettings(
        top=arguments.top,
        seeds=arguments.seeds,
        certify=arguments.certify,
        method="race" if arguments.race else "fixed",
        delta=difference_that_matters(study.task, study, arguments.delta),
        alpha=arguments.alpha,
        resplit=arguments.resplit,
    )


def _print_confirmation(evidence: "Evidence", units: "UnitReport | None", form: str) -> None:
    from sweep.reporting.text.confirmation import format_confirmation, format_json

    study, confirmation, verdict = evidence.study, evidence.confirmation, evidence.verdict
    assert confirmation is not None, "its plan is stored"
    assert verdict is not None, "its plan is stored"
    if form == "json":
        print(format_json(study, verdict, units))
        return
    print(format_confirmation(study, confirmation, verdict, units, **terminal_look()))


COMMANDS = (confirm,)
