import base64
import csv
import hashlib
import html
import io
import json
import re

import numpy as np
import pytest

from sweep.errors import MachineError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.learning_rate.lr_suggestions import DEFINITIONS, RULES
from sweep.trainers.mlp.learning_rate.range_curve import suggestions
from sweep.trainers.mlp.shown.lr_finder_page import lr_finder_csv, lr_finder_html, write_lr_finder

CONFIG = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=1_016, batch_size=16, weight_decay=0.001)
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\x1b[31m\u202e\ud800"


@pytest.fixture(scope="module")
def test_run(corpus):
    return range_test(CONFIG, corpus, steps=200, seeds=3, high=0.1)


@pytest.fixture(scope="module")
def page(test_run):
    return lr_finder_html(test_run, "names", "the best trial, number 12")


@pytest.fixture(scope="module")
def own_markup(page):
    """The page without its scripts."""
    return re.sub(r"(?s)<script.*?</script>", "", page)


def test_shows_the_suggestions_with_their_definitions(own_markup, test_run):
    for name, (rate, remark) in suggestions(test_run.curve).items():
        assert f">{rate:.3g}</td>" in own_markup
        assert DEFINITIONS[name] in own_markup
        assert remark in own_markup


def test_recommends_the_minimum_first_and_marks_the_rate_of_the_configuration(own_markup, page, test_run):
    rate = suggestions(test_run.curve)["minimum"][0]
    lead = re.search(r'class="lead">([^<]*)', own_markup)[1]
    assert lead.startswith(
        f"Recommended learning rate: {rate:.3g} (minimum): the smoothed loss is lowest there"
    )
    assert f"its own rate, {CONFIG.learning_rate:.3g}" in page


def test_shows_where_it_comes_from(own_markup, test_run):
    for text in (
        *(
            "names · the best trial, number 12",
            "0.001 to 0.1, geometric",
            "200 a seed",
            "1,016",
            "fused on cpu",
        ),
        *(", ".join(map(str, test_run.curve.seeds)), test_run.data_sha256, CONFIG.sha256()),
    ):
        assert text in own_markup


def test_has_a_title_a_language_and_a_viewport(page):
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert "<title>Learning-rate finder: names</title>" in page
    assert 'name="viewport"' in page


def test_policy_allows_the_two_scripts_of_the_page_and_no_remote_load(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', page)[1])
    scripts = re.findall(r"(?s)<script>(.*?)</script>", page)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == " ".join(f"'sha256-{value}'" for value in hashes)
    assert len(scripts) == 2
    assert "http" not in policy
    assert "*" not in policy


def test_nothing_is_fetched_from_elsewhere(own_markup):
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//)""", own_markup)
    assert re.findall(r'href="(.*?)"', own_markup) == ["lr_finder.csv"]
    assert "@import" not in own_markup
    assert "url(" not in own_markup


def test_plotly_js_is_there_once(page):
    assert page.count("<script>/**") == 1
    assert 4_000_000 < len(page) < 7_000_000


def test_figure_travels_as_json(page):
    text = re.search(r'(?s)<script type="application/json" id="figures">(.*?)</script>', page)[1]
    figures = json.loads(text, parse_constant=pytest.fail)
    assert figures.keys() == {"lr_finder"}
    assert {"data", "layout"} <= figures["lr_finder"].keys()


def test_hostile_names_are_shown_not_run(test_run):
    text = lr_finder_html(test_run, HOSTILE, HOSTILE)
    shown = re.sub(r"(?s)<script.*?</script>", "", text)
    assert "<img" not in shown
    assert "onerror=alert(1)&gt;" in shown
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", shown)
    assert text.count("<script") == lr_finder_html(test_run, "names").count("<script")
    text.encode()


def test_csv_has_every_raw_loss_in_full(test_run):
    read = list(csv.DictReader(io.StringIO(lr_finder_csv(test_run))))
    assert len(read) == 200
    assert [int(row["step"]) for row in read] == list(range(200))
    assert [float(row["learning_rate"]) for row in read] == test_run.curve.learning_rates.tolist()
    for seed, losses in zip(test_run.curve.seeds, test_run.curve.raw, strict=True):
        assert [float(row[f"loss_seed_{seed}"]) for row in read] == losses.tolist()


def test_csv_is_empty_where_a_seed_has_stopped(corpus):
    stopped = range_test(CONFIG, corpus, steps=100, seeds=2, high=1e6)
    assert stopped.curve.stopped == 2
    text = lr_finder_csv(stopped)
    assert text.splitlines()[-1].endswith(",,")
    assert "nan" not in text
    assert text.count("\n") == 101
    filled = sum(bool(cell) for row in csv.reader(io.StringIO(text)) for cell in row[2:]) - 2
    assert filled == np.isfinite(stopped.curve.raw).sum()


def test_a_run_without_suggestions_still_has_a_page(corpus):
    text = lr_finder_html(range_test(CONFIG, corpus, steps=100, low=1e-9, high=1e-8), "names")
    assert text.count('<td class="number">none</td>') == len(RULES)
    assert "too little compared to" in text


def test_writes_page_and_table_into_the_study_s_folder(test_run, page, tmp_path):
    reports = tmp_path / "reports"
    paths = write_lr_finder(test_run, "names", source="the best trial, number 12", reports=reports)
    assert paths == (reports / "names" / "lr_finder.html", reports / "names" / "lr_finder.csv")
    assert paths[0].read_text(encoding="utf-8") == page
    assert sorted(file.name for file in (reports / "names").iterdir()) == ["lr_finder.csv", "lr_finder.html"]


@pytest.mark.parametrize("name", ["../names", "/names", "names/../.."])
def test_a_name_cannot_lead_out_of_the_reports(test_run, tmp_path, name):
    with pytest.raises(MachineError, match="outside"):
        write_lr_finder(test_run, name, reports=tmp_path / "reports")
    assert list(tmp_path.iterdir()) == []
