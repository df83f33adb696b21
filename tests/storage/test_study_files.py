"""Databases that share a folder of files do not replace or remove each other's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.storage.database import Database
from sweep.storage.folders import LOCK
from sweep.storage.study_files import check_files, mark_files, release_files
from sweep.storage.study_names import all_study_names
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import delete_study
from tests.support.command_line import Capture, complaint
from tests.support.postgres_server import Server, running_server
from tests.support.s3_server import S3Server, running_s3

MARK = f"{LOCK}study.json"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture
def make(server: Server, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Function that makes an empty database of this test and returns its URL."""
    own = f"t{abs(hash(request.node.name))}"
    return lambda name: server.make_database(f"{own}_{name}")


@pytest.fixture(params=["local", "bucket"])
def shared(request: pytest.FixtureRequest) -> str:
    """A folder of files that several databases use."""
    if request.param == "local":
        return "shared"
    s3: S3Server = request.getfixturevalue("s3")
    return f"s3://{s3.make_bucket()}/team"


def contents(database: Database) -> dict[str, bytes | None]:
    return {name: database.files.read(name) for name in database.files.names()}


def copy_to(url: str, files: str) -> Database:
    """Copy the small study into a database on a server."""
    assert main(["copy", "small", "--to", url, "--to-files", files]) == 0
    return Database(url, files)


CONFIRM = ["confirm", "small", "--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1"]
RUN = ["run", "studies/small.toml", "--workers", "1"]

COMMANDS = {
    "run": ("small", [*RUN, "--trials", "7"]),
    "run of a new study": (None, RUN),
    "confirm": ("small", CONFIRM),
    "delete": ("small", ["delete", "small", "--yes"]),
    "rename": ("small", ["rename", "small", "other"]),
    "rename to its name": ("other", ["rename", "other", "small"]),
    "copy": (None, ["copy", "small"]),
}
"""What is done in a second database -> the study that it has, and the command."""


@pytest.mark.parametrize("command", COMMANDS)
def test_files_of_another_database_are_left_alone(
    command: str, make: Callable[[str], str], shared: str, small: Path, capsys: Capture
) -> None:
    """The refusal names the owner and the option; neither the files nor the database change."""
    owner, url = copy_to(make("owner"), shared), make("second")
    has, arguments = COMMANDS[command]
    if has:
        copy_to(url, "own")
    if has == "other":
        assert main(["rename", "small", "other", "--storage", url, "--files", "own"]) == 0
    option = "--to-files" if command == "copy" else "--files"
    where = ["--to", url, option, shared] if command == "copy" else ["--storage", url, option, shared]
    before = contents(owner)
    assert before
    capsys.readouterr()
    assert main([*arguments, *where]) == 1
    (told,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sweep: ")]
    assert f"/small has the files of study 'small' of {owner.where}, which would be lost; " in told
    assert f"choose another folder with {option}, or move the folder away" in told
    assert contents(owner) == before
    if has:
        stored = load_study(Database(url).open_read_only(), has)
        assert (len(stored.trials), stored.plans) == (6, ())
    else:
        assert all_study_names(Database(url).open_for_writing()) == []
    check_files(owner, owner.open_read_only(), "small")


def test_other_studies_share_the_folder(make: Callable[[str], str], shared: str, small: Path) -> None:
    """As long as no two have the same name."""
    first, second = make("first"), make("second")
    copy_to(first, shared)
    where = ["--storage", second, "--files", shared]
    assert main([*RUN, "--as", "other", "--trials", "2", *where]) == 0
    before = contents(Database(first, shared))
    assert main(["delete", "other", "--yes", *where]) == 0
    left = contents(Database(first, shared))
    assert left == {name: content for name, content in before.items() if name.startswith("small/")} != {}


def test_a_folder_without_a_mark_is_its_studys(make: Callable[[str], str], shared: str, small: Path) -> None:
    """As older versions leave it: whoever has the study marks it; a new study takes no files of others."""
    owner, second = copy_to(make("owner"), shared), make("second")
    (owner.files / "small").remove([MARK])
    before = contents(owner)
    where = ["--storage", second, "--files", shared]
    assert main([*RUN, *where]) == main(["copy", "small", "--to", second, "--to-files", shared]) == 1
    assert contents(owner) == before
    assert (owner.files / "small").read(MARK) is None
    assert main([*RUN, "--trials", "7", "--storage", owner.given[0], "--files", shared]) == 0
    assert (owner.files / "small").read(MARK)


def test_an_interrupted_copy_or_deletion_is_in_nobodys_way(
    make: Callable[[str], str], shared: str, small: Path
) -> None:
    """What it left is replaced, from any database."""
    first = Database(make("first"), shared)
    mark_files(first, first.open_for_writing(), "small")
    (first.files / "small" / "000000").write({"left-over": b"x"})
    copy_to(first.given[0], shared)
    assert "small/000000/left-over" not in contents(first)
    release_files(first, "small")
    delete_study(first.open_for_writing(), "small")
    assert contents(first)
    second = copy_to(make("second"), shared)
    check_files(second, second.open_read_only(), "small")


def test_an_interrupted_renaming_is_repeated(
    make: Callable[[str], str], shared: str, small: Path, capsys: Capture
) -> None:
    """The files that it had copied are replaced."""
    database = copy_to(make("one"), shared)
    mark_files(database, database.open_for_writing(), "small", at="new")
    (database.files / "new" / "000000").write({"left-over": b"x"})
    where = ["--storage", database.given[0], "--files", shared]
    assert main(["rename", "small", "new", *where]) == 0
    assert not [name for name in contents(database) if not name.startswith("new/") or "left-over" in name]
    for name in ("small", "new"):
        check_files(database, database.open_read_only(), name)


def test_a_database_that_moves_keeps_its_files(
    make: Callable[[str], str], server: Server, shared: str, small: Path
) -> None:
    """To another server, or to another name."""
    database = copy_to(make("before"), shared)
    name = database.where.rpartition("/")[2]
    with server.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} RENAME TO {name}_after")
    where = ["--storage", server.url(f"{name}_after"), "--files", shared]
    assert main([*RUN, "--trials", "7", *where]) == 0
    assert main(["delete", "small", "--yes", *where]) == 0
    assert contents(database) == {}


def test_a_file_owns_the_folder_beside_it(small: Path) -> None:
    """Also one that was removed and made again, or moved with its folder."""
    Path("studies/sweep.db").unlink()
    assert main(RUN) == 0
    Path("studies/sweep.db").rename("studies/moved.db")
    Path("studies/sweep.db.d").rename("studies/moved.db.d")
    moved = ["--storage", "sqlite:///studies/moved.db"]
    assert main([*RUN, "--trials", "7", *moved]) == 0
    assert main(["rename", "small", "other", *moved]) == main(["delete", "other", "--yes", *moved]) == 0


def test_a_server_may_have_its_files_in_the_folder_of_a_file(
    make: Callable[[str], str], small: Path, capsys: Capture
) -> None:
    """Each refuses the other's studies."""
    there = ["--storage", make("server"), "--files", "studies/sweep.db.d"]
    assert main([*RUN, "--trials", "2", "--as", "theirs", *there]) == 0
    before = contents(Database("sqlite:///studies/sweep.db"))
    capsys.readouterr()
    for command in (["rename", "small", "theirs"], [*RUN, "--as", "theirs"]):
        assert main(command) == 1
        assert "choose another database, or move the folder away" in complaint(capsys)
    for command in (["rename", "theirs", "small"], RUN):
        assert main([*command, *there]) == 1
        assert "small has the files of study 'small' of studies/sweep.db, " in complaint(capsys)
    assert contents(Database("sqlite:///studies/sweep.db")) == before


DAMAGED = [b"", b"{", b"[]", b'{"owner": []}', b'{"owner": 1, "database": "x"}', b"[" * 9999]


@pytest.mark.parametrize("mark", DAMAGED)
def test_a_damaged_mark_is_none(mark: bytes, small: Path, capsys: Capture) -> None:
    """The study keeps its files; a folder of no stored study is not taken."""
    files = Database("sqlite:///studies/sweep.db").files
    (files / "small").write({MARK: mark})
    (files / "other").write({MARK: mark, "curve": b"x"})
    assert main(["rename", "small", "other"]) == 1
    assert "other has the files of a study of an unknown database, which would be lost" in complaint(capsys)
    assert main(["rename", "small", "third"]) == 0
