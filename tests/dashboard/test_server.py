"""The Optuna dashboard: it shows a study with its values, and cannot change or hold it up."""

import concurrent.futures
import contextlib
import csv
import datetime
import hashlib
import http.client
import io
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from sweep.certify.config_file import load_config
from sweep.cli import main
from sweep.dashboard.server import HOST, make_server
from sweep.dashboard.showcase import save_figure
from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from sweep.errors import MachineError, NotFoundError
from sweep.reporting.evidence import gather_evidence
from sweep.reporting.publish import publish
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import open_study
from tests.support.dashboard_server import artifact_ids, ask, serving
from tests.support.hostile_strings import HOSTILE_STRINGS
from tests.support.plain_optuna import plain_storage
from tests.support.small_study import _own_ledger, environment, small, trained
from tests.support.sweep_command import DEADLINE_S
from tests.support.toy_runs import database_in, toy_study
from tests.support.toy_task import TOY
from tests.support.zones import zone

__all__ = ["_own_ledger", "small", "trained", "zone"]  # fixtures

DATABASE = Path("studies/sweep.db")


@pytest.fixture
def database(small: Path) -> Database:
    """The database of the small study, in the working directory."""
    assert (small / DATABASE).exists()
    return Database(f"sqlite:///{DATABASE}")


@pytest.fixture
def port(database: Database) -> Iterator[int]:
    """Port of a dashboard on the small study."""
    with serving(database) as number:
        yield number


READING = [
    "/dashboard",
    "/dashboard/studies/1",
    "/static/bundle.js",
    "/api/meta",
    "/api/studies",
    "/api/studies/1",
    "/api/studies/1?after=3",
    "/api/studies/1/param_importances",
    "/api/studies/1/plot/slice",
    "/api/studies/1/plot/timeline",
    "/csv/1",
]

CHANGING = [
    ("POST", "/api/studies", {"study_name": "new", "directions": ["minimize"]}),
    ("POST", "/api/studies/1/rename", {"study_name": "renamed"}),
    ("DELETE", "/api/studies/1", None),
    ("PUT", "/api/studies/1/note", {"body": "graffiti", "version": 0}),
    ("PUT", "/api/studies/1/1/note", {"body": "graffiti", "version": 0}),
    ("POST", "/api/trials/1/tell", {"state": "Fail"}),
    ("POST", "/api/trials/1/user-attrs", {"user_attrs": {"seed": 1}}),
    ("POST", "/api/studies/1/1/skip", {}),
    ("PATCH", "/api/studies/1", {}),
    ("delete", "/api/studies/1", None),
    ("POST", "/dashboard", {}),
]


def fingerprint_of_files() -> dict[str, str]:
    """Return the hash of every file beside the database."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in DATABASE.parent.iterdir()
        if path.is_file()
    }


def test_reading_pages_work_and_change_nothing(port: int) -> None:
    """Every page that reads answers 200, and the database stays byte for byte the same."""
    before = fingerprint_of_files()
    statuses = {path: ask(port, path)[0] for path in READING}
    assert set(statuses.values()) == {200}, statuses
    assert ask(port, "/")[0] == 302
    assert ask(port, "/api/studies/99")[0] == 404
    assert fingerprint_of_files() == before


def test_the_api_tells_the_stored_losses(port: int, database: Database) -> None:
    """Number and loss of each trial come out as they are stored."""
    stored = {t.number: t.dev_loss for t in load_study(database.open_read_only(), "small").trials}
    shown = json.loads(ask(port, "/api/studies/1")[1])["trials"]
    assert {trial["number"]: trial["values"][0] for trial in shown} == stored
    assert len(stored) == 6


def test_the_api_names_two_objectives_and_tells_both_values(tmp_path: Path) -> None:
    """So that its Pareto page has two axes with their names, and each trial its place."""
    spec, database = toy_study(objectives=["dev_loss", "n_params"]), database_in(tmp_path)
    writer = open_study(database.open_for_writing(), spec, TOY, TOY.load_data({"words": ""}))
    for loss, cost in [(2.5, 10), (2.25, 90)]:
        facts = {"n_params": cost, "examples_seen": 1}
        trial_id = writer.claim({"x": 0.5, "y": 1}, spec.space, 1, facts, {"engine": "toy", "device": "cpu"})
        writer.end(trial_id, "complete", seconds=1, dev_loss=loss, cost=cost)
    with serving(database) as port:
        study = json.loads(ask(port, "/api/studies/1")[1])
    assert (study["directions"], study["objective_names"]) == (["minimize"] * 2, ["dev_loss", "n_params"])
    assert [trial["values"] for trial in study["trials"]] == [[2.5, 10], [2.25, 90]]
    assert [trial["number"] for trial in study["best_trials"]] == [0, 1]


@pytest.mark.usefixtures("zone")
def test_times_are_those_of_the_clock(tmp_path: Path) -> None:
    """Of sweep's studies as of Optuna's own; the browser takes them for local times.

    An unfinished trial has no end. The timeline compares with the clock, too.
    """
    spec, database = toy_study(), database_in(tmp_path)
    before = datetime.datetime.now()
    writer = open_study(database.open_for_writing(), spec, TOY, TOY.load_data({"words": ""}))
    facts, origin = {"n_params": 1, "examples_seen": 1}, {"engine": "toy", "device": "cpu"}
    first, _ = (writer.claim({"x": 0.5, "y": 1}, spec.space, seed, facts, origin) for seed in (1, 2))
    writer.end(first, "complete", seconds=1, dev_loss=2.5)
    guest = optuna.create_study(study_name="guest", storage=plain_storage(database.address))
    guest.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    guest.ask()
    with serving(database) as port:
        studies = [json.loads(ask(port, f"/api/studies/{number}")[1]) for number in (1, 2)]
        drawn = [ask(port, f"/api/studies/{number}/plot/timeline")[1].decode() for number in (1, 2)]
    after = datetime.datetime.now()
    for study in studies:
        ended, running = study["trials"]
        assert "datetime_complete" not in running
        times = [ended["datetime_start"], ended["datetime_complete"], running["datetime_start"]]
        assert all(before <= datetime.datetime.fromisoformat(moment) <= after for moment in times)
    hour = before.isoformat(timespec="hours")
    assert all(hour in timeline or after.isoformat(timespec="hours") in timeline for timeline in drawn)


@pytest.mark.parametrize(("method", "path", "body"), CHANGING)
def test_requests_that_change_something_are_refused(method: str, path: str, body: Any, port: int) -> None:
    """Whatever is not reading answers 403, and the database stays byte for byte the same."""
    before = fingerprint_of_files()
    status, text = ask(port, path, method, body)
    assert status == 403
    assert b"read-only" in text
    assert fingerprint_of_files() == before


def test_the_connection_itself_cannot_write(database: Database) -> None:
    """Behind the gate, the storage is opened so that even Optuna's own calls cannot change it."""
    before = fingerprint_of_files()
    storage = database.open_for_dashboard()
    with pytest.raises(optuna.exceptions.StorageInternalError):
        storage.set_study_user_attr(1, "goal", "graffiti")
    assert fingerprint_of_files() == before


@pytest.mark.parametrize(
    "path", ["/static/bundle.js", "/favicon.ico", "/dashboard", "/api/studies", "/csv/1"]
)
def test_a_request_without_headers_is_answered(path: str, port: int) -> None:
    """A client needs not name the encodings that it takes; it gets the file itself."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=60)) as connection:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 200
        assert not response.read().startswith(b"\x1f\x8b")


@pytest.mark.parametrize("value", ["{", "[" * 100_000])
def test_a_damaged_study_is_one_line_to_the_dashboard(
    value: str, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer and the server's own output are a line each, not a traceback."""
    with contextlib.closing(sqlite3.connect(DATABASE)) as connection, connection:
        for table in ("study_user_attributes", "trial_user_attributes"):
            connection.execute(f"UPDATE {table} SET value_json = ?", (value,))  # noqa: S608  names of ours
    paths = ["/api/studies", "/csv/1"]
    with serving(database) as port:
        answers = [ask(port, path) for path in paths]
    assert [(status, body.count(b"\n")) for status, body in answers] == [(500, 0)] * 2
    lines = [
        f"sweep: the dashboard cannot show '{path}'; `sweep list` names a damaged study" for path in paths
    ]
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1", 200),
        ("[::1]:{port}", 200),
        ("evil.example", 403),
        ("evil.example:{port}", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:{port}", 403),
        ("10.0.0.1:{port}", 403),
        ("0.0.0.0", 403),  # noqa: S104  a name that is asked for, not bound
        ("", 403),
    ],
)
def test_only_this_machine_is_answered(host: str, status: int, port: int) -> None:
    """A page of a foreign site that points its name at this machine is refused."""
    assert ask(port, "/api/studies", host=host.format(port=port))[0] == status


def test_a_missing_database_is_an_error_and_makes_no_file(tmp_path: Path) -> None:
    """A wrong path is told; nothing is created there."""
    with pytest.raises(NotFoundError, match=r"no database at .*none\.db"):
        Database(f"sqlite:///{tmp_path}/deep/none.db").open_read_only()
    assert [path for path in tmp_path.iterdir() if path.suffix != ".jsonl"] == []


def test_a_port_that_is_taken_is_told(database: Database, port: int) -> None:
    """The line names the port and the way out."""
    with pytest.raises(MachineError, match=f"port {port}: Address already in use; choose another with"):
        make_server(database.open_for_dashboard(), database.files, port)


WRITER = """
import sys, time
from sweep.storage.database import Database
storage = Database("sqlite:///studies/sweep.db").open_for_writing()
def slowest_of_twenty():
    waited = []
    for number in range(20):
        started = time.perf_counter()
        storage.set_study_user_attr(1, "note", number)
        waited.append(time.perf_counter() - started)
    return max(waited)
print("ready", flush=True)
for _ in sys.stdin:
    print(slowest_of_twenty(), flush=True)
"""


def test_browsing_does_not_hold_up_a_writer(database: Database) -> None:
    """While six threads ask for all trials without a pause, each commit takes less than a second.

    It may take as much longer as it does while they ask for those of a copy, which keeps the machine as busy.
    """
    add_trials(database, 200)
    shutil.copy(DATABASE, "studies/copy.db")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer:
        assert writer.stdout.readline() == "ready\n"
        slowest_s = []
        for browsed in (Database("sqlite:///studies/copy.db"), database):
            with being_browsed(browsed):
                writer.stdin.write("go\n")
                writer.stdin.flush()
                slowest_s.append(float(writer.stdout.readline()))
    assert slowest_s[1] < 1 + 20 * slowest_s[0]


@contextlib.contextmanager
def being_browsed(database: Database) -> Iterator[None]:
    """Have six threads ask a dashboard for all trials of the small study, again and again."""
    ended = threading.Event()

    def browse(port: int) -> int:
        answered = 0
        while not ended.is_set():
            answered += ask(port, "/api/studies/1")[0] == 200
        return answered

    with serving(database) as port, concurrent.futures.ThreadPoolExecutor(6) as threads:
        browsers = [threads.submit(browse, port) for _ in range(6)]
        try:
            yield
        finally:
            ended.set()
        assert sum(browser.result() for browser in browsers) > 0


def add_trials(database: Database, count: int) -> None:
    """Let the small study grow by copies of its first trial."""
    storage = database.open_for_writing()
    (first, *_) = storage.get_all_trials(1)
    space = first.distributions
    study = optuna.load_study(study_name="small", storage=storage)
    study.add_trials(
        [
            optuna.create_trial(
                params=first.params,
                distributions=space,
                value=first.value,
                user_attrs=first.user_attrs,
            )
            for _ in range(count)
        ]
    )


def test_a_saved_figure_is_shown_and_replaced(database: Database) -> None:
    """A figure stored in a study comes with it; storing it again replaces it."""
    from plotly.graph_objects import Figure

    storage = database.open_for_writing()
    for height in (1.0, 2.0):
        save_figure(storage, "small", "lr-finder", Figure(data=[{"type": "scatter", "y": [height]}]))
    with serving(database) as port:
        shown = json.loads(ask(port, "/api/studies/1")[1])["plotly_graph_objects"]
    (shown,) = [figure for figure in shown if figure["id"] == "lr-finder"]
    assert json.loads(shown["graph_object"])["data"][0]["y"] == [2.0]


def test_artifacts_are_downloaded_and_cannot_be_changed(port: int) -> None:
    """The winner's files come as they are stored, to be saved and not shown, and to nobody else's page."""
    before = fingerprint_of_files()
    paths = artifact_ids(port)
    assert set(paths) == {"best.toml", "weights.safetensors", "samples.txt"}
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=DEADLINE_S)) as connection:
        connection.request("GET", paths["best.toml"], headers={"Origin": "http://evil.example"})
        response = connection.getresponse()
        assert b"[provenance]" in response.read()
    headers = {name.lower(): value for name, value in response.getheaders()}
    assert headers["content-disposition"] == "attachment"
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    for method, path in [("DELETE", f"/api{paths['best.toml']}"), ("POST", "/api/artifacts/1")]:
        assert ask(port, path, method, {"file": "data:,x", "filename": "x.html"})[0] == 403
    assert ask(port, "/artifacts/1/" + "0" * 36)[0] == 404
    assert ask(port, "/artifacts/1/..%2f..%2fsweep.db")[0] == 404
    assert fingerprint_of_files() == before


# In a browser, on a study that is being run.

RUNNING = """
sampler = "random"
trials = 2000
[data]
words = "data/words.txt"
[fixed]
num_steps = 20_000
[search]
block_size = { low = 2, high = 4 }
hidden_neurons = { low = 5, high = 60 }
batch_size = { choices = [16, 32] }
"""

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""

PLOT = """id => {
    const plot = document.getElementById(id);
    if (!plot || !plot.data) return null;
    const values = list => Array.from(list || []);
    return plot.data.map(t => ({type: t.type, name: t.name, x: values(t.x), y: values(t.y)}));
}"""

TABLE = """() => [...document.querySelectorAll('table tbody tr')].map(
    row => [...row.cells].map(cell => cell.innerText))"""


def stored_losses() -> dict[int, float]:
    """Read number and loss of the running study's complete trials past the product."""
    query = """SELECT number, value FROM trials JOIN trial_values USING (trial_id)
        JOIN studies USING (study_id) WHERE study_name = 'running' AND state = 'COMPLETE'"""
    with contextlib.closing(sqlite3.connect(DATABASE, timeout=DEADLINE_S)) as connection:
        return dict(connection.execute(query).fetchall())


@pytest.fixture
def running_study(database: Database) -> Iterator[Database]:
    """A study with a stored range test and at least five trials, which is still being run."""
    Path("studies/running.toml").write_text(RUNNING)
    assert main(["lr-find", "studies/running.toml", "--steps", "100", "--seeds", "2"]) == 0
    run = subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", "running", "--workers", "1"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while len(stored_losses()) < 5 and run.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        yield database
        assert run.poll() is None, "the study was still being run"
    finally:
        run.kill()
        run.wait()


@pytest.fixture
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium
        chromium.close()


def plot(page: Any, element: str, points: int) -> list[dict[str, Any]]:
    """Return the traces of a plot on the page, once one of them holds so many points."""
    drawn = f"([id, n]) => (({PLOT})(id) || []).some(trace => trace.x.length >= n)"
    page.wait_for_function(drawn, arg=[element, points])
    traces = page.evaluate(PLOT, element)
    assert isinstance(traces, list)
    return traces


def test_a_browser_shows_a_running_study(browser: Any, running_study: Database) -> None:
    """History, importance, best value, trial table and range test on the page are those of the study."""
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    page.set_default_timeout(60_000)
    refused: list[str] = []
    page.on("response", lambda r: refused.append(r.url) if r.status >= 400 else None)
    with serving(running_study) as port:
        page.goto(f"http://{HOST}:{port}/")
        page.get_by_text("2. running").wait_for()

        page.goto(f"http://{HOST}:{port}/dashboard/studies/2")
        history = plot(page, "plot-history", 5)
        importance = plot(page, "graph-hyperparameter-importances", 3)
        finder = plot(page, "user-defined-plot:lr-finder", 50)
        finder_text = page.inner_text("[id='user-defined-plot:lr-finder']")
        page.wait_for_function(
            "() => /Best Trial \\(number=\\d+\\)\\s+\\d\\.\\d+/.test(document.body.innerText)"
        )
        best = page.evaluate(
            "() => document.body.innerText.match(/Best Trial \\(number=(\\d+)\\)\\s+(\\d\\.\\d+)/)"
        )

        page.goto(f"http://{HOST}:{port}/dashboard/studies/2/smartSelection")
        page.locator("table tbody tr").nth(3).wait_for()
        table = page.evaluate(TABLE)
        page.close()
    losses = stored_losses()

    points = next(trace for trace in history if trace["name"].startswith("Objective 0"))
    assert len(points["x"]) >= 5
    assert dict(zip(points["x"], points["y"], strict=True)).items() <= losses.items()

    assert set(importance[0]["y"]) == {"block_size", "hidden_neurons", "batch_size"}
    assert sum(importance[0]["x"]) == pytest.approx(1.0, abs=1e-6)

    number, value = int(best[1]), float(best[2])
    assert losses[number] == value == min(loss for n, loss in losses.items() if n <= number)

    complete = {int(row[0]): float(row[2]) for row in table if row[1] == "Complete"}
    assert len(complete) >= 4
    assert complete.items() <= losses.items()

    with Path("reports/running/lr_finder.csv").open() as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    smoothed = next(trace for trace in finder if trace["name"] == "smoothed, median of 2 seeds")
    assert smoothed["x"] == pytest.approx(rates, rel=1e-5)  # figures hold six digits
    assert len(smoothed["x"]) == len(smoothed["y"]) <= 300
    for suggestion in ("steepest", "minimum / 10", "valley"):
        assert suggestion in finder_text
    assert refused == []


def store_hostile(folder: Path) -> Database:
    """Store a study whose name, goal, choices, reasons and devices are every hostile string."""
    database, spec = database_in(folder), toy_study()
    storage = database.open_for_writing()
    writer = open_study(storage, spec, TOY, TOY.load_data({"words": ""}))
    texts = list(HOSTILE_STRINGS.values())
    space = Space({"choice": Choices(tuple(texts))})
    facts = {"n_params": 1, "examples_seen": 1}
    for text in texts:
        for state, outcome in (("complete", {"dev_loss": 2.5}), ("failed", {"reason": text})):
            trial = writer.claim({"choice": text}, space, 1, facts, {"engine": text, "device": text})
            writer.end(trial, state, seconds=1, **outcome)
    storage.set_study_user_attr(1, "goal", " ".join(texts))
    with contextlib.closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("UPDATE studies SET study_name = ?", (HOSTILE_STRINGS["closing-script"],))
    return database


def test_no_cell_of_the_downloaded_table_is_a_formula(tmp_path: Path) -> None:
    """The page's own button gives a CSV; every hostile text is in it, and a loss stays a number."""
    with serving(store_hostile(tmp_path)) as port:
        status, body = ask(port, "/csv/1")
        missing, _ = ask(port, "/csv/99")
    header, *rows = csv.reader(io.StringIO(body.decode(), newline=""))
    assert (status, missing) == (200, 404)
    assert len(rows) == 2 * len(HOSTILE_STRINGS)
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    chosen = {row[header.index("Param choice")].removeprefix("'") for row in rows}
    assert chosen == {text.removeprefix("'") for text in HOSTILE_STRINGS.values()}
    assert "2.5" in cells


def test_a_browser_runs_nothing_of_hostile_texts(browser: Any, tmp_path: Path) -> None:
    """List of studies, study, trials and table: no dialog, no error, no element of theirs."""
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    page.set_default_timeout(60_000)
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("dialog", lambda dialog: (told.append("a dialog"), dialog.dismiss()))
    page.add_init_script("window.owned = () => { window.wasOwned = true }")
    with serving(store_hostile(tmp_path)) as port:
        for path in ("", "/studies/1", "/studies/1/trials?numbers=1", "/studies/1/note"):
            page.goto(f"http://{HOST}:{port}/dashboard{path}")
            page.get_by_text("<img src=x").first.wait_for()
            assert page.locator("img[src=x], main script").count() == 0
            assert page.evaluate("window.wasOwned") is None
        page.goto(f"http://{HOST}:{port}/dashboard/studies/1/smartSelection")
        page.locator("table tbody tr").nth(3).wait_for()
        assert page.evaluate("window.wasOwned") is None
        page.close()
    assert told == []


HOSTILE_GOAL = """<img src=x onerror="window.owned=1"><script>window.owned=1</script>
[a](javascript:window.owned=1) <svg onload="window.owned=1">"""


def test_a_browser_shows_what_a_run_leaves(browser: Any, database: Database, tmp_path: Path) -> None:
    """Figures, notes and a download; a goal full of markup is shown as text and does nothing."""
    storage = database.open_for_writing()
    storage.set_study_user_attr(1, "goal", HOSTILE_GOAL)
    publish(gather_evidence("small", database), database)
    winner = load_study(storage, "small").complete_trials()[0].number
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    page.set_default_timeout(60_000)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    with serving(database) as port:
        page.goto(f"http://{HOST}:{port}/dashboard/studies/1")
        curve = plot(page, "user-defined-plot:training-curve", 3)
        embedding = plot(page, "user-defined-plot:embedding", 15)
        page.get_by_text("weights.safetensors").wait_for()
        with page.expect_download() as download:
            page.locator("a[download='best.toml']").first.click()
        download.value.save_as(tmp_path / "best.toml")

        page.goto(f"http://{HOST}:{port}/dashboard/studies/1/note")
        page.get_by_text("sweep confirm small", exact=True).wait_for()
        note = page.inner_text("body")
        page.goto(f"http://{HOST}:{port}/dashboard/studies/1/trials?numbers={winner}")
        page.get_by_text("Rank 1 of 6 configurations").wait_for()
        attributes = page.inner_text("body")
        owned = page.evaluate("window.owned")
        page.close()
    assert {"smoothed", "dev loss"} <= {trace["name"] for trace in curve}
    assert max(len(trace["x"]) for trace in embedding) == 17  # the symbols of the small study
    assert load_config(tmp_path / "best.toml")[1].trial == winner
    assert '<img src=x onerror="window.owned=1">' in note
    assert "[a](javascript:window.owned=1)" in note
    assert "state_sha256" not in attributes
    assert "segments" not in attributes
    assert (owned, told) == (None, [])
