"""A stored study from Python: what it holds, how it shows itself, and what importing costs."""

import json
import subprocess
import sys
from pathlib import Path

import plotly.graph_objects as go
import pytest
from small_study import _own_ledger, environment, rows, small, trained
from study_records import study, trial

import sweep
from sweep.api import SHOWN_ROWS, StoredStudy
from sweep.cli import main
from sweep.errors import NotFoundError, NothingToShowError
from sweep.reporting.evidence import Evidence

__all__ = ["_own_ledger", "small", "trained"]  # fixtures


def shown(*trials, **changes) -> StoredStudy:
    return StoredStudy(Evidence(study(*trials, **changes)))


def test_importing_sweep_is_cheap_and_still_offers_the_study(tmp_path: Path) -> None:
    """Nothing but the standard library is loaded; an unknown name is no attribute."""
    code = "import sweep, sys; print(sorted({m.partition('.')[0] for m in sys.modules} & {HEAVY}))"
    heavy = str({"torch", "optuna", "pandas", "plotly", "numpy", "numba", "sqlalchemy", "rich"})
    done = subprocess.run(
        [sys.executable, "-c", code.replace("{HEAVY}", heavy)],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert "load_study" in sweep.__all__
    with pytest.raises(AttributeError, match="no attribute 'load_studies'"):
        sweep.load_studies  # noqa: B018  the point is that it is not there


def test_a_stored_study_is_read(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Table, best configuration and trials are those of the command line."""
    assert main(["table", "small", "--format", "json"]) == 0
    printed = rows(capsys.readouterr().out)
    loaded = sweep.load_study("small")
    table = loaded.table()
    assert list(table["dev_loss"]) == [row["dev_loss"] for row in printed]
    best = loaded.best
    assert (best["trial"], best["dev_loss"]) == (printed[0]["trial"], printed[0]["dev_loss"])
    assert best["hidden_neurons"] == printed[0]["hidden_neurons"]
    assert best["learning_rate"] == 0.1  # fixed, by default
    assert json.loads(json.dumps(best)) == best
    assert len(loaded.trials) == 6
    assert repr(loaded).startswith("<Study 'small': 6 of 6 trials done, best dev loss ")
    for name in ("history", "embedding", "training-curve"):
        assert isinstance(loaded.plot(name), go.Figure)
    table["dev_loss"] = 0.0
    assert loaded.table()["dev_loss"].min() > 1  # a copy was changed


def test_the_database_is_an_argument_or_the_variable_or_the_default(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on the command line, in this order."""
    url = f"sqlite:///{small}/studies/sweep.db"
    monkeypatch.chdir(small.parent)
    with pytest.raises(NotFoundError, match=r"no database at studies/sweep\.db"):
        sweep.load_study("small")
    monkeypatch.setenv("SWEEP_STORAGE", url)
    assert sweep.load_study("small").record.name == "small"
    monkeypatch.setenv("SWEEP_STORAGE", "sqlite:///elsewhere.db")
    assert sweep.load_study("small", url).record.name == "small"
    with pytest.raises(NotFoundError, match="no study 'none' in the database; stored: small"):
        sweep.load_study("none", url)


def test_a_notebook_shows_the_best_rows_and_obeys_no_markup() -> None:
    """Ten rows, a word on the others, and every text from outside escaped."""
    trials = [trial(n, 2.0 + n / 100, params={"hidden_neurons": n, "x": "<script>"}) for n in range(12)]
    html = shown(*trials, goal="<img src=x onerror=alert(1)>", search=("hidden_neurons", "x"))._repr_html_()
    assert html.count("<tr>") == 1 + SHOWN_ROWS
    assert "and 2 more" in html
    assert "2.0000" in html
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("trials", [(), (trial(0, state="diverged"),)])
def test_a_study_without_a_loss_says_so(trials) -> None:
    """Neither of the two ways to show it fails; asking for the best does."""
    loaded = shown(*trials)
    assert repr(loaded) == f"<Study 'names': {len(trials)} of {len(trials)} trials done, no final loss yet>"
    assert "no final loss yet" in loaded._repr_html_()
    with pytest.raises(NothingToShowError, match="no trial has a final loss yet"):
        loaded.best  # noqa: B018  asking is what fails


def test_an_unknown_plot_names_those_there_are() -> None:
    """And each says how to read it."""
    loaded = shown(trial(0, 2.0))
    with pytest.raises(NotFoundError, match="no plot 'histroy'; known: history, "):
        loaded.plot("histroy")
    assert all(reading.endswith(".") for reading in loaded.plots.values())
