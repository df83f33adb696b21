"""A stored study from Python: what it holds, how it shows itself, and what importing costs."""

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
import safetensors.numpy

import sweep
from sweep.api.stored import SHOWN_ROWS, StoredStudy
from sweep.cli import main
from sweep.errors import NotFoundError, NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.storage.database import Database
from tests.support.optional_modules import missing_library
from tests.support.small_study import environment, rows
from tests.support.study_records import study, trial


def shown(*trials, **changes) -> StoredStudy:
    return StoredStudy(Evidence(study(*trials, **changes)), Database("sqlite:///nowhere.db"))


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
    shown = [name for name in dir(sweep) if not name.startswith("__")]  # which Python completes at its prompt
    assert shown == sorted(set(sweep.__all__) - {"__version__"})
    assert {"__version__", "__doc__", "__path__", "__file__"} <= set(dir(sweep))
    with pytest.raises(AttributeError, match="no attribute 'load_studies'"):
        sweep.load_studies  # noqa: B018  the point is that it is not there


def test_no_module_hides_a_public_name() -> None:
    """After every module of the package was imported, each name is still the function that it was."""
    for module in pkgutil.walk_packages(sweep.__path__, "sweep."):
        if not module.name.endswith("__main__") and not missing_library(module.name):
            importlib.import_module(module.name)
    names = [name for name in sweep.__all__ if name != "__version__"]
    found = [getattr(sweep, name) for name in names]
    kinds = {name: type(value).__name__ for name, value in zip(names, found, strict=True)}
    assert kinds == {name: "type" if name[0].isupper() else "function" for name in names}
    assert [value.__name__ for value in found] == names


def test_the_columns_of_the_table_are_numbers_that_pandas_computes_with() -> None:
    """Whole numbers are int64, others float64 with NaN, texts and lists objects; the best row is found."""
    trials = [trial(n, 2.5 - n / 10, params={"hidden_neurons": 10 * n}) for n in range(3)]
    table = shown(*trials, trial(3, state="diverged"), search=("hidden_neurons",)).table()
    kinds = {name: str(kind) for name, kind in table.dtypes.items()}
    assert {kinds[name] for name in ("trial", "n", "hidden_neurons")} == {"int64"}
    assert {kinds[name] for name in ("rank", "dev_loss", "dev_loss_sd", "train_seconds")} == {"float64"}
    assert {kinds[name] for name in ("state", "trials", "seeds", "engine")} == {"object"}
    assert table.nlargest(1, "dev_loss")["trial"].item() == 0
    assert np.isnan(table["dev_loss"].iloc[3])
    complete = table.dropna(subset="dev_loss")
    assert complete[["hidden_neurons", "dev_loss"]].corr().iloc[0, 1] == pytest.approx(-1.0)
    assert table["dev_loss"].describe()["count"] == 3


def test_a_study_is_run_and_confirmed_from_python(small: Path) -> None:
    """A finished study trains nothing more; its confirmation, weights and export are at hand."""
    loaded = sweep.run("studies/small.toml", workers=1)
    assert len(loaded.trials) == 6
    assert loaded.confirmation is None
    confirmed = sweep.confirm("small", top=1, seeds=2, certify=2, workers=1)
    assert confirmed.confirmation is not None
    assert len(confirmed.confirmation.certified) == 2
    tensors = safetensors.numpy.load(confirmed.weights())
    assert tensors["C"].shape[1] == confirmed.best["embedding_dim"]
    written = confirmed.export("mine.toml").read_text()
    assert main(["export", "small", "-o", "theirs.toml"]) == 0
    theirs = Path("theirs.toml").read_text()
    assert [line for line in written.splitlines() if "exported" not in line] == [
        line for line in theirs.splitlines() if "exported" not in line
    ]
    with pytest.raises(NotFoundError, match="no trial 99"):
        confirmed.weights(99)


def test_a_plan_from_python_counts_what_is_stored(small: Path) -> None:
    """Six of eight trials are stored, so two are left."""
    assert sweep.plan("small", trials=8, workers=1, device="cpu").study.left == 2


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
    assert "counting one character" in loaded.advice[0]
    assert loaded.certificate is None  # nothing was confirmed
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


def test_a_script_without_a_guard_runs_a_study(tmp_path: Path) -> None:
    """Workers do not run the script again, so that it needs no ``if __name__ == "__main__"``."""
    (tmp_path / "trainers.py").write_text("def train(config):\n    return (config.x - 0.3) ** 2\n")
    (tmp_path / "toy.toml").write_text(
        'trainer = "trainers:train"\nmetric = "loss"\nsampler = "random"\ntrials = 3\n'
        "search.x = { low = 0.0, high = 1.0 }\n"
    )
    (tmp_path / "script.py").write_text(
        "import sweep\nprint('once')\nprint(len(sweep.run('toy.toml', workers=2).table()))\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == "once\n3\n", done.stderr
