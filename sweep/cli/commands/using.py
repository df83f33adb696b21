"""Commands that use a winner: export, replay, train, test."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.cli import candidates, options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, announced, check_program, database_of, mend, stored_study
from sweep.errors import MachineError, OptionError, SweepError
from sweep.values import Toml

if TYPE_CHECKING:
    from sweep.certify.ensemble.record import Ensemble
    from sweep.certify.provenance import Certificate, Provenance
    from sweep.certify.replay import Comparison
    from sweep.certify.test_split.final_test import Exported
    from sweep.definition.records import StudyRecord, TrialRecord
    from sweep.task import AnyTask


@command(example="sweep export quick -o best.toml")
@options.study
@click.option("--trial", type=options.number, metavar="N", help="export this trial instead of the best")
@options.output("FILE", "the file to write", default="reports/STUDY/best.toml")
@click.option(
    "--ensemble",
    is_flag=True,
    help="export the certified seeds together: the mean of their probabilities",
)
@click.option("--weights", is_flag=True, help="also write the trained weights beside it, as .safetensors")
@options.force
def export(arguments: Arguments) -> int:
    """Write the best configuration to a file."""
    from sweep.certify.config_file import choose_trial, weights_path, write_config
    from sweep.certify.verdict import confirmed_choice
    from sweep.certify.weights import weights_file
    from sweep.reporting.text.confirmation import newer_trials
    from sweep.storage.looks.stored_looks import first_finished_look, looks_of_study

    if arguments.weights and arguments.ensemble:
        raise OptionError("--weights writes those of one model; leave out --ensemble")
    database = database_of(arguments)
    storage = database.open_read_only()
    study = stored_study(arguments, storage)
    number, certificate = confirmed_choice(study, storage) if arguments.trial is None else (None, None)
    trial = choose_trial(study, arguments.trial if number is None else number)
    ensemble = _ensemble_of(arguments, study) if arguments.ensemble else None
    path = Path(arguments.output or f"reports/{study.name}/{'ensemble' if ensemble else 'best'}.toml")
    weights = weights_file(study, trial, database, certificate) if arguments.weights else None
    write_config(
        *(study, trial, path),
        certificate=certificate,
        ensemble=ensemble,
        weights=weights,
        force=arguments.force,
    )
    if certificate is not None and (newer := newer_trials(study)):
        advise(f"warning: {newer}")
    what = _describe_export(study, trial, certificate, ensemble)
    print(f"wrote {path}: trial {trial.number} of {study.name!r}, {what}")
    if weights is not None:
        seed = certificate.seeds[0] if certificate else trial.seed
        print(f"wrote {weights_path(path)}: its weights, trained on seed {seed}")
    if study.cost is not None and arguments.trial is None:
        advise(
            f"chosen by {study.metric.name} alone; --trial N exports another of the front against "
            f"{study.cost}"
        )
    is_tested = first_finished_look(looks_of_study(study, storage), study, trial) is not None
    _advise_on_export(study.task, path, is_tested=is_tested)
    return 0


def _describe_export(
    study: "StudyRecord", trial: "TrialRecord", certificate: "Certificate | None", ensemble: "Ensemble | None"
) -> str:
    """Return the value that an exported configuration has, and how sure it is."""
    from sweep.reporting.units import certified_label

    label = study.metric.label
    if ensemble is not None:
        return f"{label} {ensemble.value:.4f}, ensemble of {len(ensemble.seeds)} seeds, not certified"
    if certificate is not None:
        over = "deterministic, the same on" if certificate.deterministic else "over"
        return f"{certified_label(study.metric)} {certificate.mean:.4f} {over} {len(certificate.seeds)} seeds"
    return f"{label} {trial.dev_loss:.4f}, one seed, not confirmed"


def _ensemble_of(arguments: Arguments, study: "StudyRecord") -> "Ensemble":
    """Return the ensemble of a study's certified seeds."""
    from sweep.certify.units.report import report_units
    from sweep.reporting.evidence import gather_evidence

    if arguments.trial is not None:
        raise OptionError("--ensemble exports the certified configuration; leave out --trial")
    database = database_of(arguments)
    evidence = gather_evidence(study.name, database)
    if evidence.confirmed is None or evidence.confirmation is None or evidence.verdict is None:
        raise SweepError(
            f"no seed of study {study.name!r} is certified; `sweep confirm {study.name}` does it"
        )
    if evidence.study_data.why_missing:
        raise SweepError(evidence.study_data.why_missing)
    with announced(f"evaluating the confirmed models on each dev {evidence.unit}"):  # with their weights
        units = report_units(study, database, evidence.confirmation, evidence.verdict, evidence.study_data)
    if units is None or units.ensemble is None:
        raise SweepError(
            f"trainer {study.trainer} cannot combine models, or not all weights of its certified seeds are "
            "here"
        )
    return units.ensemble


def _advise_on_export(task: "AnyTask", path: Path | str, *, is_tested: bool = False) -> None:
    """Print what can be done with an exported configuration: the test, and what the trainer adds."""
    from sweep.cli.commands.run import proposed_after_export_of
    from sweep.task import why_untested

    proposed = ["test"] if why_untested(task) is None and not is_tested else []
    proposed += proposed_after_export_of(task.name)
    if proposed:
        advise(f"next: {' | '.join(f'sweep {command} {path}' for command in proposed)}")


@command(example="sweep replay quick --trial 7")
@options.study
@click.option(
    "--trial",
    type=options.number,
    metavar="N",
    show_default="the confirmed or best one",
    help="number of the trial",
)
@click.option(
    "--engine", metavar="NAME", show_default="the trial's own", help="implementation of the training"
)
@options.device
@options.trust
def replay(arguments: Arguments) -> int:
    """Train a stored trial again and compare."""
    from sweep.certify.config_file import choose_trial
    from sweep.certify.replay import Place, choose_place, config_of, train_again
    from sweep.certify.study_data import StudyData
    from sweep.certify.verdict import confirmed_choice
    from sweep.execution.one_program import changed_files, spoken_files
    from sweep.task import check_engine, spoken_length

    storage = database_of(arguments).open_read_only()
    study = stored_study(arguments, storage)
    number, _ = confirmed_choice(study, storage) if arguments.trial is None else (arguments.trial, None)
    trial = choose_trial(study, number)
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
    named = "" if arguments.trial is None else f" --trial {trial.number}"
    advise(f"next: sweep export {study.name}{named}")
    return 1 if again.verdict == "different" else 0


def _note_difference(arguments: Arguments, study: "StudyRecord", trial: int, again: "Comparison") -> None:
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


@command(example="sweep train best.toml -o trained")
@options.config_file
@options.output("DIR", "new or empty folder", default="reports/STUDY/trained", complete=candidates.folders)
@options.data_file
@options.device
@options.trust
def train(arguments: Arguments) -> int:
    """Train an exported configuration."""
    from sweep.certify.config_file import load_config
    from sweep.certify.train_exported import train_exported
    from sweep.certify.trust import check_trusted
    from sweep.definition.sections.top_level import check_name
    from sweep.task import resolve_device

    config, provenance = load_config(arguments.config)
    if provenance.ensemble is not None:
        raise SweepError(f"{arguments.config} is an ensemble; export without --ensemble to train one model")
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


@command(example="sweep test best.toml")
@options.config_files
@click.option(
    "--again",
    default="",
    show_default=False,
    metavar="WHY",
    help="reason for using the test split again; it is recorded",
)
@options.data_file
@options.device
@options.trust
def test(arguments: Arguments) -> int:
    """Evaluate exported configurations on the test split, once."""
    from sweep.certify.test_split.final_test import describe_test, run_final_test
    from sweep.certify.test_split.leaks import leak_warnings

    paths, database = tuple(dict.fromkeys(arguments.configs)), database_of(arguments)
    exports = [_exported(arguments, path) for path in paths]
    finals = run_final_test(exports, database, again=arguments.again, device=arguments.device, say=advise)
    warnings = [
        warning
        for export in exports
        for warning in leak_warnings(export.provenance, export.section, database.open_read_only())
    ]
    for warning in dict.fromkeys(warnings):
        advise(f"warning: {warning}")
    for path, final in zip(paths, finals, strict=True):
        if len(finals) > 1:
            print(f"{path}: trial {final.look.trial} of {final.look.study!r}")
        for line in describe_test(final):
            print(line)
    for path, final in zip(paths, finals, strict=True):
        _advise_on_export(final.task, path, is_tested=True)
    return 0


def _exported(arguments: Arguments, path: str) -> "Exported":
    """Read an exported configuration that has a test split, and whose program may run."""
    from sweep.certify.config_file import load_config
    from sweep.certify.test_split.final_test import Exported
    from sweep.certify.trust import check_trusted
    from sweep.task import check_has_test, resolve_device

    config, provenance = load_config(path)
    check_has_test(provenance.task)
    check_trusted(provenance.study, provenance.program, provenance.surroundings, trust=arguments.trust)
    mend(provenance.task, resolve_device(provenance.task, arguments.device))
    return Exported(config=config, provenance=provenance, section=_section(arguments, provenance))


def _section(arguments: Arguments, provenance: "Provenance") -> Mapping[str, Toml]:
    """Return the ``[data]`` section of an export, with the file that --data names."""
    from sweep.api.asked import with_data_file

    if arguments.words is None:
        return provenance.data
    return with_data_file(provenance.task, provenance.data, arguments.words)


COMMANDS = (export, replay, train, test)
