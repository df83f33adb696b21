"""Commands that use a winner: export, replay, train, test."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.cli.command import Command
from sweep.cli.commands.common import advise, check_program, database_of, mend, stored_study
from sweep.cli.options import add_data_file, add_device, add_study, add_trust, number
from sweep.errors import MachineError

if TYPE_CHECKING:
    from sweep.certify.provenance import Provenance
    from sweep.certify.replay import Comparison
    from sweep.definition.records import StudyRecord
    from sweep.task import AnyTask


def export(arguments: argparse.Namespace) -> int:
    """Write the best configuration to a file."""
    from sweep.certify.config_file import choose_trial, write_config
    from sweep.certify.confirmation import confirmed_choice

    storage = database_of(arguments).open_read_only()
    study = stored_study(arguments, storage)
    number, certificate = confirmed_choice(study, storage) if arguments.trial is None else (None, None)
    trial = choose_trial(study, arguments.trial if number is None else number)
    path = Path(arguments.output or f"reports/{study.name}/best.toml")
    write_config(study, trial, path, certificate=certificate, force=arguments.force)
    if certificate is not None:
        over = "deterministic, the same on" if certificate.deterministic else "certified over"
        what = f"{study.metric.label} {certificate.mean:.4f} {over} {len(certificate.seeds)} seeds"
    else:
        what = f"{study.metric.label} {trial.dev_loss:.4f}, one seed, not confirmed"
    print(f"wrote {path}: trial {trial.number} of {study.name!r}, {what}")
    if study.cost is not None and arguments.trial is None:
        advise(
            f"chosen by {study.metric.name} alone; --trial N exports another of the front against "
            f"{study.cost}"
        )
    _advise_on_export(study.task, path)
    return 0


def _advise_on_export(task: "AnyTask", path: Path | str, *, is_tested: bool = False) -> None:
    """Print what can be done with an exported configuration: the test, and what the trainer adds."""
    from sweep.cli.commands.run import proposed_after_export_of
    from sweep.task import why_untested

    proposed = ["test"] if why_untested(task) is None and not is_tested else []
    proposed += proposed_after_export_of(task.name)
    if proposed:
        advise(f"next: {' | '.join(f'sweep {command} {path}' for command in proposed)}")


def replay(arguments: argparse.Namespace) -> int:
    """Train a stored trial again and compare."""
    from sweep.certify.config_file import choose_trial
    from sweep.certify.replay import Place, choose_place, config_of, train_again
    from sweep.certify.study_data import StudyData
    from sweep.execution.one_program import changed_files, spoken_files
    from sweep.task import check_engine, spoken_length

    study = stored_study(arguments, database_of(arguments).open_read_only())
    trial = choose_trial(study, arguments.trial)
    check_program(study, arguments)
    found = StudyData(study)
    task, data = found.task, found.data
    config = config_of(task, study, trial)
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    then = Place(engine=trial.engine, device=trial.device)
    place = choose_place(task, then, arguments.device, arguments.engine)
    check_engine(task, place.engine, place.device)
    mend(task, place.device)
    changes = changed_files(study)
    if changes:
        advise(f"the program has changed since: {spoken_files(changes)}; it trains the trial as it is now")
    advise(f"training trial {trial.number} of {study.name!r} again{spoken_length(task, config)}")
    again = train_again(task, config, data, trial.dev_loss, place)
    print(f"{again.verdict}: stored {again.stored!r}, again {again.again!r} ({again.seconds:.1f} s)")
    if again.verdict == "different" and study.program and not changes:
        _note_difference(arguments, study, trial.number, again)
    advise(f"next: sweep export {study.name} --trial {trial.number}")
    return 1 if again.verdict == "different" else 0


def _note_difference(
    arguments: argparse.Namespace, study: "StudyRecord", trial: int, again: "Comparison"
) -> None:
    """Store that a program does not repeat its values; if that fails, print a warning."""
    from sweep.definition.notes import NotReproducible
    from sweep.storage.study_store import store_note

    note = NotReproducible(trial=trial, stored=again.stored, again=again.again)
    try:
        store_note(database_of(arguments).open_for_writing(), study.name, note)
    except MachineError as error:
        advise(f"warning: not noted with the study: {error}")
    else:
        advise(f"noted with study {study.name!r}: {note.sentence}")


def train(arguments: argparse.Namespace) -> int:
    """Train an exported configuration from its beginning to its end."""
    from sweep.certify.config_file import load_config
    from sweep.certify.train_exported import train_exported
    from sweep.certify.trust import check_trusted
    from sweep.definition.sections.settings import check_name
    from sweep.task import resolve_device

    config, provenance = load_config(arguments.config)
    check_trusted(provenance.study, provenance.program, provenance.surroundings, trust=arguments.trust)
    name = check_name("provenance.study", provenance.study)
    folder = Path(arguments.output or f"reports/{name}/trained")
    mend(provenance.task, resolve_device(provenance.task, arguments.device))
    section = _section(arguments, provenance)
    trained = train_exported(config, provenance, folder, section=section, device=arguments.device, say=advise)
    what = f"{provenance.task.metric.label} {trained.again!r}, exported {trained.stored!r}"
    print(f"{trained.verdict}: {what} ({trained.seconds:.1f} s)")
    print(f"kept in {folder}")
    return 0


def test(arguments: argparse.Namespace) -> int:
    """Evaluate an exported configuration once on the test split."""
    from sweep.certify.config_file import load_config
    from sweep.certify.final_test import describe_test, run_final_test
    from sweep.certify.leaks import leak_warnings
    from sweep.certify.trust import check_trusted
    from sweep.task import check_has_test, resolve_device

    config, provenance = load_config(arguments.config)
    check_has_test(provenance.task)
    check_trusted(provenance.study, provenance.program, provenance.surroundings, trust=arguments.trust)
    section, database = _section(arguments, provenance), database_of(arguments)
    mend(provenance.task, resolve_device(provenance.task, arguments.device))
    final = run_final_test(
        config,
        provenance,
        database,
        section=section,
        again=arguments.again,
        device=arguments.device,
        say=advise,
    )
    for warning in leak_warnings(provenance, section, database.open_read_only()):
        advise(f"warning: {warning}")
    for line in describe_test(final):
        print(line)
    _advise_on_export(provenance.task, arguments.config, is_tested=True)
    return 0


def _section(arguments: argparse.Namespace, provenance: "Provenance") -> Mapping[str, Any]:
    """Return the ``[data]`` section of an export, with the file that --data names."""
    from sweep.api.asked import with_data_file

    if arguments.words is None:
        return provenance.data
    return with_data_file(provenance.task, provenance.data, arguments.words)


def _export_arguments(command: argparse.ArgumentParser) -> None:
    add_study(command)
    command.add_argument("--trial", type=number, metavar="N", help="another trial than the best")
    command.add_argument("-o", "--output", metavar="FILE", help="default: reports/STUDY/best.toml")
    command.add_argument("--force", action="store_true", help="overwrite the file if it exists")


def _replay_arguments(command: argparse.ArgumentParser) -> None:
    add_study(command)
    command.add_argument("--trial", type=number, metavar="N", help="default: the best")
    command.add_argument("--engine", metavar="NAME", help="default: the engine of then")
    add_device(command)
    add_trust(command)


def _train_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", metavar="CONFIG.toml", help="written by `sweep export`")
    command.add_argument("-o", "--output", metavar="DIR", help="new or empty; default: reports/STUDY/trained")
    add_data_file(command)
    add_device(command)
    add_trust(command)


def _test_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", metavar="CONFIG.toml", help="written by `sweep export`")
    command.add_argument(
        "--again", default="", metavar="WHY", help="reason for looking once more; it is recorded"
    )
    add_data_file(command)
    add_device(command)
    add_trust(command)


COMMANDS = (
    Command(
        name="export",
        does="write the best configuration to a file",
        example="sweep export quick -o best.toml",
        run=export,
        add_arguments=_export_arguments,
    ),
    Command(
        name="replay",
        does="train a stored trial again and compare",
        example="sweep replay quick --trial 7",
        run=replay,
        add_arguments=_replay_arguments,
    ),
    Command(
        name="train",
        does="train an exported config from its beginning to its end",
        example="sweep train best.toml -o trained",
        run=train,
        add_arguments=_train_arguments,
    ),
    Command(
        name="test",
        does="evaluate an exported config once on the test split",
        example="sweep test best.toml",
        run=test,
        add_arguments=_test_arguments,
    ),
)
