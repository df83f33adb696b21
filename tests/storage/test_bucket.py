"""Drivers that share a database and a bucket, and nothing else; what fails is told in one line."""

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.definition.spec import StudySpec
from sweep.errors import StorageError, StorageUnreachableError
from sweep.execution.driver import RunSummary
from sweep.execution.events import SegmentStored, Warned
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage import leases
from sweep.storage.bucket import BucketFolder, bucket_folder
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.copying import copy_study
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from tests.support.postgres_server import Server, running_server
from tests.support.s3_server import SECRET, S3Server, running_s3
from tests.support.shared_runs import ended_at_last, start_driver
from tests.support.sweep_command import DEADLINE_S, kill
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


SPEC = {"trials": 3, "keep": 2}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one driver ran the study undisturbed, with its files in a folder."""
    folder = tmp_path_factory.mktemp("alone")
    run_toy(folder, toy_study(**SPEC))
    return folder


def losses_in(database: Database) -> list[object]:
    """What must be the same wherever and however the study was run."""
    study = load_study(database.open_read_only(), "toy")
    return [(trial.number, trial.dev_loss, trial.rungs) for trial in study.trials]


def run(database: Database, spec: StudySpec, watcher: Watcher) -> RunSummary:
    return run_study(
        TOY, spec, database, how=How(workers=1, observe=watcher, should_stop=watcher.should_stop)
    )


def files_of(folder: Path) -> dict[str, bytes | None]:
    """Every file of the toy study in an SQLite database."""
    files = database_in(folder).files / "toy"
    return {name: files.read(name) for name in files.names()}


def test_a_dead_drivers_trial_goes_on_elsewhere(
    server: Server, s3: S3Server, alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its last segment, in another folder; results, curves and weights are those of one driver."""
    url, bucket = server.make_database("elsewhere"), s3.make_bucket()
    here, there, back = (tmp_path / name for name in ("here", "there", "back"))
    for folder in (here, there, back):
        folder.mkdir()
    spec, files = toy_study(**SPEC), f"s3://{bucket}/team/sweep"
    dying = start_driver(url, files, trials=3, workers=1, lease_s=2, segment_s=0.5, folder=there)
    with ended_at_last([dying]):
        wait_for_segments(server, "elsewhere", 2)
        kill(dying.pid)
    monkeypatch.chdir(here)
    monkeypatch.setattr(leases, "LEASE_S", 2.0)
    database, watcher = Database(url, files), Watcher()
    stored = load_study(database.open_read_only(), "toy").trials[0].segments
    assert len(stored) in (2, 3)
    run(database, spec, watcher)

    continued = [event.step for event in watcher.of(SegmentStored) if event.trial == 0]
    assert not watcher.of(Warned)
    assert continued[0] > stored[-1].step
    assert len(stored) + len(continued) == 4
    assert losses_in(database) == losses_in(database_in(alone))
    copy_study("toy", database, database_in(back))
    assert files_of(back) == files_of(alone)
    assert len(files_of(alone)) == 5  # three curves, the best two's weights
    assert len(s3.contents(bucket)) == 5 + 1  # and the mark of the folder's owner
    assert list(there.iterdir()) == list(here.iterdir()) == []


def wait_for_segments(server: Server, database: str, n: int) -> None:
    """Wait until a study's first trial has so many."""
    import psycopg

    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        try:
            with server.connect(database) as connection:
                row = connection.execute("SELECT count(*) FROM trial_intermediate_values").fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
        if row is not None and row[0] >= n:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {n} segments in {DEADLINE_S} s")


def test_damage_in_the_bucket_is_noticed(server: Server, s3: S3Server, alone: Path) -> None:
    """A state that is not what was stored starts its trial again, with a word, to the same numbers."""
    bucket, spec = s3.make_bucket(), toy_study(trials=1)
    database = Database(server.make_database("damage"), f"s3://{bucket}")
    run(database, spec, Watcher(stop_after=2))
    states = {key: value for key, value in s3.contents(bucket).items() if "state-" in key}
    assert states
    for key, state in states.items():
        s3.connect().put_object(Bucket=bucket, Key=key, Body=bytes([state[0] ^ 1]) + state[1:])
    watcher = Watcher()
    run(database, spec, watcher)
    assert ["lost or damaged" in event.text for event in watcher.of(Warned)] == [True]
    assert losses_in(database) == losses_in(database_in(alone))[:1]


def test_credentials_that_end_in_a_run_cost_one_segment(server: Server, s3: S3Server, alone: Path) -> None:
    """The run ends with one line and leaves its trial to the next, which ends with the same numbers."""
    database, spec = Database(server.make_database("ended"), f"s3://{s3.make_bucket()}"), toy_study(trials=1)
    with contextlib.ExitStack() as stack:

        def end_after_two(event: object) -> None:
            watcher(event)  # type: ignore[arg-type]
            if len(watcher.of(SegmentStored)) == 2:
                stack.enter_context(s3.asking_for_credentials())

        watcher = Watcher()
        with pytest.raises(StorageError, match="the credentials are rejected"):
            run_study(TOY, spec, database, how=How(workers=1, observe=end_after_two))
    watcher = Watcher()
    run(database, spec, watcher)
    assert not watcher.of(Warned)
    assert len(watcher.of(SegmentStored)) == 2
    assert losses_in(database) == losses_in(database_in(alone))[:1]


def test_what_is_not_in_a_bucket_is_none(s3: S3Server) -> None:
    """A trial without objects has no state and an empty curve."""
    checkpoints = Checkpoints(bucket_folder(f"s3://{s3.make_bucket()}") / "toy")
    assert checkpoints.read_state(0, 10, "0" * 64) is None
    assert len(checkpoints.read_curve(0)[0]) == 0


def every_use(folder: BucketFolder) -> Iterator[str]:
    """Yield what each use of a folder that cannot be used is told."""
    uses = [folder.open, folder.names, folder.clear, lambda: folder.read("a")]
    for use in [*uses, lambda: folder.write({"a": b"b"}), lambda: folder.remove(["a"])]:
        with pytest.raises(StorageError) as told:
            use()
        yield str(told.value)


def test_a_missing_bucket_is_named(s3: S3Server) -> None:
    """Whatever is asked of it."""
    for text in every_use(bucket_folder("s3://nowhere/team")):
        assert text == "s3://nowhere: the bucket does not exist; create it, or choose another with --files"


def test_refused_credentials_are_not_shown(s3: S3Server) -> None:
    """The service knows no such key: every use says so and shows neither key nor address."""
    folder = bucket_folder(f"s3://{s3.make_bucket()}")
    with s3.asking_for_credentials():
        for text in every_use(folder):
            assert "the credentials are rejected (InvalidAccessKeyId); check AWS_PROFILE" in text
            assert_tells_no_secret(text, s3)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"AWS_ENDPOINT_URL_S3": "http://user:s3cr3t@127.0.0.1:9"}, "does not answer"),
        ({"AWS_ENDPOINT_URL_S3": "s3cr3t"}, "no usable settings"),
        ({"AWS_PROFILE": "s3cr3t"}, "no usable settings"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no usable settings"),
    ],
)
def test_what_boto3_cannot_use_is_one_line(
    s3: S3Server, variables: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody at the address, no address at all, no such profile, no credentials."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StorageError, match=told) as error:
        bucket_folder("s3://bucket").open()
    assert isinstance(error.value, StorageUnreachableError) == (told == "does not answer")
    assert_tells_no_secret(str(error.value), s3)


def assert_tells_no_secret(text: str, s3: S3Server) -> None:
    assert "\n" not in text
    for secret in (SECRET, "s3cr3t", "AKIA", s3.endpoint.removeprefix("http://"), "127.0.0.1"):
        assert secret not in text


def test_a_command_ends_with_one_line(
    server: Server, s3: S3Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run into a missing bucket claims no trial; doctor names the bucket, reachable or not."""
    url, bucket = server.make_database("told"), s3.make_bucket()
    missing = ["--storage", url, "--files", "s3://nowhere/x"]
    assert main(["run", "studies/quick.toml", *missing]) == 3
    assert capsys.readouterr().err.endswith(
        "sweep: s3://nowhere: the bucket does not exist; create it, or choose another with --files\n"
    )
    assert not Database(url, "s3://nowhere/x").exists()
    assert main(["doctor", *missing]) == 3
    assert "BAD  bucket            s3://nowhere: the bucket does not exist" in capsys.readouterr().out
    main(["doctor", "--storage", url, "--files", f"s3://{bucket}/x/"])
    assert f"ok   bucket            s3://{bucket}/x: within reach" in capsys.readouterr().out


def test_without_boto3_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is asked of a service."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StorageError, match=r"needs boto3: pip install boto3"):
        bucket_folder("s3://bucket/x").open()


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///x",
        "s3://key:s3cr3t@bucket",
        "s3://bucket/../x",
        "s3://bucket//x",
        "s3://b",
        "s3://bucketx?y",
    ],
)
def test_what_is_no_address_of_a_bucket_is_refused(url: str) -> None:
    """The text repeats nothing of it."""
    with pytest.raises(StorageError, match="is not s3://BUCKET/PREFIX") as told:
        Database("postgresql://sweep@host/sweep", url)
    assert "s3cr3t" not in str(told.value)


def test_sqlite_keeps_its_files_beside_it() -> None:
    """A bucket goes with a database that all hosts reach."""
    with pytest.raises(StorageError, match="--files goes with postgresql://"):
        Database("sqlite:///x.db", "s3://bucket/x")
