"""The report as markup; test_report_in_browser.py opens it."""

import html
import json
import math
import re
import time

import pytest

from sweep.errors import MachineError
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.report import report_html, write_report
from sweep.reporting.page.sections import sections_of
from sweep.storage.looks.stored_looks import TestLook
from sweep.trainers.mlp.shown.learned import Learned
from tests.support.study_evidence import (
    made_confirmation,
    made_study,
    made_trial,
    many_trials,
    trained_evidence,
)


def own_markup(page: str) -> str:
    """Return the page without its scripts and styles."""
    return re.sub(r"(?s)<(script|style).*?</\1>", "", page)


def plain_text(page: str) -> str:
    """Return what a reader sees."""
    return html.unescape(re.sub(r"<[^>]*>", " ", own_markup(page)))


@pytest.fixture(scope="module")
def page(tmp_path_factory, corpus):
    """The report of a study with a trained winner."""
    from tests.conftest import WORDS

    folder = tmp_path_factory.mktemp("report")
    words = folder / "words.txt"
    words.write_text("\n".join(WORDS.split()) + "\n")
    return report_html(trained_evidence(folder, words))


def test_the_verdict_comes_first(page):
    assert page.index("<h1>Trial 7 is best so far: dev loss 2.4000") < page.index('id="ranking"')


def test_every_section_is_there_or_says_why_not(page):
    shown = own_markup(page)
    for name, section in sections_of(made_study()).items():
        assert f'<section id="{name}"' in shown or f"<dt>{section.title}</dt>" in shown
    assert "<dt>Learning rate</dt><dd>no range test yet; run <code>sweep lr-find STUDY.toml</code>" in shown


def test_the_table_has_a_row_a_trial_with_the_best_first(page):
    body = re.search(r'(?s)id="ranking".*?<tbody[^>]*>(.*?)</tbody>', page)[1]
    lines = body.strip().split("\n")
    assert len(lines) == 26
    assert lines[0].startswith("<tr class=winner><td>1<td>2.4000<td>3<td>")
    assert "pruned at 10 %" in lines[-1]
    assert [line.startswith("<tr hidden>") for line in lines].index(True) == 12


def test_sampled_words_are_marked_where_they_stand_in_train(tmp_path):
    from tests.conftest import WORDS

    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS.split()) + "\n")
    evidence = trained_evidence(tmp_path, words)
    evidence.more(Learned).sampled_words = [("anna", True), ("xyz", False), ("", False)]
    shown = own_markup(report_html(evidence))
    assert "<li class=known>anna<small>in the training words</small></li><li>xyz</li>" in shown
    assert "<li><i>empty</i></li>" in shown


def test_provenance_names_data_versions_machine_and_commands(page):
    text = plain_text(page)
    for expected in (
        "2.13.0",
        "Linux",
        "shuffle by random.Random(42)",
        "sweep replay made --trial 7",
        "1007",
    ):
        assert expected in text
    assert re.search(r"data \(sha256\)\s+[0-9a-f]{64}", text)


def test_plotly_js_is_there_once_and_nothing_comes_from_elsewhere(page):
    assert page.count("<script>/**") == 1
    shown = own_markup(page)
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", shown)
    assert "script-src 'sha256-" in page
    assert page.count("<script>") == 3


POOR = {
    "no trial": ([], "No trial yet"),
    "one trial": ([made_trial(0, 2.5)], "Trial 0 is best so far"),
    "only pruned": ([made_trial(0), made_trial(1)], "2 pruned"),
    "only failed": ([made_trial(0, state="failed", reason="out of memory", segments=())], "out of memory"),
    "stored NaN": ([made_trial(0, math.nan), made_trial(1, 2.5)], "the stored loss is not finite"),
    "a constant parameter": (
        [made_trial(k, 2.5 + k, params=made_trial(0).params) for k in range(30)],
        "block",
    ),
    "a parameter that some lack": (
        [made_trial(0, 2.5), made_trial(1, 2.6, params={"block_size": 2, "num_steps": 40})],
        "Trial 0 is best so far",
    ),
}


@pytest.mark.parametrize("name", POOR)
def test_poor_studies_have_a_report_that_says_something(name, tmp_path):
    trials, says = POOR[name]
    page = report_html(Evidence(made_study(*trials), reports=tmp_path))
    assert says in plain_text(page)
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", plain_text(page))
    figures = re.search(r'(?s)id="figures">(.*?)</script>', page)[1]
    json.loads(figures, parse_constant=pytest.fail)


def test_a_study_of_two_objectives_shows_what_else_it_minimises(tmp_path):
    study = made_study(made_trial(0, 2.5), made_trial(1, 2.6))
    study.identity["objective"] = ["dev_loss", "n_params"]
    assert "dev_loss, n_params" in plain_text(report_html(Evidence(study, reports=tmp_path)))


def test_two_objectives_have_front_knee_and_hypervolume_in_words_and_a_column(tmp_path):
    """Decades 1, 2, 3: the middle lies below the line. Up to (10,000, 4): 1 * 1 + 1.9 * 1 + 2 * 1 = 4.9."""
    pairs = [(10, 3.0), (100, 2.1), (1_000, 2.0), (10_000, 2.5)]
    trials = [
        made_trial(k, loss, facts={"n_params": size, "examples_seen": 1})
        for k, (size, loss) in enumerate(pairs)
    ]
    study = made_study(*trials)
    study.identity["objective"] = ["dev_loss", "n_params"]
    page = report_html(Evidence(study, reports=tmp_path, loss_ceiling=4.0))
    text = plain_text(page)
    assert "Trial 2 has the lowest dev loss so far: dev loss 2.0000" in text
    knee = "3 configurations are on the Pareto front of dev_loss and n_params; its knee is trial 1"
    assert f"{knee}, dev_loss 2.1000 at n_params 100." in text
    assert "Hypervolume: 4.900 nats x decades of n_params" in text
    assert "dev_loss 4.0000 (knowing nothing), n_params 10,000 (the costliest here)" in text
    rows = re.findall(r"<tr[^>]*><td>(\d)<td>([\d.]+)<td>(\d)", page)
    assert rows == [("1", "2.0000", "1"), ("2", "2.1000", "1"), ("3", "3.0000", "1"), ("4", "2.5000", "2")]
    alone = plain_text(report_html(Evidence(study, reports=tmp_path)))
    assert "dev_loss 3.0000 (the worst here)" in alone


def test_a_confirmation_is_shown_with_its_verdict(tmp_path):
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    confirmation = made_confirmation({0: [2.11, 2.13], 1: [2.1, 2.1]}, [2.11, 2.12])
    page = report_html(Evidence(study, confirmation=confirmation, reports=tmp_path))
    text = plain_text(page)
    assert "Trial 1 is best: certified dev loss 2.1150" in text
    assert "certified dev loss 2.1150" in text


def test_after_a_confirmation_and_a_test_look_the_verdict_has_both_and_no_command_repeats_them(tmp_path):
    look = {
        "look_id": "0" * 32,
        "started": "2026-02-03T12:00:00+00:00",
        "study": "made",
        "trial": 1,
        "test_sha256": "1" * 64,
        "data_sha256": "0" * 64,
        "dev_loss": 2.115,
        "test_loss": 2.2,
        "why": "",
        "version": "0.1.0",
    }
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    other, winner = (study.task.make_config(study.config_values(t)).sha256() for t in study.trials)
    look |= {"config_sha256": winner}
    confirmation = made_confirmation({0: [2.11, 2.13], 1: [2.1, 2.1]}, [2.11, 2.12])
    unfinished = TestLook.from_dict({**look, "test_loss": None})
    of_another = TestLook.from_dict({**look, "config_sha256": other, "test_loss": 9.0})
    looks = [unfinished, of_another, TestLook.from_dict(look)]
    evidence = Evidence(study, confirmation=confirmation, looks=looks, reports=tmp_path)
    text = plain_text(report_html(evidence))
    assert "certified dev loss 2.1150" in text
    assert "The test loss is 2.2000 nats per character (2026-02-03)." in text
    assert re.search(r"test loss\s+2\.2000", text)
    offered = text.partition("Commands")[2]
    assert "sweep export made -o best.toml" in offered
    assert "sweep confirm" not in offered
    assert "sweep test" not in offered
    assert "sweep test" in plain_text(report_html(Evidence(study, looks=looks[:1], reports=tmp_path)))


def test_five_thousand_trials_take_less_than_ten_seconds_and_twelve_megabytes(tmp_path):
    study = made_study(*many_trials(5_000))
    start = time.process_time()
    page = report_html(Evidence(study, reports=tmp_path))
    assert time.process_time() - start < 10
    assert len(page.encode()) < 12e6


def test_is_written_into_the_study_s_folder_and_nowhere_else(tmp_path):
    study = made_study(made_trial(0, 2.5))
    path = write_report(Evidence(study), reports=tmp_path / "reports")
    assert path == tmp_path / "reports" / "made" / "report.html"
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(MachineError, match="outside"):
        write_report(Evidence(made_study(name="../made")), reports=tmp_path / "reports")
