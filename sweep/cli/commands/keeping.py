"""Commands that maintain studies and check the machine: rename, copy, delete, doctor."""

import shutil
import sys

import click

from sweep.cli import options
from sweep.cli.command import Arguments, command
from sweep.cli.commands.common import advise, database_of, database_options, publish_study, stored_study
from sweep.errors import StudyConflictError, SweepError


@command(example="sweep rename quick first-try")
@options.study
@click.argument("new", metavar="NEW", help="its new name")
def rename(arguments: Arguments) -> int:
    """Rename a stored study."""
    from sweep.definition.sections.top_level import check_name
    from sweep.storage.folders import copy_files
    from sweep.storage.study_files import (
        check_files,
        check_free,
        mark_files,
        remove_files,
        whole_study_lock,
    )
    from sweep.storage.study_names import study_names
    from sweep.storage.study_store import rename_study

    database = database_of(arguments)
    new = check_name("the new name", arguments.new)
    name = stored_study(arguments, database.open_read_only()).name
    if new in study_names(database.open_read_only()):
        raise StudyConflictError(f"a study {new!r} exists already; choose another name")
    with whole_study_lock(database, name), database.driver_lock(new):
        storage = database.open_for_writing()
        check_files(database, storage, name)
        check_free(database, storage, new)
        mark_files(database, storage, name, at=new)
        copy_files(database.files / name, database.files / new)  # before the database speaks of them
        rename_study(storage, name, new)
        remove_files(database, name)
        if database.program_folder(name).is_dir():
            database.program_folder(name).replace(database.program_folder(new))
    publish_study(new, database)
    print(f"study {name!r} is now {new!r}")
    advise(f"next: sweep table {new}")
    return 0


@command(example="sweep copy quick --to postgresql://USER@HOST/DATABASE")
@options.study
@click.option("--to", required=True, metavar="URL", help="the other database")
@click.option(
    "--to-files", metavar="DIR", help="its folder of files, or s3://BUCKET/PREFIX, if it is on a server"
)
def copy(arguments: Arguments) -> int:
    """Copy a stored study, its confirmation and its files to another database."""
    from sweep.storage.copying import copy_study
    from sweep.storage.database import Database

    source, target = database_of(arguments), Database(arguments.to, arguments.to_files)
    name = stored_study(arguments, source.open_read_only()).name
    for study in copy_study(name, source, target):
        print(f"study {study.name!r}: {len(study.trials)} trials copied to {target.where} and compared")
    advise(f"nothing was changed in {source.where}; next: sweep table {name} {database_options(target)}")
    return 0


@command(example="sweep delete first-try")
@options.study
@click.option("--yes", is_flag=True, help="delete without asking for confirmation")
def delete(arguments: Arguments) -> int:
    """Delete a stored study and its files."""
    from sweep.storage.study_files import check_files, release_files, remove_files, whole_study_lock
    from sweep.storage.study_store import delete_study

    database = database_of(arguments)
    study = stored_study(arguments, database.open_read_only())
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise SweepError(
                f"refusing to delete {study.name!r} without confirmation; "
                "pass --yes in a non-interactive shell",
                key="unconfirmed",
            )
        question = f"Delete study {study.name!r} with its {len(study.trials)} trials? Type its name: "
        print(question, end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip()
        if answer != study.name:
            raise SweepError("not deleted: the typed name is another one", key="unconfirmed")
    with whole_study_lock(database, study.name):
        storage = database.open_for_writing()
        check_files(database, storage, study.name)
        release_files(database, study.name)
        delete_study(storage, study.name)
        remove_files(database, study.name)
        shutil.rmtree(database.program_folder(study.name), ignore_errors=True)
    print(f"deleted study {study.name!r}, {len(study.trials)} trials")
    advise("next: sweep list")
    return 0


@command(example="sweep doctor")
def doctor(arguments: Arguments) -> int:
    """Check versions, device, database, permissions and disk."""
    from sweep.cli.doctor import examine
    from sweep.reporting.printable import printable
    from sweep.task import DEFAULT_TASK, load_task

    findings = list(examine(load_task(DEFAULT_TASK), database_of(arguments)))
    for finding in findings:
        print(f"{'ok ' if finding.is_good else 'BAD'}  {finding.subject:<17} {printable(finding.text)}")
    bad = [finding.subject for finding in findings if not finding.is_good]
    advise(f"not ready: {', '.join(bad)}" if bad else "ready; next: sweep run studies/quick.toml")
    return 3 if bad else 0


COMMANDS = (rename, copy, delete, doctor)
