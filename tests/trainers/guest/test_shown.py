"""Figures and texts of a guest's report beside Optuna's own numbers."""

import re
import warnings
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna._hypervolume import compute_hypervolume
from optuna.study import StudyDirection

from sweep.api.stored import load_study
from sweep.errors import GuestError, NothingToShowError
from sweep.reporting.evidence import Evidence, gather_evidence
from sweep.reporting.figures.plots import draw, plots_of
from sweep.reporting.page.headline import headline_of
from sweep.reporting.page.report import report_html
from sweep.reporting.page.sections import sections_of
from sweep.storage.database import Database
from tests.support.guest_studies import Guests, guests

__all__ = ["guests"]


def evidence_of(guests: Guests, name: str) -> Evidence:
    return gather_evidence(name, Database(guests.url))


@pytest.mark.parametrize("name", ["two", "three"])
def test_the_hypervolume_is_optuna_s(guests: Guests, name: str) -> None:
    """From the worst of each objective, in whatever directions."""
    study = guests.study(name)
    signs = [1 if way == StudyDirection.MINIMIZE else -1 for way in study.directions]
    losses = np.array([trial.values for trial in study.trials]) * signs
    expected = compute_hypervolume(losses, losses.max(axis=0))
    headline = headline_of(evidence_of(guests, name))
    (found,) = re.findall(r"Hypervolume of the front: ([\d.e+-]+) ", " ".join(headline.sentences))
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert headline.title.startswith(f"{len(study.best_trials)} of 30 complete trials")


def test_the_front_of_the_figure_is_optuna_s(guests: Guests) -> None:
    """The green line is that of the best trials."""
    evidence = evidence_of(guests, "two")
    numbers = plots_of(evidence.study)["pareto"].numbers(evidence)
    assert set(numbers.front.trial) == {trial.number for trial in guests.study("two").best_trials}


def test_intermediate_values_are_those_that_optuna_stored(guests: Guests) -> None:
    """Every trial that reported has a line, in the group of its end."""
    evidence = evidence_of(guests, "mixed")
    numbers = plots_of(evidence.study)["rungs"].numbers(evidence)
    found = {
        line.trial: dict(zip(line.step, line.value, strict=True))
        for group in (numbers.winner, numbers.best, numbers.others, numbers.given_up)
        for line in group
    }
    trials = [trial for trial in guests.study("mixed").trials if trial.intermediate_values]
    assert found == {trial.number: pytest.approx(trial.intermediate_values, rel=1e-5) for trial in trials}
    assert [line.trial for line in numbers.winner] == [guests.study("mixed").best_trial.number]


def test_importances_are_optuna_s(guests: Guests) -> None:
    """PED-ANOVA with the same share of best trials."""
    study = guests.study("conditional")
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=5 / 24)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = evaluator.evaluate(study)
    shares = {name: value / sum(theirs.values()) for name, value in theirs.items()}
    assert evidence_of(guests, "conditional").importances == pytest.approx(shares)


def test_sections_without_facts_are_left_out(guests: Guests) -> None:
    """No confirmation, test record, seeds, machine or hashes; nor are they listed as missing."""
    evidence = evidence_of(guests, "mixed")
    assert list(sections_of(evidence.study)) == [
        *("table", "advice", "configuration", "search", "mattered", "rungs", "cost", "provenance")
    ]
    page = report_html(evidence)
    for word in ("Confirmation", "Test record", "seed of the winner", "Hashes", "Machine", "sweep confirm"):
        assert word not in page
    assert "sweep init --from-optuna mixed" in page
    assert "<dt>owner</dt><dd>ann</dd>" in page


def test_a_guest_without_a_complete_trial_has_a_report(guests: Guests) -> None:
    """It says that no trial is complete and claims no order; an empty study shows no hyperparameters."""
    for name, title in {"bad": "No trial is complete", "empty": "No trial yet"}.items():
        page = report_html(evidence_of(guests, name))
        assert title in page
        assert "Each configuration ran once" not in page
    assert '<section id="configuration"' not in page


def test_each_objective_of_a_guest_has_its_own_name_and_no_trial_is_the_winner(guests: Guests) -> None:
    """The heads of a table are written alike, and with several objectives nothing is called a winner."""
    page = report_html(evidence_of(guests, "three"))
    (head,) = re.findall(r'<table id="ranking".*?<thead>(.*?)</thead>', page, re.DOTALL)
    heads = re.findall(r'class="sort">([^<]*)', head)
    assert [name for name in heads if name.startswith("values")] == ["values_0", "values_1", "values_2"]
    shown = re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert not re.search("winner", shown, re.IGNORECASE)
    assert "trial with the lowest values_0" in shown
    figures = draw("pareto", evidence_of(guests, "three")).data
    assert "trial with the lowest values_0" in [trace.get("name") for trace in figures]


def test_a_guest_gets_no_words_about_what_sweep_would_do(guests: Guests) -> None:
    """Its repeats are no replicates, and its winner is no file that `sweep train` takes."""
    page = report_html(evidence_of(guests, "conditional"))
    assert '<section id="configuration"' in page
    assert "replicates" not in page
    assert "best.toml" not in page


def test_in_python_a_guest_is_shown_and_not_exported(guests: Guests, tmp_path: Path) -> None:
    """The table is a DataFrame of raw values; weights and exports are refused in one line."""
    study = load_study("mixed", guests.url)
    best = guests.study("mixed").best_trial
    assert (study.best["trial"], study.best["value"], study.best["lr"]) == (
        best.number,
        best.value,
        best.params["lr"],
    )
    assert "seed" not in study.best
    frame = study.table()
    complete = guests.study("mixed").get_trials(states=[optuna.trial.TrialState.COMPLETE])
    values = frame.dropna(subset="value").set_index("trial")["value"].to_dict()
    assert values == {trial.number: trial.value for trial in complete}
    with pytest.raises(NothingToShowError, match="stores no weights"):
        study.weights()
    with pytest.raises(GuestError, match="no trainer"):
        study.export(tmp_path / "best.toml")
    assert list(tmp_path.iterdir()) == []
