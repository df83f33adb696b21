"""Commands that keep house: rename, delete, init, doctor."""

import argparse
import sys
from pathlib import Path

from sweep.cli.commands.common import advise, database_of, database_options, publish_study, stored_study
from sweep.errors import StudyConflictError, SweepError


def rename(arguments: argparse.Namespace) -> int:
    """Rename a stored study."""
    from sweep.definition.study_file import check_name
    from sweep.storage.checkpoints import Checkpoints
    from sweep.storage.folders import copy_files
    from sweep.storage.study_store import rename_study, study_names

    database = database_of(arguments)
    new = check_name("the new name", arguments.new)
    name = stored_study(arguments, database.open_read_only()).name
    if new in study_names(database.open_read_only()):
        raise StudyConflictError(f"a study {new!r} exists already; choose another name")
    with database.driver_lock(name), database.driver_lock(new):
        storage = database.open_for_writing()
        copy_files(database.files / name, database.files / new)  # before the database speaks of them
        rename_study(storage, name, new)
        Checkpoints(database.files / name).remove()
    publish_study(new, database)
    print(f"study {name!r} is now {new!r}")
    advise(f"next: sweep table {new}")
    return 0


def copy(arguments: argparse.Namespace) -> int:
    """Copy a stored study to another database."""
    from sweep.storage.copying import copy_study
    from sweep.storage.database import Database

    source, target = database_of(arguments), Database(arguments.to, arguments.to_files)
    name = stored_study(arguments, source.open_read_only()).name
    for study in copy_study(name, source, target):
        print(f"study {study.name!r}: {len(study.trials)} trials copied to {target.where} and compared")
    advise(f"what stands in {source.where} is as it was; next: sweep table {name} {database_options(target)}")
    return 0


def delete(arguments: argparse.Namespace) -> int:
    """Delete a stored study, asking back."""
    from sweep.storage.checkpoints import Checkpoints
    from sweep.storage.study_store import delete_study

    database = database_of(arguments)
    study = stored_study(arguments, database.open_read_only())
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
    advise("next: sweep list")
    return 0


def init(arguments: argparse.Namespace) -> int:
    """Lay out a folder with starter studies and a word list."""
    from sweep.cli.workspace import init_workspace

    for path in init_workspace(Path(arguments.folder)):
        print(f"wrote {path}")
    advise(f"next: cd {arguments.folder} && sweep run studies/quick.toml")
    return 0


def doctor(arguments: argparse.Namespace) -> int:
    """Say whether this machine is ready."""
    from sweep.cli.doctor import examine
    from sweep.reporting.printable import printable
    from sweep.tasks.mlp.trainer import MLP

    findings = list(examine(MLP, database_of(arguments)))
    for finding in findings:
        print(f"{'ok ' if finding.is_good else 'BAD'}  {finding.subject:<17} {printable(finding.text)}")
    bad = [finding.subject for finding in findings if not finding.is_good]
    advise(f"not ready: {', '.join(bad)}" if bad else "ready; next: sweep run studies/quick.toml")
    return 3 if bad else 0
