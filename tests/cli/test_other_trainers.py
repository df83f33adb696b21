"""Trainers of an installed package go through every command; each number is computed by hand.

``slope`` minimises its error, ``climb`` maximises 1 less the error of the same hill.
"""

import contextlib
import csv
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sweep.api.stored import load_study
from sweep.cli import main
from sweep.cli.live_frame import Frame
from sweep.cli.run_state import RunState
from sweep.execution.events import RunStarted, TrialEnded
from tests.support.installed import install_toys

OF_THE_MLP = re.compile(
    r"nats|character|\bwords?\b|block.size|embed|hidden|learning.rate|dev.loss|notebook|n_params|examples.seen"
    r"|minibatch|lr-find|sweep sample|(?<!yper)parameters|dedupe"
)
"""What no output on a study of another trainer may hold."""

OF_MINIMISING = re.compile(r"lowest|lower is better|\blowered|minimised")

TRIALS = 24

STUDY = """
trainer = "NAME"
goal = "Where is the hill best?"
sampler = "random"
pruner = "median"
trials = 24
seed = 3
search.rate = {low = 0.0, high = 1.0}
search.depth = {low = 1, high = 4}
search.kind = {choices = ["straight", "bent"]}
search.bend = {low = 0.1, high = 0.2, when = {kind = "bent"}}
"""

NAMES = ("slope", "climb")


def error_of(values: dict[str, Any], done: float = 1.0) -> float:
    """Return the error of a configuration as the package's documentation has it."""
    bend = values.get("bend") or 0.0
    return (
        (values["rate"] - 0.25) ** 2 + values["depth"] / 100 + bend + values["seed"] % 7 / 1_000 + (1 - done)
    )


def by_hand(name: str, values: dict[str, Any]) -> float:
    """Return the value of a trainer's metric."""
    return error_of(values) if name == "slope" else 1 - error_of(values)


def is_best_first(name: str, values: list[float]) -> bool:
    return values == sorted(values, reverse=name == "climb")


def with_package(package: Path) -> dict[str, str]:
    """Return the environment of a process that finds the package."""
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(package), before)))}


def sweep(*arguments: str, status: int = 0) -> str:
    """Run a command here; return what it wrote to stdout. Nothing of it may be the MLP's."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        found = main(list(arguments))
    assert found == status, err.getvalue()
    written = out.getvalue() + err.getvalue()
    assert not OF_THE_MLP.search(written), written
    if any(word.startswith("climb") for word in arguments):
        assert not OF_MINIMISING.search(written), written
    return out.getvalue() if status == 0 else err.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder with both studies run: the first by a process of its own, as ``--json``."""
    folder = tmp_path_factory.mktemp("installed")
    package = install_toys(folder / "site")
    for name in NAMES:
        (folder / f"{name}.toml").write_text(STUDY.replace("NAME", name))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(package))
        patch.setenv("SWEEP_LEDGER", str(folder / "ledger.jsonl"))
        done = subprocess.run(
            [sys.executable, "-m", "sweep", "run", "slope.toml", "--workers", "1", "--json"],
            env=with_package(package),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not OF_THE_MLP.search(done.stdout + done.stderr)
        (folder / "slope.jsonl").write_text(done.stdout)
        (folder / "climb.txt").write_text(sweep("run", "climb.toml", "--workers", "1"))
        yield folder


def table(name: str) -> list[dict[str, Any]]:
    """Return the rows of a study as JSON."""
    rows: list[dict[str, Any]] = json.loads(sweep("table", name, "--format", "json"))
    return rows


def ranked(name: str) -> list[dict[str, Any]]:
    return [row for row in table(name) if row["rank"] is not None]


def values_of(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "seed": row["seeds"][0]}


def test_a_run_prints_each_trial_with_the_value_of_the_metric(folder: Path) -> None:
    """Found by its entry point in another process; one object a trial, values under ``value``."""
    lines = [json.loads(line) for line in (folder / "slope.jsonl").read_text().splitlines()]
    assert sorted(line["trial"] for line in lines) == list(range(TRIALS))
    assert {line["state"] for line in lines} == {"complete", "pruned"}
    for line in lines:
        values = {**line["params"], "seed": line["seed"]}
        assert line["value"] == (by_hand("slope", values) if line["state"] == "complete" else None)
        assert (line["nodes"], line["calls"]) == (2 ** values["depth"], 2_000)
        assert ("bend" in values) == (values["kind"] == "bent")


def test_a_run_that_maximises_ends_with_its_table(folder: Path) -> None:
    """The first row has the highest score."""
    text = (folder / "climb.txt").read_text()
    assert "score: points, higher is better" in text
    best = ranked("climb")[0]
    first = next(line for line in text.splitlines() if line.split()[:1] == ["1"])
    assert f"{by_hand('climb', values_of(best)):.4f}" in first.split()


@pytest.mark.parametrize("name", NAMES)
def test_a_table_ranks_what_was_computed_by_hand(name: str, folder: Path) -> None:
    """Every format has the same rows; an inactive hyperparameter is an empty cell."""
    rows = ranked(name)
    columns = "rank trial trials state rate depth kind bend value value_sd n seeds nodes calls train_seconds"
    assert list(rows[0]) == [*columns.split(), "engine", "device", "reason"]
    assert [row["value"] for row in rows] == [by_hand(name, values_of(row)) for row in rows]
    assert is_best_first(name, [row["value"] for row in rows])
    assert {row["kind"] for row in rows if row["bend"] is None} == {"straight"}
    read = list(csv.DictReader(io.StringIO(sweep("table", name, "--format", "csv"))))
    assert [float(row["value"]) for row in read[: len(rows)]] == [row["value"] for row in rows]
    assert [row["bend"] == "" for row in read] == [row["kind"] == "straight" for row in read]
    metric = {"slope": "error", "climb": "score"}[name]
    best = f"{rows[0]['value']:.4f}"
    blocks = sweep("table", name, "--format", "log").split("\n\n")
    logged = dict(line.split(" = ") for line in blocks[0].splitlines())
    assert float(logged[metric]) == pytest.approx(rows[0]["value"], rel=1e-3)
    assert not any("bend" in block for block in blocks if "kind = straight" in block)
    markdown = sweep("table", name, "--format", "markdown").splitlines()
    assert metric in markdown[0]
    assert best in markdown[2]
    text = sweep("table", name, "--advice", "--top", "3")
    assert f"{metric}: points, {'lower' if name == 'slope' else 'higher'} is better" in text
    assert best in text


def test_a_plan_counts_the_costs_of_the_trainer(folder: Path) -> None:
    """Depth 1 to 4 has 2 to 16 nodes."""
    assert re.search(r"^nodes +2 to 16$", sweep("plan", "slope.toml"), re.MULTILINE)
    plan = json.loads(sweep("plan", "climb.toml", "--format", "json"))
    assert plan["nodes"] == [2, 16]
    assert {timing["nodes"] for timing in plan["timings"]} <= {2, 4, 8, 16}


def text_of_report(folder: Path, name: str) -> str:
    """Return what a reader sees of a study's report."""
    page = (folder / "reports" / name / "report.html").read_text()
    return re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<(script|style).*?</\1>", "", page))


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_in_the_metrics_own_words(name: str, folder: Path) -> None:
    """The headline has the best value by hand."""
    sweep("report", name)
    text = text_of_report(folder, name)
    assert re.search(rf"is best so far: \w+ {ranked(name)[0]['value']:.4f} points", text)
    assert "Values are in points." in text
    assert not OF_THE_MLP.search(text)
    assert name == "slope" or not OF_MINIMISING.search(text)


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_shows_the_values(name: str, folder: Path) -> None:
    """Each is written by its name; the best so far moves to the best value, the front is that of nodes."""
    study = load_study(name)
    sweep("plot", name)
    assert "cost-nodes" in study.plots
    for plot in study.plots:
        if plot in ("importances", "contour") and len(ranked(name)) < 20:
            continue
        if name == "climb":
            sweep("plot", name, plot, "-o", f"{name}-{plot}.html")
            assert (folder / f"{name}-{plot}.html").stat().st_size
        figure = study.plot(plot)
        assert not OF_THE_MLP.search(figure.to_json())
        assert name == "slope" or not OF_MINIMISING.search(figure.to_json() + study.plots[plot])
    rows = ranked(name)
    history = next(trace for trace in study.plot("history").data if trace.name == "best so far")
    assert is_best_first(name, list(reversed(history.y)))
    assert history.y[-1] == pytest.approx(rows[0]["value"], rel=1e-5)
    front = next(trace for trace in study.plot("cost-nodes").data if trace.name == "front")
    assert rows[0]["trial"] == front.customdata[-1]
    assert is_best_first(name, list(reversed(front.y)))


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_is_exported_and_replayed(name: str, folder: Path) -> None:
    """The file has the trainer, the value and no absent hyperparameter; training again is equal."""
    best = ranked(name)[0]
    straight = next(row for row in ranked(name) if row["kind"] == "straight")
    out = sweep("export", name, "--trial", str(straight["trial"]), "-o", f"{name}.best.toml")
    metric = {"slope": "error", "climb": "score"}[name]
    assert f"{metric} {straight['value']:.4f}, one seed, not confirmed" in out
    exported = tomllib.loads((folder / f"{name}.best.toml").read_text())
    assert "bend" not in exported["config"]
    assert exported["provenance"]["value"] == by_hand(name, exported["config"]) == straight["value"]
    assert exported["provenance"]["trainer"] == name
    told = sweep("replay", name)
    assert told.startswith(f"equal: stored {best['value']!r}, again {best['value']!r}")
    refused = sweep("test", f"{name}.best.toml", status=1)
    assert refused == f"sweep: trainer {name} has no test split, so there is nothing to test on\n"


@pytest.mark.parametrize("name", NAMES)
def test_a_study_is_listed_copied_and_loaded(name: str, folder: Path) -> None:
    """With its best value, and with the same rows elsewhere."""
    best = ranked(name)[0]
    assert re.search(rf"^{name} .*best {best['value']:.4f}", sweep("list"), re.MULTILINE)
    target = f"sqlite:///{folder}/{name}-copy.db"
    sweep("copy", name, "--to", target)
    copied = json.loads(sweep("table", name, "--format", "json", "--storage", target))
    assert copied == table(name)
    study = load_study(name)
    assert study.best["value"] == best["value"]
    assert list(study.table()["value"].dropna()) == [row["value"] for row in ranked(name)]
    assert not OF_THE_MLP.search(repr(study) + study._repr_html_())


@pytest.mark.parametrize("name", NAMES)
def test_the_live_view_ranks_by_the_metric(name: str, folder: Path) -> None:
    """Its column has the metric's name; the best so far comes first, whatever the direction."""
    study = load_study(name)
    state = RunState(study.record.metric)
    place = {"workers": 1, "engine": name, "device": "cpu", "data_facts": ""}
    state.take(RunStarted(done=0, total=TRIALS, **place))
    for number, trial in enumerate(study.trials, 1):
        state.take(TrialEnded(trial=trial, done=number, total=TRIALS))
    assert [t.number for t in state.best] == [row["trial"] for row in ranked(name)[:5]]
    lines = [line.plain for line in Frame(name, state).lines(100, 40)]
    assert any(study.record.metric.label in line.split() for line in lines)
    first = lines[next(n for n, line in enumerate(lines) if "best so far" in line) + 1]
    assert f"{ranked(name)[0]['value']:.4f}" in first.split()
    assert not OF_THE_MLP.search("\n".join(lines))


def test_the_dashboard_has_the_direction_and_the_name(folder: Path) -> None:
    """As the Optuna dashboard's own interface tells them, from a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "sweep", "dashboard", "--port", "0"],
        env=with_package(folder / "site"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with urllib.request.urlopen(f"{address}api/studies", timeout=30) as answer:  # noqa: S310  our own server
            summaries = json.load(answer)["study_summaries"]
        for summary in summaries:
            with urllib.request.urlopen(f"{address}api/studies/{summary['study_id']}", timeout=30) as answer:  # noqa: S310
                study = json.load(answer)
            expected = {"slope": ("minimize", "error"), "climb": ("maximize", "score")}
            direction, metric = expected[summary["study_name"].partition("/")[0]]
            assert (study["directions"], study["objective_names"]) == ([direction], [metric])
            if "/" not in summary["study_name"]:
                trials = [t for t in study["trials"] if t["state"] == "Complete"]
                shown = {trial["number"]: trial["values"] for trial in trials}
                assert shown == {row["trial"]: [row["value"]] for row in ranked(summary["study_name"])}
    finally:
        server.terminate()
        server.communicate()


@pytest.mark.parametrize("name", NAMES)
def test_a_confirmation_certifies_the_best_mean(name: str, folder: Path) -> None:
    """Every value is that of its seed by hand; report, export and list go on from the certificate."""
    arguments = ("--top", "2", "--seeds", "3", "--certify", "2", "--workers", "1")
    rows = json.loads(sweep("confirm", name, *arguments, "--format", "json"))
    assert {"search_value", "values"} < rows[0].keys()
    for row in rows:
        expected = [by_hand(name, {**row, "seed": seed}) for seed in row["seeds"]]
        assert row["values"] == expected
        assert row["mean"] == pytest.approx(sum(expected) / 3)
    assert is_best_first(name, [row["mean"] for row in rows])
    assert rows[0]["search_value"] == next(
        row["value"] for row in ranked(name) if row["trial"] == rows[0]["trial"]
    )
    told = sweep("confirm", name, *arguments)
    assert f"the {'lowest' if name == 'slope' else 'highest'} mean" in told or "cheaper, and" in told
    sweep("export", name, "-o", f"{name}.confirmed.toml")
    exported = tomllib.loads((folder / f"{name}.confirmed.toml").read_text())
    certificate = exported["certificate"]
    configs = [{**exported["config"], "seed": seed} for seed in certificate["seeds"]]
    assert certificate["values"] == [by_hand(name, config) for config in configs]
    assert certificate["mean"] == pytest.approx(sum(certificate["values"]) / 2)
    if name == "climb":
        sweep("report", name)
        text = text_of_report(folder, name)
        assert f"{certificate['mean']:.4f} points" in text
        assert "highest mean" in text
        assert not OF_THE_MLP.search(text)
        assert not OF_MINIMISING.search(text)


def export(name: str, row: dict[str, Any], target: Path) -> dict[str, Any]:
    """Export the trial of a row; return the configuration of the file."""
    sweep("export", name, "--trial", str(row["trial"]), "-o", str(target))
    config: dict[str, Any] = tomllib.loads(target.read_text())["config"]
    return config


@pytest.mark.parametrize("name", NAMES)
def test_an_exported_configuration_is_trained_again(name: str, folder: Path, tmp_path: Path) -> None:
    """To the value by hand, which is that of the export."""
    value = by_hand(name, export(name, ranked(name)[0], tmp_path / "best.toml"))
    metric = {"slope": "error", "climb": "score"}[name]
    told = sweep("train", str(tmp_path / "best.toml"), "-o", str(tmp_path / "trained"))
    assert told.startswith(f"equal: {metric} {value!r}, exported {value!r}")


@pytest.mark.parametrize("name", NAMES)
def test_an_ablation_measures_each_change(name: str, folder: Path, tmp_path: Path) -> None:
    """From the worst straight configuration to the best one; every value is that of its seed by hand."""
    straight = [row for row in ranked(name) if row["kind"] == "straight"]
    first, last = (export(name, straight[place], tmp_path / f"{place}.toml") for place in (-1, 0))
    ends = (str(tmp_path / "-1.toml"), str(tmp_path / "0.toml"))
    own = ("--storage", f"sqlite:///{tmp_path}/own.db", "--format", "json")
    steps = json.loads(sweep("ablate", *ends, "--seeds", "2", "--workers", "1", *own))["steps"]
    config, means = first, []
    for step in steps:
        config = {**config, **{key: last[key] for key in step["names"]}}
        values = [by_hand(name, {**config, "seed": seed}) for seed in step["seeds"]]
        assert step["values"] == values
        means.append(sum(values) / 2)
    assert {**config, "seed": last["seed"]} == last
    assert [step["diff"] for step in steps[1:]] == pytest.approx(
        [after - before for before, after in itertools.pairwise(means)]
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_is_compared_renamed_and_deleted(name: str, folder: Path, tmp_path: Path) -> None:
    """Two trials have the better one of two; a study keeps its rows under another name."""
    own = ("--storage", f"sqlite:///{tmp_path}/own.db")
    sweep("copy", name, "--to", own[1])
    sweep("run", f"{name}.toml", "--trials", "2", "--as", "short", "--workers", "1", *own)
    both = json.loads(sweep("compare", name, "short", "--format", "json", *own))["studies"]
    first_two = [row["value"] for row in ranked(name) if row["trial"] < 2]
    assert [(row["value"], row["equal_trials"]) for row in both] == [
        (ranked(name)[0]["value"], first_two[0]),
        (first_two[0], first_two[0]),
    ]
    sweep("rename", name, "hill", *own)
    assert json.loads(sweep("table", "hill", "--format", "json", *own)) == table(name)
    sweep("delete", "hill", "--yes", *own)
    assert sweep("list", *own).split()[0] == "short"
