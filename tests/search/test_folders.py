"""A folder of files is the same to its users on this machine and in a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from s3_server import S3Server, running_s3

from sweep.search.bucket import bucket_folder
from sweep.search.folders import Folder, LocalFolder, copy_files


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


def test_links_and_locks_of_a_folder_are_not_its_files(local: LocalFolder, tmp_path: Path) -> None:
    """A link is neither followed nor copied; who runs the study is not copied nor cleared."""
    write(local)
    secret = tmp_path / "secret"
    secret.write_text("not yours")
    (local.path / "link").symlink_to(secret)
    (local.path / "linked").symlink_to(tmp_path)
    (local.path / "driver.lock").touch()
    assert contents(local) == FILES
    local.clear()
    assert [path.name for path in local.path.iterdir()] == ["driver.lock"]
    assert secret.exists()


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
