"""What a confirmation claims of a trainer whose seed makes no difference, and of one that repeats nothing."""

import json
import tomllib
from pathlib import Path

import pytest

from sweep.certify.config_file import load_config
from sweep.certify.stored_confirmation import load_confirmation
from sweep.certify.verdict import judge
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from tests.support.program_studies import lay_out, run, sweep

SMALL = ("--top", "2", "--seeds", "3", "--certify", "2", "--workers", "1")

SEEDLESS = "def train(config):\n    return config.x\n"
SEEDED = "def train(config):\n    return config.x + config.seed % 7 / 100\n"
RESTLESS = """
from pathlib import Path

def train(config):
    file = Path(__file__).with_name("count")
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    return config.x + count / 1000
"""


def own(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Run a study of a function in a folder, which becomes the working folder."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    lay_out(folder, "function", text=text)
    assert run() == (0, "")


def test_equal_values_on_all_seeds_are_one_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Table, verdict, export and report claim no interval and no spread."""
    own(tmp_path, monkeypatch, SEEDLESS)
    status, told, _ = sweep("confirm", "own", *SMALL)
    assert status == 0
    assert "(deterministic, so there is no interval over seeds)" in told
    for claim in ("spread", "tied with", "0.0000 in", "diff_low"):
        assert claim not in told
    rows = json.loads(sweep("confirm", "own", *SMALL, "--format", "json")[1])
    assert {row["deterministic"] for row in rows} == {True}
    assert {(row["sd"], row["ci_low"], row["ci_high"], row["tied"]) for row in rows} == {(None,) * 4}
    assert sweep("export", "own", "-o", "best.toml")[0] == 0
    certificate = tomllib.loads(Path("best.toml").read_text())["certificate"]
    assert certificate["deterministic"] is True
    assert "sd" not in certificate
    _, provenance = load_config("best.toml")
    assert provenance.certificate is not None
    assert (provenance.certificate.sd, provenance.certificate.deterministic) == (None, True)
    assert sweep("report", "own")[0] == 0
    page = Path("reports/own/report.html").read_text()
    assert "no interval over seeds" in page
    assert "0.0000 apart" not in page


def test_a_seed_that_counts_keeps_the_spread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called deterministic, in the file neither."""
    own(tmp_path, monkeypatch, SEEDED)
    _, told, _ = sweep("confirm", "own", *SMALL)
    assert "deterministic" not in told
    assert ", spread " in told
    assert sweep("export", "own", "-o", "best.toml")[0] == 0
    certificate = tomllib.loads(Path("best.toml").read_text())["certificate"]
    assert certificate["sd"] > 0
    assert "deterministic" not in certificate


def test_two_equal_seeds_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certifying seeds make it four equal ones; before them the two candidates are tied."""
    own(tmp_path, monkeypatch, SEEDLESS)
    database = Database("sqlite:///studies/sweep.db")
    assert sweep("confirm", "own", "--top", "2", "--seeds", "2", "--certify", "2", "--workers", "1")[0] == 0
    storage = database.open_read_only()
    study = load_study(storage, "own")
    confirmation = load_confirmation(storage, study)
    assert confirmation is not None
    assert judge(study, confirmation).is_deterministic
    for job in [job for job in confirmation.trials if job.phase == "certify"]:
        del confirmation.trials[job]
    verdict = judge(study, confirmation)
    assert not verdict.is_deterministic
    assert len(verdict.tied) == 2
    assert verdict.smallest_difference is None
    assert not verdict.rows.says("ci_low")


def test_a_value_that_does_not_come_again_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``replay`` exits 1 and notes both values; the table and a confirmation say so from then on."""
    own(tmp_path, monkeypatch, RESTLESS)
    status, out, err = sweep("replay", "own", "--trial", "0")
    assert status == 1
    assert out.startswith("different:")
    assert "not reproducible: trial 0 had" in err
    note = load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own").notes[
        "not_reproducible"
    ]
    assert note["trial"] == 0
    assert note["again"] - note["stored"] == pytest.approx(0.003)
    assert "Not reproducible: trial 0 had" in sweep("table", "own")[1]
    status, told, _ = sweep("confirm", "own", *SMALL)
    assert status == 0
    assert "not reproducible: trial 0 had" in told


def test_a_replay_by_changed_code_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program may have another value; nothing is noted."""
    own(tmp_path, monkeypatch, SEEDLESS)
    Path("trainers.py").write_text(SEEDLESS.replace("config.x", "config.x + 1"))
    status, _, err = sweep("replay", "own")
    assert status == 1
    assert "has changed since: trainers.py" in err
    assert load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "own").notes == {}


def test_confirm_without_a_difference_that_matters_names_key_and_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, before anything is trained."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    lay_out(tmp_path, "function", text=SEEDLESS)
    Path("own.toml").write_text(Path("own.toml").read_text().replace("matters = 0.1\n", ""))
    assert run() == (0, "")
    status, _, err = sweep("confirm", "own")
    assert status == 1
    assert len(err.splitlines()) == 1
    assert "--delta" in err
    assert "matters" in err
