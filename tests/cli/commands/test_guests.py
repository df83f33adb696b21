"""Commands on studies that Optuna made without sweep: what they show, what they refuse, what they leave."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from sweep.cli import main
from tests.support.command_line import Capture
from tests.support.guest_studies import HOSTILE, KINDS, METRIC, Guests, guests, guests_of_4, numbers_of_4
from tests.support.plain_optuna import plain_storage

__all__ = ["guests"]

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
for name, kind in (("clf", str), ("C", float), ("depth", int), ("seed", int)):
    parser.add_argument(f"--{name}", type=kind, default=0)
given = parser.parse_args()
value = given.C / 100 if given.clf == "svm" else given.depth / 10
print("error:", value + given.seed % 7 / 1e6)
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guests: Guests) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_STORAGE", guests.url)
    return tmp_path


def test_the_list_shows_state_counts_direction_and_best_value(guests: Guests, capsys: Capture) -> None:
    """As Optuna has them; a name that a shell would read otherwise is quoted."""
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    best = guests.study("mixed").best_value
    assert lines[0].split() == f"mixed open 30 of 32 trials maximize best {best:.4f} made by Optuna".split()
    assert lines[list(KINDS).index("empty")].split()[:2] == ["empty", "empty"]
    assert lines[list(KINDS).index(HOSTILE)].startswith("'<b>names</b> & zoë ")
    assert main(["list", "--format", "json"]) == 0
    found = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert list(found) == list(KINDS)
    assert found["mixed"]["best"] == best
    assert found["mixed"]["best_trial"] == guests.study("mixed").best_trial.number
    states = [trial.state.name for trial in guests.study("mixed").trials]
    assert found["mixed"]["counts"]["pruned"] == states.count("PRUNED")
    assert found["two"]["directions"] == {"error": "minimize", "gain": "maximize"}
    assert (found["bad"]["best"], found["bad"]["made_by"], found["bad"]["error"]) == (None, "optuna", None)


@pytest.mark.parametrize("name", KINDS)
def test_what_shows_a_guest_leaves_its_bytes(guests: Guests, name: str, capsys: Capture, here: Path) -> None:
    """Each reading command ends with 0, on each kind, and only the reports' folder is written."""
    before = (guests.sha256(), sorted(guests.path.parent.iterdir()))
    for form in ("text", "markdown", "csv", "json", "log"):
        assert main(["table", name, "--format", form]) == 0
    assert main(["report", name]) == 0
    assert main(["plot", name]) == 0
    status = main(["plot", name, "history"])
    assert status == (1 if name in ("bad", "empty") else 0)
    assert (guests.sha256(), sorted(guests.path.parent.iterdir())) == before
    assert [path.name for path in here.iterdir()] == ["reports"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.fixture(scope="module")
def made_by_4(tmp_path_factory: pytest.TempPathFactory) -> Guests:
    """Guests that Optuna 4.5.0 made; nobody may change them."""
    return Guests(guests_of_4(tmp_path_factory.mktemp("optuna-4") / "g.db"))


@pytest.mark.parametrize("name", KINDS)
def test_guests_of_optuna_4_are_shown_with_its_numbers(
    made_by_4: Guests, name: str, capsys: Capture, here: Path
) -> None:
    """Table and page exit with 0, name the best that Optuna 4.5.0 named, and leave the file's bytes."""
    before, theirs = made_by_4.sha256(), numbers_of_4()[name]
    storage = ["--storage", made_by_4.url]
    assert main(["table", name, "--format", "json", *storage]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == len(theirs["states"])
    assert main(["report", name, *storage]) == 0
    (page,) = here.glob("reports/*/report.html")
    if len(theirs["directions"]) == 1 and name not in ("bad", "empty"):
        (best,) = theirs["best"]
        assert (rows[0]["trial"], rows[0][_value_column(rows[0])]) == (best, theirs["values"][best][0])
        (title,) = re.findall(r"<h1>([^<]*)", page.read_text("utf-8"))
        assert title.startswith(f"Trial {best} is best: ")
        assert float(title.split()[-1]) == pytest.approx(theirs["values"][best][0], rel=1e-3)
    elif len(theirs["directions"]) > 1:
        front = sorted(row["trial"] for row in rows if row["front"] == 1)
        assert front == theirs["best"]
        assert f"{len(front)} of {len(rows)} complete trials" in page.read_text("utf-8")
    assert (made_by_4.sha256(), len([*made_by_4.path.parent.iterdir()])) == (before, 1)
    assert "Traceback" not in capsys.readouterr().err


def _value_column(row: dict[str, object]) -> str:
    return "value" if "value" in row else METRIC


def test_the_table_says_what_is_not_known_and_the_ways_on(guests: Guests, capsys: Capture) -> None:
    """No column of seeds, engines or devices; commands below that can be pasted."""
    assert main(["table", "mixed"]) == 0
    written = capsys.readouterr()
    assert "Each configuration ran once" in written.err
    assert f"sweep init --from-optuna mixed --storage {shlex.quote(guests.url)} -o new.toml" in written.err
    assert main(["table", "mixed", "--format", "json"]) == 0
    columns = set(json.loads(capsys.readouterr().out)[0])
    assert columns & {"seeds", "engine", "device"} == set()
    assert {"lr", "act", "layers", "value", "train_seconds"} <= columns


@pytest.mark.parametrize("name", ["bad", "empty"])
def test_a_table_without_results_claims_nothing_about_them(name: str, capsys: Capture) -> None:
    """Nothing has an order that could be luck."""
    assert main(["table", name]) == 0
    shown = capsys.readouterr().err
    assert "ran once" not in shown
    assert "next: sweep init --from-optuna" in shown


@pytest.mark.parametrize(
    "command",
    [
        *(["run", "mixed"], ["confirm", "mixed"], ["replay", "mixed", "--trial", "0"], ["export", "mixed"]),
        *(
            ["rename", "mixed", "x"],
            ["delete", "mixed", "--yes"],
            ["copy", "mixed", "--to", "sqlite:///x.db"],
        ),
    ],
)
def test_what_needs_a_trainer_or_writes_refuses_a_guest(
    guests: Guests, command: list[str], capsys: Capture
) -> None:
    """One line with the ways on, exit status 1, and not a byte of the guest is changed."""
    before = (guests.sha256(), sorted(guests.path.parent.iterdir()))
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "was made by Optuna without sweep" in line
    assert (guests.sha256(), sorted(guests.path.parent.iterdir())) == before


@pytest.mark.parametrize(
    "command", [["table", "mixd"], ["report", "mixd"], ["init", "--from-optuna", "mixd"]]
)
def test_a_wrong_name_is_told_in_one_line(command: list[str], capsys: Capture) -> None:
    """Exit status 1."""
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no study 'mixd' in the database" in line


def test_a_report_s_folder_is_not_the_name_of_a_guest(capsys: Capture, here: Path) -> None:
    """A name may hold slashes; the page shows it as text and runs nothing of it."""
    assert main(["report", HOSTILE]) == 0
    (folder,) = (here / "reports").iterdir()
    assert folder.name.startswith("b-names-b-zo-confirm-")
    page = (folder / "report.html").read_text()
    assert "<script>owned()" not in page
    assert "<i>val" not in page
    assert "&lt;b&gt;names&lt;/b&gt;" in page


def test_a_guest_is_taken_over_and_confirmed(guests: Guests, here: Path, capsys: Capture) -> None:
    """Its search space with its conditions becomes a study file, and its best five begin the new study."""
    before = guests.sha256()
    (here / "train.py").write_text(TRAIN)
    assert main(["init", "--from-optuna", "conditional", "-o", "new.toml"]) == 0
    text = (here / "new.toml").read_text()
    assert 'C = { low = 0.01, high = 100.0, log = true, when = { clf = ["svm"] } }' in text
    text = text.replace('"{args}"]', '"{args}", "--seed={seed}"]').replace('"value"', '"error"')
    (here / "new.toml").write_text(f"trials = 6\nmatters = 0.001\n{text}")
    own = ["--storage", "sqlite:///own.db"]
    assert main(["run", "new.toml", "--from", f"conditional@{guests.url}", "--workers", "1", *own]) == 0
    name = "conditional--from-conditional"
    capsys.readouterr()
    assert main(["table", name, "--format", "json", *own]) == 0
    rows = {row["trial"]: row for row in json.loads(capsys.readouterr().out)}
    best = sorted(guests.study("conditional").trials, key=lambda trial: (trial.value, trial.number))[:5]
    began = [
        {key: rows[n][key] for key in ("clf", "C", "depth") if rows[n][key] is not None} for n in range(5)
    ]
    assert began == [trial.params for trial in best]
    assert main(["confirm", name, "--top", "2", "--seeds", "3", "--workers", "1", *own]) == 0
    assert "certified error" in capsys.readouterr().out
    assert guests.sha256() == before


def test_an_empty_study_of_optuna_s_is_not_adopted(here: Path, capsys: Capture) -> None:
    """A run under its name is refused, and stores nothing in it."""
    (here / "train.py").write_text(TRAIN)
    url = f"sqlite:///{here / 'g.db'}"
    optuna.create_study(storage=plain_storage(url), study_name="mine")
    (here / "mine.toml").write_text(
        'name = "mine"\nmetric = "error"\ncommand = ["python", "train.py", "{args}"]\ntrials = 1\n'
        'search.clf = { choices = ["svm", "rf"] }\n'
    )
    assert main(["run", "mine.toml", "--storage", url]) == 1
    assert "made by Optuna" in (err := capsys.readouterr().err) or "sweep did not make" in err
    assert optuna.load_study(study_name="mine", storage=plain_storage(url)).user_attrs == {}


def test_reading_a_guest_loads_no_optuna(guests: Guests) -> None:
    """Nor what a database might name: attributes and distributions are JSON."""
    code = (
        "import sys; from sweep.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(status or 'optuna' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    for command in (["list"], ["table", "mixed"]):
        run = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, check=False)
        assert run.returncode == 0, run.stderr
