"""The command line: arguments to one library call to an exit status.

Results go to stdout, progress and advice to stderr. Exit status: 0 done; 1 the input or the
study is wrong; 2 usage; 3 the machine failed; 130 Ctrl-C; 143 SIGTERM. Each command imports
what it needs, so that ``sweep --help`` answers at once.
"""

import argparse
import gc
import io
import os
import shlex
import signal
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.arguments import make_parser
from sweep.errors import StudyConflictError, SweepError

if TYPE_CHECKING:
    from sweep.search.database import Database, Storage
    from sweep.search.records import StudyRecord
    from sweep.search.study_spec import StudySpec

RUN_TABLE_ROWS = 30

_Command = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    gc.set_threshold(100_000)  # nearly all objects live to the end; a table of 1,000 trials takes 12 % less
    arguments = make_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack a letter or a line
    try:
        status = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return status
    except SweepError as error:
        _complain(str(error))
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _drop_output()  # the reader has seen enough
        return 0
    except OSError as error:
        _complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        _drop_output()
        return 3


# Commands: one function each, named as on the command line.


def _run(arguments: argparse.Namespace) -> int:
    from sweep.interrupt import StopSignal
    from sweep.progress import RunProgress
    from sweep.results.note_taking import take_notes
    from sweep.search.driver import run_study
    from sweep.task.mlp import MLP

    spec = _study_spec(arguments)
    database = _database(arguments)
    if spec.cost == "train_seconds":
        _advise("train_seconds are measured: this study will not come out the same again")
    title = f"study {spec.name}: {spec.goal}" if spec.goal else f"study {spec.name}"
    progress = RunProgress(title, as_json=arguments.json)
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
        summary = run_study(
            MLP,
            spec,
            database,
            workers=arguments.workers or _cores(),
            device=arguments.device,
            observe=progress,
            should_stop=lambda: bool(stop),
        )
    name, study = spec.name, summary.study
    if not stop:
        study = take_notes(study, database)
    done, total = sum(t.is_finished for t in study.trials), study.total_trials
    if not arguments.json:
        _print_run(study, database)
    _publish(name, database)
    if stop or summary.stopped_by == "timeout":
        why = "interrupted" if stop else "the timeout was reached"
        _advise(
            f"{why}: {done} of {total} trials done, the running ones are stored; the same command goes on"
        )
        return stop.exit_status
    if summary.trained == 0:
        asked = f"{done} trials where {total} are asked for" if done > total else f"{done} of {total} trials"
        _advise(f"study {name!r} is finished, {asked}; nothing was trained")
    _advise(f"next: sweep dashboard | sweep lr-find {_again(arguments, name)} | sweep export {name}")
    return 0


def _plan(arguments: argparse.Namespace) -> int:
    from sweep.results.plan_text import PLAN_FORMATS
    from sweep.results.printable import printable
    from sweep.search.plan import plan_study
    from sweep.search.study_store import load_study, study_names
    from sweep.task.baselines import baselines
    from sweep.task.mlp import MLP

    spec, database = _study_spec(arguments), _database(arguments)
    data, device = MLP.load_data(spec.data), MLP.resolve_device(arguments.device)
    done = 0
    if database.exists() and spec.name in study_names(storage := database.open_read_only()):
        done = sum(trial.is_finished for trial in load_study(storage, spec.name).trials)
    _advise(f"study {spec.name}: timing some of its configurations; nothing is stored")
    plan = plan_study(MLP, spec, data, workers=arguments.workers or _cores(), device=device, done=done)
    if arguments.format == "text":
        print(f"{printable(spec.data['words'])}: {data.describe()}")
    print(PLAN_FORMATS[arguments.format](plan, baselines(data)))
    options = [option for setting in arguments.settings for option in ("--set", setting)]
    options += ["--words", arguments.words] if arguments.words else []
    _advise(f"next: sweep run {shlex.join([arguments.study, *options])}")
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from sweep.errors import StorageError
    from sweep.results.printable import printable
    from sweep.search.study_store import load_study, study_names

    storage = _database(arguments).open_read_only()
    names = study_names(storage)
    for name in names:
        try:
            study = load_study(storage, name)
        except StorageError as error:
            print(f"{printable(name)}  {error}")
            continue
        best = study.complete_trials()
        loss = f"best {best[0].dev_loss:.4f}" if best else "no loss yet"
        done = sum(trial.is_finished for trial in study.trials)
        print(f"{name:<24}  {done:>4} of {study.total_trials:>4} trials  {loss:<12}  {printable(study.goal)}")
    _advise("next: sweep table STUDY" if names else "no studies yet; next: sweep run STUDY.toml")
    return 0


def _table(arguments: argparse.Namespace) -> int:
    from sweep.results.final_test import looks_of_study

    storage = _database(arguments).open_read_only()
    study = _stored_study(arguments, storage)
    print(_format_table(study, arguments.format, arguments.top))
    if arguments.format == "text":
        for look in looks_of_study(study, storage):
            print(f"test split looked at {look.describe()}")
        _print_advice(study, everything=arguments.advice)
        _advise(f"next: sweep export {study.name}")
    return 0


def _lr_find(arguments: argparse.Namespace) -> int:
    from sweep.results.config_file import is_config_file, load_config
    from sweep.results.lr_find import find_learning_rate, subject_of_config, subject_of_study

    database = _database(arguments)
    if is_config_file(arguments.study):
        if arguments.settings:
            raise SweepError(
                f"--set changes a study file, and {arguments.study} is an exported configuration"
            )
        config, provenance = load_config(arguments.study)
        subject = subject_of_config(config, provenance, arguments.words or provenance.words)
    else:
        subject = subject_of_study(_study_spec(arguments), database)
    _advise(f"range test of {subject.what} over {arguments.seeds} seeds, {arguments.steps:,} steps each")
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
    _advise(f"next: open {found.paths[0]} in a browser | sweep dashboard")
    return 0


def _plot(arguments: argparse.Namespace) -> int:
    from sweep.results.evidence import gather_evidence
    from sweep.results.figure_files import write_figure
    from sweep.results.plots import PLOTS

    if arguments.name is None:
        for name, plot in PLOTS.items():
            print(f"{name}\n{textwrap.indent(textwrap.fill(plot.reading, 76), '    ')}")
        _advise(f"next: sweep plot {arguments.study} NAME")
        return 0
    database = _database(arguments)
    study = _stored_study(arguments, database.open_read_only()).name
    path = write_figure(
        arguments.name, gather_evidence(study, database), arguments.output, force=arguments.force
    )
    print(f"wrote {path}")
    _advise(f"next: open {path} | sweep plot {study} for the names of the others")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from sweep.results.evidence import gather_evidence
    from sweep.results.report import write_report

    name = _study_name(arguments)
    path = write_report(gather_evidence(name, _database(arguments)))
    print(f"wrote {path}")
    _advise(f"next: open {path} in a browser | sweep export {name}")
    return 0


def _dashboard(arguments: argparse.Namespace) -> int:
    from sweep.search.dashboard import HOST, make_server

    database = _database(arguments)
    server = make_server(database.open_read_only(), database.files, arguments.port)
    print(f"http://{HOST}:{server.server_port}/", flush=True)
    _advise("the Optuna dashboard, read-only; Ctrl-C ends it")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores Ctrl-C
    with server:
        server.serve_forever()
    return 0


def _confirm(arguments: argparse.Namespace) -> int:
    from sweep.interrupt import StopSignal
    from sweep.progress import RunProgress
    from sweep.results.confirm_text import describe_plan
    from sweep.search.confirm import load_confirmation, plan_confirmation, run_confirmation
    from sweep.search.confirm_plan import ConfirmSettings
    from sweep.task.mlp import MLP

    database, workers = _database(arguments), arguments.workers or _cores()
    storage = database.open_read_only()
    study = _stored_study(arguments, storage)
    asked = ConfirmSettings(
        top=arguments.top,
        seeds=arguments.seeds,
        certify=arguments.certify,
        method="race" if arguments.race else "fixed",
        delta=arguments.delta,
        alpha=arguments.alpha,
    )
    plan = plan_confirmation(study, load_confirmation(storage, study), asked)
    for line in describe_plan(study, plan, workers):
        _advise(line)
    progress = RunProgress(f"confirming {study.name}")
    with StopSignal(before_exit=progress.leave_at_once) as stop, progress:
        finished = run_confirmation(
            MLP,
            study,
            plan,
            database,
            workers=workers,
            device=arguments.device,
            observe=progress,
            should_stop=lambda: bool(stop),
        )
    _print_confirmation(_stored_study(arguments, storage), database, arguments.format)
    _publish(study.name, database)
    if not finished:
        _advise("interrupted: what is trained is stored; the same command goes on")
        return stop.exit_status
    _advise(f"next: sweep export {study.name} | sweep dashboard")
    return 0


def _print_confirmation(study: "StudyRecord", database: "Database", form: str) -> None:
    from sweep.results.confirm_text import format_confirmation, format_json
    from sweep.results.confirmation import judge
    from sweep.results.word_report import report_words
    from sweep.search.confirm import load_confirmation

    confirmation = load_confirmation(database.open_read_only(), study)
    assert confirmation is not None, "its plan is stored"
    verdict = judge(study, confirmation)
    words = report_words(study, confirmation, verdict, database)
    if form == "json":
        print(format_json(verdict, words))
        return
    print(format_confirmation(study, confirmation, verdict, words, **_look()))


def _export(arguments: argparse.Namespace) -> int:
    from sweep.results.config_file import choose_trial, write_config
    from sweep.results.confirmation import confirmed_choice

    storage = _database(arguments).open_read_only()
    study = _stored_study(arguments, storage)
    number, certificate = confirmed_choice(study, storage) if arguments.trial is None else (None, None)
    trial = choose_trial(study, arguments.trial if number is None else number)
    path = Path(arguments.output or f"reports/{study.name}/best.toml")
    write_config(study, trial, path, certificate=certificate, force=arguments.force)
    if certificate is not None:
        what = f"dev loss {certificate.mean:.4f} certified over {len(certificate.seeds)} seeds"
    else:
        what = f"dev loss {trial.dev_loss:.4f}, one seed, not confirmed"
    print(f"wrote {path}: trial {trial.number} of {study.name!r}, {what}")
    if study.cost is not None and arguments.trial is None:
        _advise(f"chosen by dev_loss alone; --trial N exports another of the front against {study.cost}")
    _advise(f"next: sweep test {path} | sweep sample {path}")
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from sweep.results.config_file import choose_trial
    from sweep.results.replay import Place, choose_place, config_of, train_again
    from sweep.task.mlp import MLP

    study = _stored_study(arguments, _database(arguments).open_read_only())
    trial = choose_trial(study, arguments.trial)
    config, data = config_of(MLP, study, trial), MLP.load_data(study.data)
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    _check_same_data(data.sha256, study)
    then = Place(engine=trial.engine, device=trial.device)
    place = choose_place(MLP, then, arguments.device, arguments.engine)
    _check_engine(place.engine, place.device)
    _advise(f"training trial {trial.number} of {study.name!r} again, {config.num_steps:,} steps")
    again = train_again(MLP, config, data, trial.dev_loss, place)
    print(f"{again.verdict}: stored {again.stored!r}, again {again.again!r} ({again.seconds:.1f} s)")
    _advise(f"next: sweep export {study.name} --trial {trial.number}")
    return 1 if again.verdict == "different" else 0


def _test(arguments: argparse.Namespace) -> int:
    from sweep.results.config_file import load_config
    from sweep.results.final_test import describe_test, leak_warnings, run_final_test

    config, provenance = load_config(arguments.config)
    words = arguments.words or provenance.words
    database = _database(arguments)
    final = run_final_test(
        config, provenance, database, words=words, again=arguments.again, device=arguments.device, say=_advise
    )
    for warning in leak_warnings(provenance, words, database.open_read_only()):
        _advise(f"warning: {warning}")
    for line in describe_test(final):
        print(line)
    _advise(f"next: sweep sample {arguments.config}")
    return 0


def _sample(arguments: argparse.Namespace) -> int:
    from sweep.results.config_file import load_config
    from sweep.results.sample import sample_from

    config, provenance = load_config(arguments.config)
    words = arguments.words or provenance.words
    database, n, seed = _database(arguments), arguments.n, arguments.seed
    for word in sample_from(config, provenance, database, words=words, n=n, seed=seed, say=_advise):
        print(word)
    return 0


def _rename(arguments: argparse.Namespace) -> int:
    from sweep.search.checkpoints import Checkpoints
    from sweep.search.study_file import check_name
    from sweep.search.study_store import rename_study, study_names

    database = _database(arguments)
    new = check_name("the new name", arguments.new)
    name = _stored_study(arguments, database.open_read_only()).name
    if new in study_names(database.open_read_only()):
        raise StudyConflictError(f"a study {new!r} exists already; choose another name")
    with database.driver_lock(name), database.driver_lock(new):
        rename_study(database.open_for_writing(), name, new)
        Checkpoints(database.files / name).rename(new)
    print(f"study {name!r} is now {new!r}")
    _advise(f"next: sweep table {new}")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from sweep.search.checkpoints import Checkpoints
    from sweep.search.study_store import delete_study

    database = _database(arguments)
    study = _stored_study(arguments, database.open_read_only())
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise SweepError(f"deleting {study.name!r} asks back; give --yes where nobody can answer")
        question = f"Delete study {study.name!r} with its {len(study.trials)} trials? Type its name: "
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip()
        if answer != study.name:
            raise SweepError("not deleted: that is not its name")
    with database.driver_lock(study.name):
        delete_study(database.open_for_writing(), study.name)
        Checkpoints(database.files / study.name).remove()
    print(f"deleted study {study.name!r}, {len(study.trials)} trials")
    _advise("next: sweep list")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    from sweep.workspace import init_workspace

    for path in init_workspace(Path(arguments.folder)):
        print(f"wrote {path}")
    _advise(f"next: cd {arguments.folder} && sweep run studies/quick.toml")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from sweep.doctor import examine
    from sweep.results.printable import printable
    from sweep.task.mlp import MLP

    findings = list(examine(MLP, _database(arguments)))
    for finding in findings:
        print(f"{'ok ' if finding.is_good else 'BAD'}  {finding.subject:<17} {printable(finding.text)}")
    bad = [finding.subject for finding in findings if not finding.is_good]
    _advise(f"not ready: {', '.join(bad)}" if bad else "ready; next: sweep run studies/quick.toml")
    return 3 if bad else 0


_COMMANDS: dict[str, _Command] = {
    "run": _run,
    "plan": _plan,
    "list": _list,
    "table": _table,
    "lr-find": _lr_find,
    "plot": _plot,
    "report": _report,
    "dashboard": _dashboard,
    "confirm": _confirm,
    "export": _export,
    "replay": _replay,
    "test": _test,
    "sample": _sample,
    "rename": _rename,
    "delete": _delete,
    "init": _init,
    "doctor": _doctor,
}


# What several commands need.


def _complain(text: str) -> None:
    from sweep.results.printable import printable

    print(f"sweep: {printable(text)}", file=sys.stderr)


def _drop_output() -> None:
    """Send what is still to be written nowhere, so that it cannot fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _advise(text: str) -> None:
    from sweep.results.printable import printable

    print(printable(text), file=sys.stderr, flush=True)


def _database(arguments: argparse.Namespace) -> "Database":
    from sweep.search.database import Database

    return Database(arguments.storage)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _study_path(study: str) -> Path | None:
    """Return the study's file: as given, or ``studies/NAME.toml`` for a name."""
    if study.endswith(".toml"):
        return Path(study)
    path = Path("studies") / f"{study}.toml"
    return path if "/" not in study and path.is_file() else None


def _study_spec(arguments: argparse.Namespace) -> "StudySpec":
    """Read the study file, or take the stored study, and apply what the command line changes."""
    from sweep.search.study_file import check_name, parse_duration
    from sweep.search.variants import warm_name
    from sweep.task.mlp import MLP

    spec = _named_spec(arguments)
    changes: dict[str, Any] = {}
    for name in ("trials", "replicates"):
        if getattr(arguments, name, None) is not None:
            changes[name] = getattr(arguments, name)
    if getattr(arguments, "timeout", None) is not None:
        changes["timeout"] = parse_duration("--timeout", arguments.timeout)
    if getattr(arguments, "new_name", None) is not None:
        changes["name"] = check_name("--as", arguments.new_name)
    elif getattr(arguments, "source", None) is not None:
        changes["name"] = warm_name(spec.name, arguments.source, arguments.source_top)
    if arguments.words is not None:
        changes["data"] = {**spec.data, "words": arguments.words}
        sha256 = MLP.load_data(changes["data"]).sha256
        changes["name"] = f"{changes.get('name', spec.name)}@{sha256[:8]}"
    spec = spec.replace(**changes)
    return spec if getattr(arguments, "source", None) is None else _warm_started(arguments, spec)


def _again(arguments: argparse.Namespace, name: str) -> str:
    """Return what names the study that was run: as it was given, or the variant's own name."""
    return name if arguments.settings or arguments.source else str(arguments.study)


def _named_spec(arguments: argparse.Namespace) -> "StudySpec":
    """Return the study of a file with its --set, or of a stored study that has no file."""
    from sweep.errors import NotFoundError, StudyFileError
    from sweep.results.config_file import is_config_file
    from sweep.search.study_file import load_study_file
    from sweep.search.study_store import load_study, stored_spec, study_names
    from sweep.task.mlp import MLP

    study, settings, database = arguments.study, arguments.settings, _database(arguments)
    path = _study_path(study)
    if path is None and database.exists() and study in study_names(storage := database.open_read_only()):
        if settings:
            raise StudyFileError(f"--set changes a study file, and {study} has none in studies/")
        return stored_spec(load_study(storage, study))
    if path is None and ("/" in study or Path(study).exists()):
        raise NotFoundError(f"{study} is no study file; give a .toml file, or a name in studies/")
    if path is None:
        raise NotFoundError(f"no study file studies/{study}.toml; give the path of a .toml file")
    if is_config_file(path):
        raise StudyFileError(f"{path} is an exported configuration; sweep test, sample and lr-find take it")
    return load_study_file(path, MLP, settings)


def _warm_started(arguments: argparse.Namespace, spec: "StudySpec") -> "StudySpec":
    """Let a study begin with configurations of another one; once stored, that is not asked again."""
    from sweep.results.warm_start import TOP, resume_warm_start, warm_start
    from sweep.search.study_store import load_study, study_names
    from sweep.task.mlp import MLP

    storage = _database(arguments).open_read_only()
    if spec.name in study_names(storage):
        stored = load_study(storage, spec.name)
        if stored.identity.get("from", {}).get("study") == arguments.source:
            return resume_warm_start(spec, stored)
    return warm_start(MLP, spec, load_study(storage, arguments.source), arguments.source_top or TOP)


def _stored_study(arguments: argparse.Namespace, storage: "Storage") -> "StudyRecord":
    """Return the stored study that a name or a study file means."""
    from sweep.search.study_store import load_study

    return load_study(storage, _study_name(arguments))


def _study_name(arguments: argparse.Namespace) -> str:
    """Return the name of a study that is given by it or by its file."""
    from sweep.search.study_file import load_study_file
    from sweep.task.mlp import MLP

    name: str = arguments.study
    return load_study_file(name, MLP).name if name.endswith(".toml") else name


def _check_same_data(sha256: str, study: "StudyRecord") -> None:
    from sweep.errors import DataError

    if sha256 != study.identity["data_sha256"]:
        raise DataError(
            f"{study.data['words']} has changed since study {study.name!r} was run; restore the file"
        )


def _publish(name: str, database: "Database") -> None:
    """Let the dashboard show what came out; the run is stored, so nothing here may fail it."""
    from sweep.results.publish import publish

    try:
        publish(name, database)
    except Exception as error:  # noqa: BLE001  whatever it is, it concerns the dashboard alone
        _advise(
            f"warning: the dashboard does not show this run's figures and files: {error}".partition("\n")[0]
        )


def _check_engine(name: str, device: str) -> None:
    from sweep.errors import DeviceError
    from sweep.task.engines import DEFAULT_ENGINE, ENGINES

    if name not in ENGINES:
        raise DeviceError(f"unknown engine {name!r}; known: {', '.join(ENGINES)}")
    if name == DEFAULT_ENGINE["cpu"] and device != "cpu":
        raise DeviceError(f"engine {name} does not run on {device}; use --device cpu")


def _format_table(study: "StudyRecord", form: str, top: int | None) -> str:
    from sweep.results.formats import FORMATS
    from sweep.results.table import rank_trials

    return FORMATS[form](rank_trials(study), study, top, **_look()).rstrip("\n")


def _look() -> dict[str, Any]:
    """Return the width and whether there are colours, where stdout is a terminal."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return {"width": _width() if sys.stdout.isatty() else None, "colour": colour}


def _width() -> int:
    return os.get_terminal_size(sys.stdout.fileno()).columns or 80  # a terminal may not know its own


def _print_run(study: "StudyRecord", database: "Database") -> None:
    """Print what was read, the table, and what there is to say about it."""
    from sweep.results.pareto_summary import describe_front
    from sweep.results.table import rank_trials
    from sweep.task.baselines import uniform_loss
    from sweep.task.mlp import MLP

    facts = f"{study.data['words']}: {study.data_facts}"
    print(textwrap.fill(facts, _width()) if sys.stdout.isatty() else facts, end="\n\n")
    ranked = len(study.complete_trials())
    print(_format_table(study, "text", RUN_TABLE_ROWS if ranked > RUN_TABLE_ROWS else None))
    for line in describe_front(rank_trials(study), study, uniform_loss(MLP.load_data(study.data))):
        print(line)
    _print_advice(study)
    print(f"stored in {database.path}")


def _print_advice(study: "StudyRecord", *, everything: bool = False) -> None:
    """Print the advice below a table, between empty lines; nothing where there is none."""
    from sweep.results.advice import format_advice

    width = _width() if sys.stdout.isatty() else None
    text = format_advice(study, everything=everything, width=width)
    if text:
        print(f"\n{text}\n")


if __name__ == "__main__":
    sys.exit(main())
