"""A study of another trainer than the MLP is shown whole, in its own words, with numbers computed by hand."""

import csv
import dataclasses
import html
import io
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from optuna.distributions import FloatDistribution, IntDistribution, distribution_to_json

from sweep import task
from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.reporting.advice.checks import CHECKS, advise, checks_of
from sweep.reporting.advice.configurations import ranked_configurations
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.plots import PLOTS, draw, plots_of
from sweep.reporting.page.report import report_html
from sweep.reporting.page.sections import SECTIONS, sections_of
from sweep.reporting.publish import make_showcase, study_note
from sweep.reporting.table.formats import FORMATS
from sweep.reporting.table.listing import Listing
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from tests.support.study_evidence import made_trial

OF_THE_MLP = re.compile(r"nats|character|\bwords?\b|block.size|embed|hidden|learning.rate|dev.loss|notebook")
"""What no text of another trainer's study may hold."""

TRIALS = 24
BEST = 8
"""x = 8 / 24 is the nearest to 0.3 among the even numbers, whose y is 1."""


def value(number: int) -> float:
    """The toy's loss without its fold: (x - 0.3)^2 + y / 10."""
    return (number / TRIALS - 0.3) ** 2 + (1 + number % 2) / 10


def toy_trial(number: int) -> TrialRecord:
    """A complete trial of the toy, of four segments of half a second."""
    params = {"x": number / TRIALS, "y": 1 + number % 2}
    facts = {"n_params": 100 - 10 * params["y"], "examples_seen": 3_000}
    return made_trial(number, value(number), params=params, facts=facts, engine="toy")


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> StudyRecord:
    """24 configurations of one seed each."""
    monkeypatch.setitem(task.BUILT_IN, "toy", "tests.support.judged_toy:JUDGED")
    space = {"x": FloatDistribution(0.0, 1.0), "y": IntDistribution(1, 2)}
    identity = {
        "trainer": "toy",
        "trainer_version": 1,
        "sampler": "random",
        "pruner": "none",
        "seed": 0,
        "replicates": 1,
        "objective": "error",
        "data_sha256": "5" * 64,
        "fixed": {"num_steps": 3_000, "conduct": "learn"},
        "search": {name: json.loads(distribution_to_json(part)) for name, part in space.items()},
        "trial": [],
    }
    return StudyRecord(
        name="toys",
        goal="Which x is best?",
        identity=identity,
        data={},
        data_facts="nothing to read",
        total_trials=TRIALS,
        keep=20,
        logged=(),
        environment={"sweep": "0.1.0"},
        trials=tuple(toy_trial(number) for number in range(TRIALS)),
    )


@pytest.fixture
def evidence(study: StudyRecord, tmp_path: Path) -> Evidence:
    """The study with the stored curve of its winner: 40 steps, each a loss of 1 / (step + 1)."""
    files = Checkpoints(LocalFolder(tmp_path / "toys"))
    files.write_segment(BEST, 0, 40, b"state", 1 / np.arange(1, 41, dtype=np.float32))
    files.close(BEST, keep=True)
    return Evidence(study, files=LocalFolder(tmp_path), reports=tmp_path / "reports")


def written(form: str, study: StudyRecord) -> str:
    """The ranked table in one format."""
    return FORMATS[form](Listing(rank_trials(study), study))


def test_every_format_names_the_metric_and_its_own_hyperparameters(study: StudyRecord) -> None:
    """Trial 8 is first with (8/24 - 0.3)^2 + 0.1 = 0.1011."""
    for form in FORMATS:
        text = written(form, study)
        assert ("value" if form in ("csv", "json") else "error") in text
        assert "0.1011" in text
        assert not OF_THE_MLP.search(text)


def test_the_table_in_a_terminal_has_the_facts_and_the_unit(study: StudyRecord) -> None:
    """Trial 8 has y = 1, so 90 parameters, and four segments of half a second."""
    lines = written("text", study).splitlines()
    first = next(line for line in lines if line.split()[:1] == ["1"])
    assert first.split() == ["1", "0.3333", "1", "0.1011", "90", "3,000", "2.0", "8"]
    assert "error: points, lower is better" in lines


def test_a_file_has_every_column_in_full(study: StudyRecord) -> None:
    """No column of the MLP, the value, numbers to the last digit."""
    rows = list(csv.DictReader(io.StringIO(written("csv", study))))
    names = "rank trial trials state x y value value_sd n seeds n_params examples_seen train_seconds"
    assert list(rows[0]) == [*names.split(), "engine", "device", "reason"]
    assert (rows[0]["trial"], float(rows[0]["value"])) == (str(BEST), value(BEST))
    objects = json.loads(written("json", study))
    assert [row["value"] for row in objects] == sorted(value(number) for number in range(TRIALS))
    assert written("log", study).split("\n\n")[0].splitlines() == ["x = 0.3333", "y = 1", "error = 0.1011"]


def test_the_report_has_every_generic_section_and_no_other(evidence: Evidence) -> None:
    """The headline in the metric's unit; what is missing is listed with its reason."""
    page = report_html(evidence)
    shown = re.sub(r"(?s)<(script|style).*?</\1>", "", page)
    text = html.unescape(re.sub(r"<[^>]*>", " ", shown))
    assert "Trial 8 is best so far: error 0.1011 points" in text
    assert "It was trained on one seed." in text
    assert "Values are in points." in text
    assert sections_of(evidence.study) == SECTIONS
    missing = {"confirmation": "not confirmed yet", "test": "this trainer has no test split"}
    for name in SECTIONS:
        assert (f'<section id="{name}"' in shown) != (name in missing)
    assert all(reason in text for reason in missing.values())
    assert not OF_THE_MLP.search(text)
    assert "dev_loss" not in shown


@pytest.mark.parametrize("name", [*PLOTS, "cost-parameters"])
def test_every_plot_is_drawn_in_the_metric_s_own_words(name: str, evidence: Evidence) -> None:
    """Title, reading, axes and hover texts; an axis of values has the unit."""
    plot, figure = plots_of(evidence.study)[name], draw(name, evidence)
    texts = f"{plot.title} {plot.reading} {figure.to_json()}"
    assert not OF_THE_MLP.search(texts)
    assert "{" not in plot.title + plot.reading
    if name.startswith(("history", "cost", "pareto", "rungs")):
        assert figure.to_plotly().layout.yaxis.title.text == "error, points"


def test_plots_hold_the_numbers_of_the_trials(evidence: Evidence) -> None:
    """The winner, the last of the best so far, the front in two costs, the curve."""
    plots = plots_of(evidence.study)
    assert set(plots) == {*PLOTS, "cost-parameters"}
    names = list(plots)
    assert names.index("cost-parameters") + 1 == names.index("cost-seconds")
    history = plots["history"].numbers(evidence)
    assert (history.points.winner.trial, history.best_loss[-1]) == (
        [BEST],
        pytest.approx(value(BEST), rel=1e-5),
    )
    assert plots["history"].title == "error, trial by trial"
    front = plots["cost-parameters"].numbers(evidence).front
    cheapest = min((number for number in range(TRIALS) if number % 2), key=value)
    assert (front.x, front.trial) == ([80, 90], [cheapest, BEST])
    curve = plots["training-curve"].numbers(evidence)
    assert curve.raw[:3] == pytest.approx([1, 1 / 2, 1 / 3], rel=1e-5)
    assert sum(evidence.importances.values()) == pytest.approx(1)


def test_advice_judges_gains_by_the_difference_that_matters(study: StudyRecord) -> None:
    """The expected lowest of 14 among 24 values, drawn without replacement, less the lowest."""
    assert checks_of(study) == CHECKS
    found = CHECKS["gains"].find(study, ranked_configurations(study))
    ordered = sorted(value(number) for number in range(TRIALS))
    ways = [math.comb(TRIALS - place, 13) for place in range(1, TRIALS + 1)]
    lowest = sum(v * n for v, n in zip(ordered, ways, strict=True)) / math.comb(TRIALS, 14)
    assert (found.gain, found.negligible) == (pytest.approx(lowest - ordered[0]), 0.05)
    assert CHECKS["seeds"].find(study, ranked_configurations(study)) is None
    (text,) = [text for text in advise(study) if "more configurations" in text]
    assert "hardly help" in text
    assert not OF_THE_MLP.search(" ".join(advise(study)))


def test_replicates_leave_ranks_open_by_their_own_spread(study: StudyRecord) -> None:
    """Seeds 0.02 apart deviate by 0.0141; two standard errors of a difference are 0.0283."""
    pairs = [(0, 0.10), (0, 0.12), (1, 0.12), (1, 0.14), (2, 0.30), (2, 0.32)]
    trials = [
        dataclasses.replace(toy_trial(n), params={"x": k / 4, "y": 1}, dev_loss=loss)
        for n, (k, loss) in enumerate(pairs)
    ]
    twice = dataclasses.replace(study, trials=tuple(trials))
    found = CHECKS["seeds"].find(twice, ranked_configurations(twice))
    assert (found.ranks, found.spread) == (2, pytest.approx(math.sqrt(2) / 100))
    assert found.margin == pytest.approx(2 * math.sqrt(2) / 100)


def test_the_dashboard_shows_notes_and_the_curve(evidence: Evidence) -> None:
    """One figure, a note with outcome and commands, and one on each of the five best."""
    note = study_note(evidence).replace("\\", "")
    assert "Trial 8 is best so far: error 0.1011 points" in note
    assert "sweep export toys --trial 8" in note
    assert "sweep test" not in note
    assert "sweep sample" not in note
    assert not OF_THE_MLP.search(note)
    data = {"words": "", "dedupe": False}
    identity = {**evidence.study.identity, "data": data, "split": "none"}
    machine = {"sweep": "0.1.0", "torch": "none"}
    stored = dataclasses.replace(evidence.study, data=data, identity=identity, environment=machine)
    made = make_showcase(Evidence(stored, reports=evidence.folder.parent))
    assert list(made.figures) == ["training-curve"]
    assert list(made.trial_notes) == sorted(range(TRIALS), key=value)[:5]
    best = made.trial_notes[BEST].replace("\\", "")
    assert "Rank 1 of 24 configurations: error 0.1011." in best
    assert [artifact.filename for artifact in made.artifacts] == ["best.toml"]
