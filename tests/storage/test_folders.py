"""A folder of files is the same to its users on this machine and in a bucket."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sweep.errors import StorageError
from sweep.storage.bucket import bucket_folder
from sweep.storage.folders import Folder, LocalFolder, copy_files
from tests.support.s3_server import S3Server, running_s3


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(params=["local", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """An empty folder of each kind."""
    if request.param == "local":
        return LocalFolder(tmp_path / "files")
    server: S3Server = request.getfixturevalue("server")
    return bucket_folder(f"s3://{server.make_bucket()}/team/sweep")


@pytest.fixture
def local(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "other")


FILES = {"000000/curve": b"c", "000000/state": b"\0\xff" * 9, "confirm/000001/state": b""}


def write(folder: Folder, files: dict[str, bytes] = FILES) -> None:
    for name, content in files.items():
        where, _, file = name.rpartition("/")
        (folder / where).write({file: content})


def contents(folder: Folder) -> dict[str, bytes | None]:
    return {name: folder.read(name) for name in folder.names()}


def test_what_is_written_is_read_and_listed(root: Folder) -> None:
    """From above and from inside; what was never written is None, and an empty folder has no names."""
    root.open()
    assert root.names() == (root / "toy").names() == []
    write(root / "toy")
    assert contents(root / "toy") == FILES
    assert list(root.names()) == [f"toy/{name}" for name in FILES]
    assert contents(root / "toy" / "000000") == {"curve": b"c", "state": b"\0\xff" * 9}
    assert (root / "toy").read("000000/none") is None
    (root / "toy" / "000000").write({"state": b"new"})
    assert (root / "toy/000000").read("state") == b"new"


def test_removing_and_clearing_spare_the_neighbours(root: Folder) -> None:
    """A name that another begins with is another; what is not there is removed without complaint."""
    write(root / "toy")
    write(root / "toy2")
    (root / "toy" / "000000").remove(["state", "none"])
    assert (root / "toy").names() == ["000000/curve", "confirm/000001/state"]
    (root / "toy").clear()
    (root / "toy").clear()
    assert (root / "toy").names() == []
    assert contents(root / "toy2") == FILES


def test_files_are_copied_between_the_kinds(root: Folder, local: LocalFolder) -> None:
    """There and back nothing is lost, and nothing stays of what stood in the target."""
    write(root / "toy")
    write(local, {"left-over": b"x"})
    copy_files(root / "toy", local)
    assert contents(local) == contents(root / "toy") == FILES
    write(root / "back", {"left-over": b"x"})
    copy_files(local, root / "back")
    assert contents(root / "back") == FILES


PAIRS = {
    ("a", "a"): True,
    ("a", "a/b"): True,
    ("a/b/c", "a"): True,
    ("a", "ab"): False,
    ("a/b", "a/c"): False,
    ("", "a"): True,
}
"""Two folders -> whether a file can be in both."""


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("is_made", [False, True])
def test_folders_that_share_files_are_known(pair: tuple[str, str], is_made: bool, root: Folder) -> None:
    """Whether they exist or not, and however a path is written."""
    one, other = (root / name if name else root for name in pair)
    if is_made:
        write(one)
        write(other)
    assert one.overlaps(other) == other.overlaps(one) == PAIRS[pair]


def test_folders_of_different_kinds_share_nothing(local: LocalFolder) -> None:
    """Nor do buckets with different names."""
    bucket = bucket_folder("s3://bucket/files")
    assert not bucket.overlaps(local)
    assert not local.overlaps(bucket)
    assert not bucket.overlaps(bucket_folder("s3://bucket2/files"))
    assert bucket_folder("s3://bucket").overlaps(bucket)
    assert bucket.overlaps(bucket_folder("s3://bucket/files/"))


OTHER_PATHS: dict[str, Callable[[Path], Path]] = {
    "relative": lambda path: Path(os.path.relpath(path)),
    "dots": lambda path: path.parent / "none" / ".." / path.name,
    "link": lambda path: _link(path.parent / "link", path),
    "link above": lambda path: _link(path.parent.parent / "link", path.parent) / path.name,
    "link to a folder inside": lambda path: _link(path.parent / "link", path / "000000"),
}
"""Other paths of a folder, or of one inside it."""


def _link(link: Path, target: Path) -> Path:
    link.symlink_to(target)
    return link


@pytest.mark.parametrize("way", OTHER_PATHS)
def test_a_folder_is_known_under_another_path(way: str, tmp_path: Path) -> None:
    """A link may lead to it."""
    local = LocalFolder(tmp_path / "deep" / "other")
    write(local)
    other = LocalFolder(OTHER_PATHS[way](local.path))
    assert local.overlaps(other)
    assert other.overlaps(local)


def test_who_runs_a_study_is_not_one_of_its_files(local: LocalFolder) -> None:
    """The names of drivers are neither listed, copied nor cleared."""
    write(local)
    (local.path / "driver.lock").touch()
    assert contents(local) == FILES
    local.clear()
    assert [path.name for path in local.path.iterdir()] == ["driver.lock"]


ODD: dict[str, Callable[[Path, Path], object]] = {
    "link to a file": lambda path, outside: path.symlink_to(outside / "precious"),
    "link to a folder": lambda path, outside: path.symlink_to(outside),
    "link to nothing": lambda path, outside: path.symlink_to(outside / "nothing"),
    "relative link": lambda path, outside: path.symlink_to(os.path.relpath(outside, path.parent)),
    "pipe": lambda path, _: os.mkfifo(path),
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder with a file that nothing may read, change or remove."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_bytes(b"the only copy")
    (folder / "driver.json").write_bytes(b"mine")
    return folder


def is_untouched(outside: Path) -> bool:
    found = {path.name: path.read_bytes() for path in outside.iterdir()}
    return found == {"precious": b"the only copy", "driver.json": b"mine"}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("place", ["toy", "toy/000000", "toy/000000/state"])
def test_what_is_no_plain_file_or_folder_is_refused_on_every_way(
    kind: str, place: str, local: LocalFolder, outside: Path
) -> None:
    """No way of using the folder goes through it; nothing outside changes."""
    path = local.path / place
    path.parent.mkdir(parents=True)
    ODD[kind](path, outside)
    trial = local / "toy" / "000000"
    uses: dict[str, Callable[[], object]] = {
        "names": local.names,
        "read": lambda: trial.read("state"),
        "copy": lambda: copy_files(local, local / "copy"),
    }
    if place != "toy/000000/state":
        uses |= {
            "write": lambda: trial.write({"state": b"x"}),
            "remove": lambda: trial.remove(["precious"]),
            "clear": trial.clear,
            "lock": lambda: trial.lock("driver.lock", 0),
        }
    for use in uses.values():
        with pytest.raises(StorageError, match=r"is (a link|not of the kind).*; move it away"):
            use()
    assert is_untouched(outside)


@pytest.mark.parametrize("kind", ODD)
def test_writing_and_clearing_replace_what_is_there_itself(
    kind: str, local: LocalFolder, outside: Path
) -> None:
    """A file takes the place of a link of its name; clearing removes a link, not its target."""
    local.open()
    ODD[kind](local.path / "state", outside)
    ODD[kind](local.path / "other", outside)
    local.write({"state": b"new"})
    assert local.read("state") == b"new"
    local.clear()
    assert list(local.path.iterdir()) == []
    assert is_untouched(outside)


def test_the_folder_at_the_top_may_be_a_link(local: LocalFolder, tmp_path: Path) -> None:
    """A user's files may be kept on another disk."""
    (tmp_path / "disk").mkdir()
    local.path.symlink_to(tmp_path / "disk")
    write(local / "toy")
    assert contents(local / "toy") == FILES
    (local / "toy").clear()
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["toy"]


def test_a_foreign_name_in_a_bucket_leads_nowhere(server: S3Server, local: LocalFolder) -> None:
    """What others put under our prefix is neither listed, copied out of the folder nor removed."""
    bucket = server.make_bucket()
    folder = bucket_folder(f"s3://{bucket}/sweep")
    write(folder / "toy")
    foreign = ["toy/../../out", "toy//absolute", "toy/.hidden", "toy/a b", "toy/back\\slash"]
    for name in foreign:
        server.connect().put_object(Bucket=bucket, Key=f"sweep/{name}", Body=b"x")
    copy_files(folder / "toy", local)
    assert contents(local) == FILES
    (folder / "toy").clear()
    assert sorted(server.contents(bucket)) == sorted(f"sweep/{name}" for name in foreign)
