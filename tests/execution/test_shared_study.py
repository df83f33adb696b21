"""Several drivers share a study on PostgreSQL, as if they were one, whatever befalls them or the server."""

import concurrent.futures
import contextlib
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.certify.confirm import ConfirmSettings, plan_confirmation, run_confirmation
from sweep.certify.confirm_plan import Job
from sweep.certify.stored_confirmation import load_confirmation
from sweep.cli import main
from sweep.dashboard.server import HOST, make_server
from sweep.definition.records import StudyRecord
from sweep.definition.spec import StudySpec
from sweep.errors import NotFoundError, StorageError, StudyConflictError
from sweep.execution.driver import RunSummary
from sweep.execution.how import How
from sweep.execution.run import run_study
from sweep.storage.copying import copy_study
from sweep.storage.database import Database
from sweep.storage.database.postgres import OPENING_PATIENCE_S
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import delete_study, rename_study
from tests.support.postgres_server import PASSWORD, QUOTED, Server, running_server
from tests.support.shared_runs import check_study, count_ended, ended_at_last, start_driver
from tests.support.sweep_command import DEADLINE_S, kill, write_words
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY, CoreTask


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def database(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Database:
    """An empty database with a folder of files."""
    return Database(server.make_database(f"t{abs(hash(request.node.name))}"), tmp_path / "files")


def run(
    database: Database,
    spec: StudySpec,
    watcher: Watcher | None = None,
    workers: int = 1,
    task: CoreTask = TOY,
) -> RunSummary:
    watcher = watcher or Watcher()
    return run_study(
        task, spec, database, how=How(workers=workers, observe=watcher, should_stop=watcher.should_stop)
    )


def outcome(study: StudyRecord) -> list[object]:
    """What must be the same wherever a study was run."""
    return [
        (trial.number, trial.state, trial.params, trial.seed, trial.dev_loss, trial.rungs)
        for trial in study.trials
    ]


def test_a_study_comes_out_as_on_sqlite(database: Database, tmp_path: Path) -> None:
    """Stopped in between and gone on with, every parameter, rung and loss is bitwise the same."""
    spec = toy_study(pruner="median", sampler="tpe", trials=8)
    assert run(database, spec, Watcher(stop_after=5)).stopped_by == "signal"
    summary = run(database, spec)
    assert summary.stopped_by is None
    assert outcome(summary.study) == outcome(run_toy(tmp_path, spec).study)
    assert run(database, spec).trained == 0


def test_a_trainer_with_the_core_alone_shares_a_study(database: Database, tmp_path: Path) -> None:
    """It has none of the capabilities, and gets the same losses as beside SQLite."""
    spec = toy_study(CoreTask(), trials=3)
    study = run(database, spec, task=CoreTask()).study
    assert outcome(study) == outcome(run_toy(tmp_path, spec, task=CoreTask()).study)


def test_drivers_share_a_study_whose_server_falls(server: Server, tmp_path: Path) -> None:
    """24 trials end once each, though the server is stopped without warning and a driver killed."""
    url = server.make_database("falls")
    runs = [start_driver(url, tmp_path, trials=24, workers=1, lease_s=2) for _ in range(2)]
    with ended_at_last(runs):
        reach(server, "falls", 5)
        server.stop("immediate")
        server.start()
        reach(server, "falls", 10)
        kill(runs[0].pid)
        _, complaints = runs[1].communicate(timeout=DEADLINE_S)
    assert runs[1].returncode == 0, complaints
    check_study(server, "falls", tmp_path, 24)


def reach(server: Server, name: str, n: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while count_ended(server, name) < n:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_driver_that_was_taken_for_dead_writes_no_more(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When its row is gone its trials are free; it notices at its next write and goes on as a new driver."""

    class Reaper(Watcher):
        def __call__(self, event: object) -> None:
            super().__call__(event)  # type: ignore[arg-type]
            if len(self.events) == 4:
                with server.connect(database.where.rpartition("/")[2]) as connection:
                    assert connection.execute("DELETE FROM sweep_drivers").rowcount == 1

    watcher = Reaper()
    spec = toy_study(trials=3)
    summary = run(database, spec, watcher)
    assert [trial.state for trial in summary.study.trials] == ["complete"] * 3
    assert any("presumed dead" in str(event) for event in watcher.events)


def test_a_study_that_is_being_run_cannot_be_deleted(server: Server, tmp_path: Path) -> None:
    """The refusal names process and host of each driver; once they have left it can be."""
    database = Database(server.make_database("busy"), tmp_path)
    (driver,) = [start_driver(server.url("busy"), tmp_path, trials=4_000, workers=1, lease_s=60)]
    with ended_at_last([driver]):
        reach(server, "busy", 1)
        with pytest.raises(StudyConflictError, match=f"process {driver.pid} on"), database.driver_lock("toy"):
            pass
    with server.connect("busy") as connection:  # as if the lease that it can renew no more had run out
        connection.execute("UPDATE sweep_drivers SET lease_until = now() - interval '1 s'")
    with database.driver_lock("toy"):
        delete_study(database.open_for_writing(), "toy")
    assert study_names(database.open_read_only()) == []


def test_drivers_share_a_confirmation(database: Database, tmp_path: Path) -> None:
    """Two commands at once train each seed once, round after round, and choose what one alone chooses."""
    asked = ConfirmSettings(top=3, seeds=6, certify=2, method="race", delta=0.003)
    run_toy(tmp_path, toy_study())
    run(database, toy_study())

    def confirm(where: Database) -> dict[Job, float | None]:
        storage = where.open_for_writing()
        study = load_study(storage, "toy")
        plan = plan_confirmation(study, load_confirmation(storage, study), asked)
        assert run_confirmation(TOY, study, plan, where, how=How(workers=1))
        confirmation = load_confirmation(storage, load_study(storage, "toy"))
        assert confirmation is not None
        return dict(confirmation.losses)

    alone = confirm(database_in(tmp_path))
    _write_plan_of(database, asked)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        runs = [threads.submit(confirm, database) for _ in range(2)]
        assert [finished.result(timeout=DEADLINE_S) for finished in runs] == [alone, alone]


def _write_plan_of(database: Database, asked: ConfirmSettings) -> None:
    """Store the plan as a command does that is stopped before the first training."""
    storage = database.open_for_writing()
    study = load_study(storage, "toy")
    plan = plan_confirmation(study, None, asked)
    assert not run_confirmation(TOY, study, plan, database, how=How(workers=1, should_stop=lambda: True))


def test_a_study_and_its_confirmation_are_copied_there_and_back(database: Database, tmp_path: Path) -> None:
    """Every value and file is the same after both ways; a second copy is refused."""
    here, back = database_in(tmp_path), Database(f"sqlite:///{tmp_path}/back.db")
    study = run(here, toy_study(trials=6)).study
    settings = ConfirmSettings(top=2, seeds=2, certify=2, method="fixed", delta=0.003, alpha=0.05)
    plan = plan_confirmation(study, None, settings)
    assert run_confirmation(TOY, study, plan, here, how=How(workers=1))
    for source, target in ((here, database), (database, back)):
        copies = copy_study("toy", source, target)
        assert [len(copy.trials) for copy in copies] == [6, 6]
        with pytest.raises(StudyConflictError, match="exists in"):
            copy_study("toy", source, target)
    confirmation = load_confirmation(back.open_read_only(), load_study(back.open_read_only(), "toy"))
    assert confirmation is not None
    assert confirmation.remaining == []
    files = [
        {
            path.relative_to(each.files.path): path.read_bytes()
            for path in each.files.path.rglob("*.safetensors")
        }
        for each in (here, database, back)
    ]
    assert files[0]
    assert files[0] == files[1] == files[2]
    assert run(database, toy_study(trials=7)).trained == 1


def test_no_text_shows_the_password(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither errors of every kind, nor what commands print, nor the dashboard's pages."""
    monkeypatch.chdir(tmp_path)
    url = server.make_database("secrets")
    run(Database(url, tmp_path / "files"), toy_study(trials=1))
    refused = [server.url("secrets", password=f"not{QUOTED}"), server.url("nowhere")]
    unreadable = [
        url.replace("secrets", "sec/rets{}"),
        url.replace(f":{server.port}", ":port"),
        url.replace("/secrets", ""),
        f"{url}?password={QUOTED}",
        url.replace("127.0.0.1", "[::1"),
    ]
    for status, wrong in ((3, refused), (1, unreadable)):
        for bad in wrong:
            assert main(["list", "--storage", bad]) == status
    for command in (["doctor"], ["list"], ["table", "toy", "--format", "json"], ["table", "none"]):
        main([*command, "--storage", url])
    said = "".join(capsys.readouterr())
    assert "sweep@127.0.0.1" in said
    assert "toy" in said
    for secret in (PASSWORD, QUOTED, "s3cr3t"):
        assert secret not in said


def test_nothing_that_commands_write_holds_the_password(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run, confirmation, report and export by the real commands: all that they print, and every file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "ledger"))
    where = ["--storage", server.make_database("written"), "--files", str(tmp_path / "files")]
    write_words(tmp_path / "words.txt")
    search = "search = {block_size = {low = 2, high = 3}}"
    fixed = "fixed = {num_steps = 40, hidden_neurons = 4}"
    (tmp_path / "small.toml").write_text(f'trials = 2\ndata = {{words = "words.txt"}}\n{search}\n{fixed}\n')
    confirm = ["confirm", "small", "--top", "1", "--seeds", "2", "--certify", "2", "--workers", "1"]
    run = ["run", "small.toml", "--json", "--workers", "1"]
    for command in (run, confirm, ["report", "small"], ["export", "small"]):
        assert main([*command, *where]) == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    texts = ["".join(capsys.readouterr()).encode(), *(path.read_bytes() for path in written)]
    assert {path.suffix for path in written} >= {".html", ".toml", ".safetensors"}
    for secret in (PASSWORD, QUOTED, "s3cr3t"):
        assert not any(secret.encode() in text for text in texts)


@pytest.mark.parametrize(
    ("login", "answer"),
    [
        (("sweep", ""), "requires a password; write it after the user"),
        (("sweep:wrong", ""), "password authentication failed"),
        (("nobody:wrong", ""), "password authentication failed"),
        ((f"sweep:{QUOTED}", "?sslmode=require"), "SSL was required"),
        ((f"sweep:{QUOTED}", "?sslmode=nonsense"), "invalid sslmode value"),
    ],
)
def test_a_login_that_is_refused_is_not_tried_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, login: tuple[str, str], answer: str
) -> None:
    """What the server or libpq refuses will be refused in ten seconds too, so it is one line at once."""
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    url = f"postgresql://{login[0]}@{server.host}:{server.port}/postgres{login[1]}"
    start = time.monotonic()
    with pytest.raises(StorageError, match=answer) as refusal:
        Database(url, tmp_path / "files").open_read_only()
    assert time.monotonic() - start < OPENING_PATIENCE_S
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_form_of_a_url_names_the_same_database(
    server: Server, tmp_path: Path, scheme: str
) -> None:
    """Hosting services hand out postgres://, SQLAlchemy's users write the driver."""
    database = Database(server.url().replace("postgresql", scheme), tmp_path / "files")
    assert database.where == f"postgresql://sweep@{server.host}:{server.port}/postgres"
    assert not database.exists()


def test_missing_rights_are_named_with_the_command_that_gives_them(server: Server, tmp_path: Path) -> None:
    """A user who may not make tables, and one who may not read those of another, as on PostgreSQL 15."""
    made = Database(server.make_database("rights"), tmp_path / "files")
    made.open_for_writing()
    with server.connect("rights") as connection:
        connection.execute("CREATE USER guest PASSWORD 'guest'")
    with server.connect(server.make_database("bare").rpartition("/")[2]) as connection:
        connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
    for name, command in (("bare", "GRANT USAGE, CREATE ON SCHEMA public"), ("rights", "GRANT ALL ON ALL")):
        url = f"postgresql://guest:guest@{server.host}:{server.port}/{name}"
        with pytest.raises(StorageError, match=command):
            Database(url, tmp_path / "files").open_for_writing()


def test_the_dashboard_reads_and_cannot_write(server: Server, tmp_path: Path) -> None:
    """It shows the study through a connection on which the server itself refuses to write."""
    database = Database(server.make_database("shown"), tmp_path)
    run(database, toy_study(trials=2))
    storage = database.open_for_dashboard()
    with pytest.raises(StorageError, match="read-only"):
        rename_study(storage, "toy", "other")
    web = make_server(storage, database.files, 0)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with contextlib.closing(web.socket):
        pages = [
            urllib.request.urlopen(f"http://{HOST}:{web.server_port}{path}").read().decode()
            for path in ("/api/studies", "/api/studies/1?after=0")
        ]
        web.shutdown()
    assert '"toy"' in pages[0]
    assert '"trials"' in pages[1]
    assert "s3cr3t" not in "".join(pages)


def test_what_is_no_database_of_studies_is_refused(server: Server, tmp_path: Path) -> None:
    """An empty one when reading, another program's, and a server that is not there."""
    empty = Database(server.make_database("empty"), tmp_path)
    assert not empty.exists()
    with pytest.raises(NotFoundError, match="no studies in postgresql://sweep@"):
        empty.open_read_only()
    with server.connect("empty") as connection:
        connection.execute("CREATE TABLE studies (title text)")
    with pytest.raises(StorageError, match="belongs to another program"):
        empty.open_for_writing()
