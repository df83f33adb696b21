"""The command run: train a study's trials, or resume them."""

import contextlib
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import (
    advise,
    announced,
    check_place,
    database_of,
    drop_output,
    format_table,
    how_of,
    load_data,
    print_advice,
    publish_study,
    source,
    study_spec,
    terminal_width,
    warn_of_data,
)

if TYPE_CHECKING:
    from sweep.certify.study_data import StudyData
    from sweep.cli.interrupt import StopSignal
    from sweep.cli.progress import RunProgress
    from sweep.definition.records import StudyRecord
    from sweep.definition.spec import StudySpec
    from sweep.execution.driver import RunSummary
    from sweep.execution.events import Observer
    from sweep.reporting.note_taking import Call
    from sweep.storage.database import Database

RUN_TABLE_ROWS = 30
"""Rows of the table that is printed after a run."""


@command(example="sweep run studies/quick.toml")
@options.study_file
@options.trials
@options.timeout
@options.workers(
    "number of trials in training at a time",
    default="one a core; engine population on a GPU: 128; pool ray: what the cluster has room for",
)
@options.replicates
@click.option("--as", "new_name", metavar="NAME", help="store the study under another name")
@options.settings
@click.option(
    "--from",
    "source",
    metavar="STUDY[@URL]",
    shell_complete=candidates.stored_studies,
    help="start with the best configurations of a stored study, at URL if it is in another database",
)
@click.option(
    "--from-top",
    "source_top",
    type=options.positive,
    metavar="N",
    show_default="5",
    help="number of these configurations",
)
@click.option(
    "--retry-failed",
    is_flag=True,
    help="also train the configurations of failed trials again, as further trials",
)
@click.option("--json", is_flag=True, help="print one JSON object for each finished trial")
@click.option(
    "--track",
    type=options.tracker,
    help="also log each finished trial, to wandb offline; see `sweep track --help`",
)
@options.data_file
@options.device
@options.place
@options.trust
@options.code_changed
def run(arguments: Arguments) -> int:
    """Train a study's trials, or resume them."""
    from sweep.tracking.follower import following

    spec, database = study_spec(arguments), database_of(arguments)
    with following(arguments.track, spec.name, database, say=advise, warn=_warn) as tracking:
        return _run(arguments, spec, database, tracking)


def _run(arguments: Arguments, spec: "StudySpec", database: "Database", tracking: "Observer") -> int:
    """Print a study that is finished; train another one."""
    from sweep.api.finished import finished_study

    if _names_no_place(arguments) and (finished := finished_study(spec, database)) is not None:
        _warn_of_cost(spec)
        if not arguments.json:
            _print_run(finished.study, database, finished.loss_ceiling)
        _advise_finished(finished.study)
        return _status(finished.study)
    return _train(arguments, spec, database, tracking)


def _warn(text: str) -> None:
    advise(f"warning: {text}")


def _names_no_place(arguments: Arguments) -> bool:
    """Return whether no device, engine or pool is named; a named one is checked in any case."""
    given = (arguments.device, arguments.engine, arguments.pool, arguments.code_changed)
    return given == ("auto", None, "local", None)


def _train(arguments: Arguments, spec: "StudySpec", database: "Database", tracking: "Observer") -> int:
    """Train the remaining trials, and store and print the result."""
    task = spec.task
    check_place(arguments, task, spec.resources)
    _warn_of_cost(spec)
    progress = _introduced(spec, as_json=arguments.json)

    from sweep.certify.study_data import StudyData
    from sweep.cli.interrupt import StopSignal
    from sweep.execution.events import both
    from sweep.execution.run import running
    from sweep.task import loss_ceiling

    data = load_data(task, spec)
    with contextlib.ExitStack() as workers:
        with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
            how = how_of(arguments, both(progress, tracking), _should_stop(progress, stop))
            ran = workers.enter_context(running(task, spec, database, how, data=data))
        summary = ran.summary
        study, study_data = summary.study, StudyData(summary.study, data)
        if not stop:
            study = _take_notes(study, study_data, database, ran.call)
    if progress.is_closed:
        drop_output()
    elif not arguments.json:
        _print_run(study, database, loss_ceiling(task, data))
    if not stop:  # whoever stops a run waits for nothing more; the next run does this
        publish_study(spec.name, database, study_data, study=study, concludes=True)
    _advise_after_run(summary, study, stopped=bool(stop), unread=progress.is_closed)
    return stop.exit_status or _status(study)


def _status(study: "StudyRecord") -> int:
    """Return 1 for a study whose trials have all ended without a final value."""
    is_over = all(trial.is_finished for trial in study.trials)
    return int(bool(study.trials) and is_over and not study.complete_trials())


def _introduced(spec: "StudySpec", *, as_json: bool) -> "RunProgress":
    """Return the views of a run, and print its title before slow imports."""
    from sweep.cli.progress import RunProgress
    from sweep.task import in_shown_order

    title = f"study {spec.name}: {spec.goal}" if spec.goal else f"study {spec.name}"
    order = in_shown_order(spec.task, (*spec.space, *spec.auto))
    progress = RunProgress(title, spec.task.metric, as_json=as_json, order=order)
    progress.introduce()
    return progress


def _should_stop(progress: "RunProgress", stop: "StopSignal") -> "Callable[[], bool]":
    """Return a function that tells whether a signal came or the reader of the output has closed it."""

    def should_stop() -> bool:
        if progress.is_closed:
            stop.leave(signal.SIGPIPE)
        return bool(stop)

    return should_stop


def _advise_after_run(summary: "RunSummary", study: "StudyRecord", *, stopped: bool, unread: bool) -> None:
    """Print on stderr how a run ended and what to run next."""
    total = study.trials_in_all
    done = sum(trial.is_finished for trial in study.trials)
    if stopped or summary.stopped_by == "timeout":
        why = "interrupted" if stopped else "the timeout was reached"
        if unread:
            why = "the reader of the output has closed it"
        waits = stopped or any(not trial.is_finished for trial in study.trials)
        rest = "the running ones are stored" if waits else "another one would not have ended in time"
        advise(f"{why}: {done} of {total} trials done, {rest}; run the same command to resume")
        return
    if summary.trained == 0:
        _advise_finished(study)
    else:
        _advise_next(study)


def _advise_finished(study: "StudyRecord") -> None:
    """Print on stderr that nothing was left to train, and the next command."""
    total = study.total_trials
    done = sum(trial.is_finished for trial in study.trials)
    asked = f"{done} trials where {total} are asked for" if done > total else f"{done} of {total} trials"
    advise(f"study {study.name!r} is finished, {asked}; nothing was trained")
    _advise_next(study)


def _advise_next(study: "StudyRecord") -> None:
    from sweep.reporting.retries import retry_hint

    if hint := retry_hint(study):
        advise(hint)
    if _status(study):
        from sweep.storage.study_reader import no_complete_trial

        advise(str(no_complete_trial(study)))
        if study.program:
            advise(f"next: sweep log {study.name} {study.trials[0].number}")
        return
    if study.plans:
        from sweep.reporting.text.confirmation import newer_trials

        if newer := newer_trials(study):
            advise(newer)
    proposed = ["confirm", "report", *_proposed_after_run_of(study.trainer)]
    advise(f"next: {' | '.join(f'sweep {command} {study.name}' for command in proposed)}")


def _warn_of_cost(spec: "StudySpec") -> None:
    if spec.cost == "train_seconds":
        advise("train_seconds are measured, so this study is not reproducible")


def proposed_after_export_of(trainer: str) -> list[str]:
    """Return the names of the commands that a trainer adds for what takes an exported configuration."""
    from sweep.cli.registry import all_commands

    return [command.name for command in all_commands().values() if command.follows_export_of == trainer]


def _proposed_after_run_of(trainer: str) -> list[str]:
    """Return the names of the commands that a trainer adds for what comes after a run."""
    from sweep.cli.registry import all_commands

    return [command.name for command in all_commands().values() if command.follows_run_of == trainer]


def _take_notes(
    study: "StudyRecord", study_data: "StudyData", database: "Database", call: "Call"
) -> "StudyRecord":
    """Return the study with its notes; as it is stored, with a warning, if its data are gone or changed."""
    from sweep.reporting.note_taking import take_notes

    if warn_of_data(study_data, "its notes and the figures that need the data are left out"):
        return study
    with (
        announced(f"computing what the advice on study {study.name!r} needs"),
        database.opening(),
    ):  # drivers of one study end together
        return take_notes(study, study_data, database, call)


def _print_run(study: "StudyRecord", database: "Database", worst_loss: float | None) -> None:
    """Print the data's description, the table, the front and the advice."""
    from sweep.definition.ranking import rank_trials
    from sweep.reporting.table.pareto_summary import describe_front
    from sweep.reporting.wrapping import wrap

    if study.data:  # without [data] nothing is known of them, which the start of a run says
        facts = f"{source(study.task, study.data)}{study.data_facts}"
        print(wrap(facts, terminal_width() if sys.stdout.isatty() else None), end="\n\n")
    ranked = len(study.complete_trials())
    print(format_table(study, "text", RUN_TABLE_ROWS if ranked > RUN_TABLE_ROWS else None))
    for line in describe_front(rank_trials(study), study, worst_loss):
        print(line)
    print_advice(study)
    print(f"stored in {database.where}")


COMMANDS = (run,)
