"""Run, table, plot, report, list, export, confirm and replay of a program, with numbers computed by hand.

The trainer's value is 100 x + 62,000 b plus the seed's last two digits in thousandths, at epoch e of 10 times
e / 10, so every number follows from the configuration and the seed.
"""

import csv
import io
import json
import statistics
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from sweep.api.stored import StoredStudy
from tests.support.program_home import Home

TRAINERS = """
import sweep

def train(config, report):
    value = 100 * config.x + 62_000 * config.b + (config.seed % 100) / 1000
    sign = config.get("sign", 1)
    for epoch in range(1, config.epochs + 1):
        report(sign * value * epoch / 10, step=epoch)
    return sign * value

class Train:
    def train_segment(self, config, state, until):
        value = 100 * config.x + 62_000 * config.b + (config.seed % 100) / 1000
        value *= config.get("sign", 1)
        done = int(state or 0)
        for epoch in range(done + 1, until):
            sweep.report(value * epoch / 10, step=epoch)
        return sweep.Segment(str(until).encode(), value * until / 10)
"""

SCRIPT = """
import json, sys
config = json.load(open(sys.argv[1]))
value = 100 * config["x"] + 62_000 * (config["b"] is True) + (config["seed"] % 100) / 1000
value *= config.get("sign", 1)
for epoch in range(1, config["epochs"] + 1):
    print(f"Epoch {epoch}/10 - val_score: 17 - score: {value * epoch / 10!r}")
"""

STUDY = """
metric = "score"
matters = 50.0
budget = "epochs"
trials = 6
fixed.epochs = 10
search.x = { low = 0.0, high = 1.0 }
search.b = { choices = [true, false] }
"""

PROGRAMS = {
    "function": 'trainer = "trainers:train"\nsampler = "random"\ndirection = "maximize"\n',
    "class": 'trainer = "trainers:Train"\nsampler = "random"\ndirection = "maximize"\n',
    "command": (
        'command = ["python", "script.py", "{config.json}"]\nseeds = "seed"\nstep = "Epoch"\n'
        'sampler = "random"\ndirection = "maximize"\n'
    ),
}


def by_hand(params: Mapping[str, Any], seed: int) -> float:
    return 100 * params["x"] + 62_000 * params["b"] + (seed % 100) / 1000


@pytest.fixture(scope="module", params=PROGRAMS)
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A folder in which the study has been run."""
    home = Home(tmp_path_factory.mktemp(request.param))
    home.write("trainers.py", TRAINERS)
    home.write("script.py", SCRIPT)
    home.write("way.toml", 'name = "way"\n' + PROGRAMS[request.param] + STUDY)
    home.run("way.toml", workers=1)
    return home


@pytest.fixture
def study(home: Home) -> StoredStudy:
    with home.entered():
        import sweep

        return sweep.load_study("way")


def test_each_trial_has_its_value(study: StoredStudy) -> None:
    """At its end and at each rung: epochs 1, 3 and 9."""
    assert len(study.trials) == 6
    for trial in study.trials:
        value = by_hand(trial.params, trial.seed)
        assert trial.state == "complete"
        assert trial.dev_loss == pytest.approx(value, rel=1e-12)
        assert [(part.step, part.dev_loss) for part in trial.segments] == [
            (epoch, pytest.approx(value * epoch / 10, rel=1e-12)) for epoch in (1, 3, 9, 10)
        ]
        assert 0 <= trial.seed < 2**31


def test_tables_have_the_ranks_by_hand(
    home: Home, study: StoredStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    """In JSON and CSV under plain names; highest first in text and Markdown too."""
    ranked = sorted(study.trials, key=lambda trial: by_hand(trial.params, trial.seed), reverse=True)
    assert home.command("table", "way", "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["trial"], row["x"], row["b"], row["seeds"], row["n"]) for row in rows] == [
        (trial.number, trial.params["x"], trial.params["b"], [trial.seed], 1) for trial in ranked
    ]
    assert [row["value"] for row in rows] == [
        pytest.approx(by_hand(trial.params, trial.seed)) for trial in ranked
    ]
    assert home.command("table", "way", "--format", "csv") == 0
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [int(row["trial"]) for row in read] == [trial.number for trial in ranked]
    assert [float(row["value"]) for row in read] == [pytest.approx(row["value"]) for row in rows]
    for form in ("text", "markdown"):
        assert home.command("table", "way", "--format", form) == 0
        text = capsys.readouterr().out
        places = [text.index(f"{by_hand(trial.params, trial.seed):.4f}") for trial in ranked]
        assert places == sorted(places)


def test_lists_reports_and_exports(
    home: Home, study: StoredStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    """The best value by hand is in the list and in the report; the export has its configuration."""
    best = max(study.trials, key=lambda trial: by_hand(trial.params, trial.seed))
    value = f"{by_hand(best.params, best.seed):.4f}"
    assert home.command("list") == 0
    assert value in capsys.readouterr().out
    assert home.command("report", "way") == 0
    page = (home.folder / "reports" / "way" / "report.html").read_text("utf-8")
    assert value in page
    assert home.command("export", "way", "-o", "best.toml") == 0
    exported = tomllib.loads((home.folder / "best.toml").read_text("utf-8"))
    assert best.params.items() <= {**exported.get("config", {}), **exported}.items()
    assert home.command("plot", "way", "history", "-o", "history.html") == 0
    assert (home.folder / "history.html").stat().st_size > 1000


def test_a_trial_trains_again_to_the_same_value(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert home.command("replay", "way", "--trial", "1") == 0
    assert "equal" in capsys.readouterr().out


def test_the_winner_is_confirmed_on_fresh_seeds(
    home: Home, study: StoredStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values, means and spreads of each candidate follow from its seeds; optimism is positive downwards."""
    capsys.readouterr()
    arguments = ("--top", "2", "--seeds", "3", "--certify", "3", "--workers", "1", "--format", "json")
    assert home.command("confirm", "way", *arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    ranked = sorted(study.trials, key=lambda trial: by_hand(trial.params, trial.seed), reverse=True)
    assert [row["trial"] for row in rows] == [trial.number for trial in ranked[:2]]
    searched = {trial.seed for trial in study.trials}
    for row in rows:
        values = [by_hand(row, seed) for seed in row["seeds"]]
        assert not searched & set(row["seeds"])
        assert row["values"] == pytest.approx(values, rel=1e-12)
        assert row["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
        assert row["sd"] == pytest.approx(statistics.stdev(values), rel=1e-6)
    [winner] = [row for row in rows if row["certified_n"]]  # within 50 the one that trained faster
    digits = (winner["certified_mean"] - by_hand(winner, 0)) * 3000
    assert winner["certified_n"] == 3
    assert 0 <= round(digits) <= 3 * 99
    assert digits == pytest.approx(round(digits), abs=1e-6)
    assert winner["optimism"] == pytest.approx(winner["search_value"] - winner["certified_mean"], rel=1e-9)


@pytest.mark.parametrize("pruner", ["median", "asha"])
@pytest.mark.parametrize("way", PROGRAMS)
def test_maximizing_is_minimizing_the_negated_value(
    tmp_path_factory: pytest.TempPathFactory, way: str, pruner: str
) -> None:
    """With a sampler that learns and a pruner that prunes, on a budget of 30: equal to the last bit."""
    home = Home(tmp_path_factory.mktemp("twins"))
    home.write("trainers.py", TRAINERS)
    home.write("script.py", SCRIPT)
    keys = PROGRAMS[way].replace('"random"', '"tpe"') + f'pruner = "{pruner}"\n'
    keys += STUDY.replace("trials = 6", "trials = 12").replace("epochs = 10", "epochs = 30")
    home.write("up.toml", 'name = "up"\n' + keys + "fixed.sign = 1\n")
    down = keys.replace('direction = "maximize"\n', "")
    home.write("down.toml", 'name = "down"\n' + down + "fixed.sign = -1\n")
    ups, downs = (home.run(f"{name}.toml", workers=1).trials for name in ("up", "down"))
    assert {trial.state for trial in ups} == {"complete", "pruned"}
    assert [(trial.state, trial.params, trial.seed) for trial in ups] == [
        (trial.state, trial.params, trial.seed) for trial in downs
    ]
    for one, other in zip(ups, downs, strict=True):
        assert [part.dev_loss for part in one.segments] == [-part.dev_loss for part in other.segments]
        assert [part.step for part in one.segments] == [3, 9, 27, 30][: len(one.segments)]
