"""Hyperparameters with the names of a table's own columns: each value is shown."""

import csv
import io
import json
import tomllib
from pathlib import Path

import pytest

import sweep
from sweep.certify.verdict import MEASURES
from sweep.definition.ranking import OWN_COLUMNS, TAKEN
from tests.support.program_home import Home

NAMES = sorted(TAKEN - {"seed"})

WORDS = ("mean", "certified", "device", "seconds", "value_sd")
"""Those that are texts here, where a table's own column has numbers, or the other way round."""

STUDY = """
name = "taken"
trainer = "trainers:train"
metric = "loss"
sampler = "random"
trials = 4
"""

TRAINER = """
def train(config):
    return float(len(config["mean"])) + config["rank"] / 100 + config.seed % 97 / 1e5
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A confirmed study."""
    made = Home(tmp_path_factory.mktemp("taken"))
    choices = {name: '["channel", "global"]' if name in WORDS else "[11, 12, 13, 14]" for name in NAMES}
    keys = "".join(f"search.{name} = {{ choices = {values} }}\n" for name, values in choices.items())
    made.write("taken.toml", STUDY + keys)
    made.write("trainers.py", TRAINER)
    assert made.command("run", "taken.toml", "--workers", "1") == 0
    confirm = ("confirm", "taken", "--top", "2", "--seeds", "2", "--certify", "2", "--delta", "0.001")
    assert made.command(*confirm) == 0
    return made


def test_all_names_of_tables_are_known() -> None:
    """A further column of a confirmation belongs to the taken names."""
    assert {*MEASURES, "seconds", "losses"} | OWN_COLUMNS <= TAKEN


def printed(home: Home, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert home.command(*arguments) == 0
    return capsys.readouterr().out


def test_each_format_has_both(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """The hyperparameter behind its kind, the table's own column under its name."""
    with home.entered():
        trials = {trial.number: trial for trial in sweep.load_study("taken").trials}
    rows = list(csv.DictReader(io.StringIO(printed(home, capsys, "table", "taken", "--format", "csv"))))
    for place, row in enumerate(rows, 1):
        params = trials[int(row["trial"])].params
        assert row["rank"] == str(place)
        assert {name: row[f"param.{name}"] for name in NAMES} == {n: str(params[n]) for n in NAMES}
    cells = json.loads(printed(home, capsys, "table", "taken", "--format", "json"))
    assert [cell["rank"] for cell in cells] == [1, 2, 3, 4]
    assert all(cell["param.rank"] == trials[cell["trial"]].params["rank"] for cell in cells)
    assert "param.rank = 1" in printed(home, capsys, "table", "taken", "--format", "log")
    for form in ("text", "markdown"):
        assert "channel" in printed(home, capsys, "table", "taken", "--format", form)


def test_confirmation_report_and_python_have_both(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows of candidates, the page, the best trial as a dictionary, and the exported file."""
    again = ("confirm", "taken", "--top", "2", "--seeds", "2", "--certify", "2", "--delta", "0.001")
    rows = json.loads(printed(home, capsys, *again, "--format", "json"))
    assert all(isinstance(row["mean"], float) and row["param.mean"] in ("channel", "global") for row in rows)
    assert home.command("report", "taken") == 0
    with home.entered():
        study = sweep.load_study("taken")
        winner = study.trials[study.best["trial"]].params
        assert study.best["param.trial"] == winner["trial"]
        table = study.table()
        assert list(table["rank"]) == [1, 2, 3, 4]
        assert set(table["param.mean"]) <= {"channel", "global"}
        page = Path("reports/taken/report.html").read_text("utf-8")
        assert f"rank\N{NO-BREAK SPACE}{winner['rank']}," in page
    assert home.command("export", "taken", "-o", "best.toml") == 0
    config = tomllib.loads((home.folder / "best.toml").read_text("utf-8"))["config"]
    assert {name: config[name] for name in NAMES} == dict(winner)
