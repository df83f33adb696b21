"""What several commands need: the database, the study that is meant, a table, a word of advice."""

import argparse
import contextlib
import json
import os
import shlex
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sweep.errors import SweepError

if TYPE_CHECKING:
    from sweep.certify.study_data import StudyWords
    from sweep.definition.records import StudyRecord
    from sweep.definition.spec import StudySpec
    from sweep.storage.database import Database, Storage
    from sweep.tasks.mlp.corpus import Corpus

ANNOUNCE_AFTER_S = 1.0
"""Work that takes longer is announced by a line on stderr."""


def complain(text: str) -> None:
    """Print an error to stderr, on one line."""
    from sweep.reporting.printable import printable

    print(f"sweep: {printable(text)}", file=sys.stderr)


def report_error(error: SweepError, *, as_json: bool) -> None:
    """Print an error to stderr, one line for each thing that is wrong; as JSON also its key to stdout."""
    for line in error.lines:
        complain(line)
    if as_json:
        try:
            print(json.dumps({"error": error.key, "lines": error.lines}), flush=True)
        except OSError:
            drop_output()


def drop_output(stream: TextIO | None = None) -> None:
    """Send what is still to be written to stdout nowhere, so that it cannot fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or sys.stdout).fileno())


def advise(text: str) -> None:
    """Tell progress or what comes next, on stderr; where nobody reads it, nothing is lost."""
    from sweep.reporting.printable import printable
    from sweep.reporting.wrapping import wrap_hint

    width = terminal_width(sys.stderr) if sys.stderr.isatty() else None
    try:
        print(wrap_hint(printable(text), width), file=sys.stderr, flush=True)
    except BrokenPipeError:
        drop_output(sys.stderr)


@contextlib.contextmanager
def announced(text: str, *, after_s: float = ANNOUNCE_AFTER_S) -> Iterator[None]:
    """Print one line on stderr if the work inside is not done within a moment.

    Args:
        text: What is being done.
        after_s: How long the work may take without a line, seconds.
    """
    timer = threading.Timer(after_s, advise, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # a line that is being printed is printed whole


def load_words(spec: "StudySpec") -> "Corpus":
    """Read the words of a study that is to be run or planned."""
    from sweep.tasks.mlp.trainer import MLP

    with announced(f"reading {spec.data['words']}"):
        return MLP.load_data(spec.data)


def database_of(arguments: argparse.Namespace) -> "Database":
    """Return the database that --storage names."""
    from sweep.storage.database import Database

    return Database(arguments.storage, arguments.files)


def database_options(database: "Database") -> str:
    """Return the options that name a database, without its password."""
    if not database.is_shared:
        return shlex.join(["--storage", f"sqlite:///{database.where}"])
    return shlex.join(["--storage", database.where, "--files", database.files.where])


def check_engine(name: str, device: str) -> None:
    """Refuse an engine that does not exist, or does not run on a device."""
    from sweep.errors import DeviceError
    from sweep.tasks.mlp.engines import BATCH_ENGINES, DEFAULT_ENGINE, ENGINES

    if name not in ENGINES:
        raise DeviceError(f"unknown engine {name!r}; known: {', '.join(ENGINES)}")
    if name == DEFAULT_ENGINE["cpu"] and device != "cpu":
        raise DeviceError(f"engine {name} does not run on {device}; use --device cpu")
    if name in BATCH_ENGINES and device != "cpu":
        from sweep.tasks.mlp.engines.gpu import check_installed

        check_installed()


def check_code_cache(device: str) -> None:
    """Remove what is damaged of the compiled engine; print one line if it cannot be used or kept.

    The line is printed here, once for a command: its worker processes only compile what they lack.
    """
    if device != "cpu":
        return
    from sweep.tasks.mlp.engines.code_cache import mend_code_cache

    if text := mend_code_cache():
        advise(f"warning: {text}")


def _study_path(study: str) -> Path | None:
    """Return the study's file: as given, or ``studies/NAME.toml`` for a name."""
    if study.endswith(".toml"):
        return Path(study)
    path = Path("studies") / f"{study}.toml"
    # Not Path.is_file: it raises for a name that no file can have.
    return path if "/" not in study and os.path.isfile(path) else None


def study_spec(arguments: argparse.Namespace) -> "StudySpec":
    """Read the study file, or take the stored study, and apply what the command line changes."""
    from sweep.definition.study_file import check_name, parse_duration
    from sweep.definition.variants import warm_name
    from sweep.tasks.mlp.trainer import MLP

    spec = _named_spec(arguments)
    if arguments.words is None:
        _check_words(arguments.study, spec.data["words"])
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
        sha256 = MLP.data_sha256(changes["data"])
        changes["name"] = f"{changes.get('name', spec.name)}@{sha256[:8]}"
    spec = spec.replace(**changes)
    return spec if getattr(arguments, "source", None) is None else _warm_started(arguments, spec)


def _check_words(study: str, words: str) -> None:
    """Refuse a list that is not there, by the study's key that names it.

    Raises:
        DataError: If it is missing.
    """
    from sweep.errors import DataError

    if not os.path.exists(words):
        raise DataError(
            f"{_study_path(study) or study}: data.words names {words!r}, which does not exist "
            f"in {os.getcwd()}; correct it, or give a list with --words FILE"
        )


def _named_spec(arguments: argparse.Namespace) -> "StudySpec":
    """Return the study of a file with its --set, or of a stored study that has no file."""
    from sweep.certify.config_file import is_config_file
    from sweep.definition.study_file import load_study_file
    from sweep.definition.variants import linear_ranges
    from sweep.errors import NotFoundError, StudyFileError
    from sweep.storage.study_store import load_study, stored_spec, study_names
    from sweep.tasks.mlp.trainer import MLP

    study, settings, database = arguments.study, arguments.settings, database_of(arguments)
    path = _study_path(study)
    if path is None and database.exists() and study in study_names(storage := database.open_read_only()):
        if settings:
            raise StudyFileError(f"--set changes a study file, and {study} has none in studies/")
        return stored_spec(load_study(storage, study))
    if path is None and ("/" in study or os.path.exists(study)):
        raise NotFoundError(f"{study} is no study file; give a .toml file, or a name in studies/")
    if path is None:
        raise NotFoundError(f"no study file studies/{study}.toml; give the path of a .toml file")
    if is_config_file(path):
        raise StudyFileError(f"{path} is an exported configuration; sweep test, sample and lr-find take it")
    spec = load_study_file(path, MLP, settings)
    for note in linear_ranges(settings, spec.space):
        advise(note)
    return spec


def _warm_started(arguments: argparse.Namespace, spec: "StudySpec") -> "StudySpec":
    """Let a study begin with configurations of another one; once stored, that is not asked again."""
    from sweep.reporting.warm_start import TOP, resume_warm_start, warm_start
    from sweep.storage.study_store import load_study, study_names
    from sweep.tasks.mlp.trainer import MLP

    storage = database_of(arguments).open_read_only()
    if spec.name in study_names(storage):
        stored = load_study(storage, spec.name)
        if stored.identity.get("from", {}).get("study") == arguments.source:
            return resume_warm_start(spec, stored)
    return warm_start(MLP, spec, load_study(storage, arguments.source), arguments.source_top or TOP)


def stored_study(arguments: argparse.Namespace, storage: "Storage") -> "StudyRecord":
    """Return the stored study that a name or a study file means."""
    from sweep.storage.study_store import load_study

    return load_study(storage, study_name(arguments))


def study_name(arguments: argparse.Namespace) -> str:
    """Return the name of a study that is given by it or by its file."""
    from sweep.definition.study_file import load_study_file
    from sweep.errors import NotFoundError
    from sweep.storage.study_store import confirmed_study
    from sweep.tasks.mlp.trainer import MLP

    name: str = arguments.study
    if (study := confirmed_study(name)) is not None:
        raise NotFoundError(f"{name} is the confirmation of study {study!r} and goes with it; name {study}")
    return load_study_file(name, MLP).name if name.endswith(".toml") else name


def format_table(study: "StudyRecord", form: str, top: int | None) -> str:
    """Return a study's ranked trials in one of ``FORMATS``."""
    from sweep.definition.ranking import rank_trials
    from sweep.reporting.table.formats import FORMATS

    return FORMATS[form](rank_trials(study), study, top, **terminal_look()).rstrip("\n")


def next_command(study: "StudyRecord", storage: "Storage") -> str:
    """Return the command that goes on with a study: run, confirm, or export what is confirmed."""
    from sweep.certify.confirm import load_confirmation

    if not study.complete_trials():
        return f"sweep run {study.name}"
    confirmation = load_confirmation(storage, study)
    is_confirmed = confirmation is not None and not confirmation.remaining
    return f"sweep {'export' if is_confirmed else 'confirm'} {study.name}"


def terminal_look() -> dict[str, Any]:
    """Return the width and whether there are colours, where stdout is a terminal."""
    return {"width": terminal_width() if sys.stdout.isatty() else None, "colour": _has_colours()}


def _has_colours() -> bool:
    is_dumb = os.environ.get("TERM", "").lower() in {"dumb", "unknown"}
    return sys.stdout.isatty() and not is_dumb and not os.environ.get("NO_COLOR")


def terminal_width(stream: TextIO | None = None) -> int:
    """Return the width of the terminal that a stream, by default stdout, is."""
    return os.get_terminal_size((stream or sys.stdout).fileno()).columns or 80  # one may not know its own


def print_advice(study: "StudyRecord", *, everything: bool = False) -> None:
    """Print the advice below a table, between empty lines; nothing where there is none."""
    from sweep.reporting.advice import format_advice

    width = terminal_width() if sys.stdout.isatty() else None
    text = format_advice(study, everything=everything, width=width)
    if text:
        print(f"\n{text}\n")


def publish_study(name: str, database: "Database", words: "StudyWords | None" = None) -> None:
    """Store a study's outcome for the dashboard; an error is a warning, since the trials are stored.

    Args:
        name: As stored.
        database: Where it is stored.
        words: Its words; None reads them.
    """
    from sweep.reporting.evidence import gather_evidence
    from sweep.reporting.publish import publish

    try:
        with announced("drawing figures for the dashboard"), database.opening():
            publish(gather_evidence(name, database, words=words), database)
    except Exception as error:  # noqa: BLE001  whatever it is, it concerns the dashboard alone
        advise(
            f"warning: the dashboard does not show the study's figures and files: {error}".partition("\n")[0]
        )
