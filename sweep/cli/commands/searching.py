"""Commands that train: run, plan, confirm, lr-find."""

import argparse
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.cli.commands.common import (
    advise,
    announced,
    check_code_cache,
    check_engine,
    database_of,
    drop_output,
    format_table,
    load_words,
    print_advice,
    publish_study,
    stored_study,
    study_spec,
    terminal_look,
    terminal_width,
)
from sweep.errors import SweepError

if TYPE_CHECKING:
    from sweep.certify.study_data import StudyData
    from sweep.certify.units.report import UnitReport
    from sweep.definition.records import StudyRecord
    from sweep.definition.resources import Resources
    from sweep.execution.driver import RunSummary
    from sweep.reporting.evidence import Evidence
    from sweep.storage.database import Database


RUN_TABLE_ROWS = 30


def run(arguments: argparse.Namespace) -> int:
    """Train a study's trials, or go on with them."""
    from sweep.certify.study_data import StudyData
    from sweep.cli.interrupt import StopSignal
    from sweep.cli.progress import RunProgress
    from sweep.execution.run import run_study
    from sweep.tasks.mlp.baselines import uniform_loss
    from sweep.tasks.mlp.trainer import MLP

    spec = study_spec(arguments)
    _check_place(arguments, spec.resources)
    database = database_of(arguments)
    if spec.cost == "train_seconds":
        advise("train_seconds are measured: this study will not come out the same again")
    title = f"study {spec.name}: {spec.goal}" if spec.goal else f"study {spec.name}"
    data = load_words(spec)
    progress = RunProgress(title, as_json=arguments.json)
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:

        def should_stop() -> bool:
            if progress.is_closed:
                stop.leave(signal.SIGPIPE)
            return bool(stop)

        summary = run_study(
            MLP,
            spec,
            database,
            data=data,
            workers=arguments.workers,
            device=arguments.device,
            engine=arguments.engine,
            pool=arguments.pool,
            observe=progress,
            should_stop=should_stop,
        )
    study, words = summary.study, StudyData(summary.study, data)
    if not stop:
        study = _take_notes(study, words, database)
    if progress.is_closed:
        drop_output()
    elif not arguments.json:
        _print_run(study, database, uniform_loss(data))
    if not stop:  # whoever stops a run waits for nothing more; the next run does this
        publish_study(spec.name, database, words)
    _advise_after_run(summary, study, stopped=bool(stop), unread=progress.is_closed)
    return stop.exit_status


def _advise_after_run(summary: "RunSummary", study: "StudyRecord", *, stopped: bool, unread: bool) -> None:
    """Print on stderr how a run ended and what to run next."""
    name, total = study.name, study.total_trials
    done = sum(trial.is_finished for trial in study.trials)
    if stopped or summary.stopped_by == "timeout":
        why = "interrupted" if stopped else "the timeout was reached"
        if unread:
            why = "nobody reads the output any more"
        waits = stopped or any(not trial.is_finished for trial in study.trials)
        rest = "the running ones are stored" if waits else "another one would not have ended in time"
        advise(f"{why}: {done} of {total} trials done, {rest}; the same command goes on")
        return
    if summary.trained == 0:
        asked = f"{done} trials where {total} are asked for" if done > total else f"{done} of {total} trials"
        advise(f"study {name!r} is finished, {asked}; nothing was trained")
    advise(f"next: sweep confirm {name} | sweep report {name} | sweep lr-find {name}")


def plan(arguments: argparse.Namespace) -> int:
    """Say what a study would cost."""
    from sweep.execution.plan import plan_study
    from sweep.execution.pools.pool import usable_cores
    from sweep.reporting.plan_text import PLAN_FORMATS
    from sweep.reporting.printable import printable
    from sweep.storage.study_store import load_study, study_names
    from sweep.tasks.mlp.baselines import baselines
    from sweep.tasks.mlp.trainer import MLP

    spec, database = study_spec(arguments), database_of(arguments)
    data, device = load_words(spec), MLP.resolve_device(arguments.device)
    done = 0
    if database.exists() and spec.name in study_names(storage := database.open_read_only()):
        done = _trials_done(load_study(storage, spec.name), spec.data["words"], data.sha256)
    check_code_cache(device)
    advise(f"study {spec.name}: timing some of its configurations; nothing is stored")
    plan = plan_study(MLP, spec, data, workers=arguments.workers or usable_cores(), device=device, done=done)
    if arguments.format == "text":
        print(f"{printable(spec.data['words'])}: {data.describe()}")
    print(PLAN_FORMATS[arguments.format](plan, baselines(data)))
    options = [option for setting in arguments.settings for option in ("--set", setting)]
    options += ["--words", arguments.words] if arguments.words else []
    advise(f"next: sweep run {shlex.join([arguments.study, *options])}")
    return 0


def _trials_done(study: "StudyRecord", words: str, sha256: str) -> int:
    """Return how many trials of a stored study a plan may count; none if it was run on another list."""
    if sha256 == study.data_sha256:
        return sum(trial.is_finished for trial in study.trials)
    advise(
        f"warning: {words} is not the list that study {study.name!r} is stored with, so `sweep run` will "
        "refuse it; planned as a new study"
    )
    return 0


def confirm(arguments: argparse.Namespace) -> int:
    """Train the best configurations again on fresh seeds."""
    from sweep.certify.confirm import load_confirmation, plan_confirmation, run_confirmation
    from sweep.certify.confirm_plan import ConfirmSettings, difference_that_matters
    from sweep.cli.interrupt import StopSignal
    from sweep.cli.progress import RunProgress
    from sweep.execution.pools.pool import usable_cores
    from sweep.reporting.confirm_text import describe_plan
    from sweep.reporting.evidence import gather_evidence
    from sweep.tasks.mlp.trainer import MLP

    database = database_of(arguments)
    storage = database.open_read_only()
    study = stored_study(arguments, storage)
    _check_place(arguments, study.resources)
    asked = ConfirmSettings(
        top=arguments.top,
        seeds=arguments.seeds,
        certify=arguments.certify,
        method="race" if arguments.race else "fixed",
        delta=difference_that_matters(study.task, arguments.delta),
        alpha=arguments.alpha,
    )
    plan = plan_confirmation(study, load_confirmation(storage, study), asked)
    for line in describe_plan(study, plan, arguments.workers or usable_cores()):
        advise(line)
    progress = RunProgress(f"confirming {study.name}")
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
        finished = run_confirmation(
            MLP,
            study,
            plan,
            database,
            workers=arguments.workers,
            device=arguments.device,
            engine=arguments.engine,
            pool=arguments.pool,
            observe=progress,
            should_stop=lambda: bool(stop),
        )
    evidence = gather_evidence(study.name, database)
    with announced("evaluating the confirmed models on each dev word"):
        units = evidence.unit_report if finished else None
    _print_confirmation(evidence, units, arguments.format)
    if finished:
        _warn_of_words(evidence.words, "the verdict is that of the seeds alone")
        if evidence.why_no_unit_report:
            advise(f"warning: no losses word by word: {evidence.why_no_unit_report}")
        publish_study(study.name, database, evidence.words)
    else:
        advise("interrupted: what is trained is stored; the same command goes on")
        return stop.exit_status
    advise(f"next: sweep export {study.name} | sweep report {study.name}")
    return 0


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
    check_code_cache(MLP.resolve_device(arguments.device))
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


def _check_place(arguments: argparse.Namespace, resources: "Resources") -> None:
    """Refuse a pool, device or engine that is not there, before anything is read."""
    from sweep.execution.pools.pools import DEFAULT_POOL, choose_pool
    from sweep.tasks.mlp.trainer import MLP

    kind, _ = choose_pool(arguments.pool)
    devices = kind.list_devices(MLP, arguments.device, resources)
    if arguments.engine:
        check_engine(arguments.engine, devices[0])
    if arguments.pool == DEFAULT_POOL:
        check_code_cache(devices[0])


def _take_notes(study: "StudyRecord", words: "StudyData", database: "Database") -> "StudyRecord":
    """Return the study with its notes; as it is stored, with a warning, if its words are gone or changed."""
    from sweep.reporting.note_taking import take_notes

    if _warn_of_words(words, "nothing is said of count tables and new words, and some figures are left out"):
        return study
    what = f"evaluating count tables and new words of {study.data['words']}"
    with announced(what), database.opening():  # drivers of one study end together
        return take_notes(study, words, database)


def _warn_of_words(words: "StudyData", what_follows: str) -> bool:
    """Print a warning if a study's words are gone or changed; return whether they are."""
    if words.why_missing is not None:
        advise(f"warning: {words.why_missing}; {what_follows}")
    return words.why_missing is not None


def _print_run(study: "StudyRecord", database: "Database", uniform_loss: float) -> None:
    """Print what was read, the table, and what there is to say about it."""
    from sweep.definition.ranking import rank_trials
    from sweep.reporting.table.pareto_summary import describe_front
    from sweep.reporting.wrapping import wrap

    facts = f"{study.data['words']}: {study.data_facts}"
    print(wrap(facts, terminal_width() if sys.stdout.isatty() else None), end="\n\n")
    ranked = len(study.complete_trials())
    print(format_table(study, "text", RUN_TABLE_ROWS if ranked > RUN_TABLE_ROWS else None))
    for line in describe_front(rank_trials(study), study, uniform_loss):
        print(line)
    print_advice(study)
    print(f"stored in {database.where}")


def _print_confirmation(evidence: "Evidence", units: "UnitReport | None", form: str) -> None:
    from sweep.reporting.confirm_text import format_confirmation, format_json

    study, confirmation, verdict = evidence.study, evidence.confirmation, evidence.verdict
    assert confirmation is not None, "its plan is stored"
    assert verdict is not None, "its plan is stored"
    if form == "json":
        print(format_json(verdict, units))
        return
    print(format_confirmation(study, confirmation, verdict, units, **terminal_look()))
