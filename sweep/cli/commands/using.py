"""Commands that use a winner: export, replay, test, sample."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.cli.commands.common import advise, check_code_cache, database_of, stored_study

if TYPE_CHECKING:
    from sweep.certify.provenance import Provenance


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
        what = f"dev loss {certificate.mean:.4f} certified over {len(certificate.seeds)} seeds"
    else:
        what = f"dev loss {trial.dev_loss:.4f}, one seed, not confirmed"
    print(f"wrote {path}: trial {trial.number} of {study.name!r}, {what}")
    if study.cost is not None and arguments.trial is None:
        advise(f"chosen by dev_loss alone; --trial N exports another of the front against {study.cost}")
    advise(f"next: sweep test {path} | sweep sample {path}")
    return 0


def replay(arguments: argparse.Namespace) -> int:
    """Train a stored trial again and compare."""
    from sweep.certify.config_file import choose_trial
    from sweep.certify.replay import Place, choose_place, config_of, train_again
    from sweep.certify.study_data import StudyData
    from sweep.task import check_engine

    study = stored_study(arguments, database_of(arguments).open_read_only())
    trial = choose_trial(study, arguments.trial)
    found = StudyData(study)
    task, data = found.task, found.data
    config = config_of(task, study, trial)
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    then = Place(engine=trial.engine, device=trial.device)
    place = choose_place(task, then, arguments.device, arguments.engine)
    check_engine(task, place.engine, place.device)
    check_code_cache(place.device)
    advise(f"training trial {trial.number} of {study.name!r} again, {config.num_steps:,} steps")
    again = train_again(task, config, data, trial.dev_loss, place)
    print(f"{again.verdict}: stored {again.stored!r}, again {again.again!r} ({again.seconds:.1f} s)")
    advise(f"next: sweep export {study.name} --trial {trial.number}")
    return 1 if again.verdict == "different" else 0


def test(arguments: argparse.Namespace) -> int:
    """Evaluate an exported configuration once on the test split."""
    from sweep.certify.config_file import load_config
    from sweep.certify.final_test import describe_test, run_final_test
    from sweep.certify.leaks import leak_warnings
    from sweep.task import resolve_device

    config, provenance = load_config(arguments.config)
    section, database = _section(arguments, provenance), database_of(arguments)
    check_code_cache(resolve_device(provenance.task, arguments.device))
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
    advise(f"next: sweep sample {arguments.config}")
    return 0


def _section(arguments: argparse.Namespace, provenance: "Provenance") -> Mapping[str, Any]:
    """Return the ``[data]`` section of an export, with the source that --words names."""
    return provenance.data if arguments.words is None else {**provenance.data, "words": arguments.words}


def sample(arguments: argparse.Namespace) -> int:
    """Print new words from a trained model."""
    from sweep.certify.config_file import load_config
    from sweep.tasks.mlp.shown.sample import sample_from
    from sweep.tasks.mlp.trainer import MLP

    config, provenance = load_config(arguments.config)
    words = arguments.words or provenance.data["words"]
    database, n, seed = database_of(arguments), arguments.n, arguments.seed
    check_code_cache(MLP.resolve_device("auto"))
    for word in sample_from(config, provenance, database, words=words, n=n, seed=seed, say=advise):
        print(word)
    return 0
