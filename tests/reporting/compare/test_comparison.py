"""Studies side by side: numbers by hand, formats, the page, and what is refused."""

import csv
import dataclasses
import io
import json

import pytest

from sweep.definition.dimension import Range
from sweep.errors import ConfigError
from sweep.metric import MAXIMIZE, Metric
from sweep.reporting.compare.comparison import compare
from sweep.reporting.compare.formats import FORMATS
from sweep.reporting.compare.page import comparison_page, progress_figure
from sweep.reporting.compare.progress import progress_of
from sweep.reporting.evidence import Evidence
from tests.support.study_evidence import SPACE, made_confirmation, made_study, made_trial

# A complete trial of made_trial has four segments of 0.5 s, a pruned one has one.
FIRST = [made_trial(0, 2.5), made_trial(1), made_trial(2, 2.2), made_trial(3, 2.3)]
SECOND = [made_trial(0, 2.4), made_trial(1, 2.35)]


@pytest.fixture
def pair():
    """The studies ``a``, four trials in 6.5 s, and ``b``, two in 4 s, over another range of block_size."""
    narrow = {**SPACE, "block_size": Range(2, 3)}
    confirmation = made_confirmation({0: [2.4, 2.41], 1: [2.36, 2.38]}, [2.36, 2.4])
    return [
        Evidence(made_study(*FIRST, name="a")),
        Evidence(made_study(*SECOND, name="b", space=narrow), confirmation=confirmation),
    ]


def test_rows_are_what_a_hand_count_gives(pair):
    found = compare(pair)
    assert (found.trials, found.seconds) == (2, 4.0)
    a, b = found.rows.records
    assert (a["value"], a["trial"], a["trials"], a["complete"], a["seconds"]) == (2.2, 2, 4, 3, 6.5)
    assert (a["found_trials"], a["found_seconds"]) == (3, 4.5)
    assert (a["equal_trials"], a["equal_seconds"], a["certified"]) == (2.5, 2.5, None)
    assert (b["value"], b["equal_trials"], b["equal_seconds"]) == (2.35, 2.35, 2.35)
    assert b["certified"] == pytest.approx(2.38)


def test_spaces_are_split_into_what_is_shared_and_what_differs(pair):
    found = compare(pair)
    assert found.different == {"block_size": ["2 to 4", "2 to 3"]}
    assert found.same["num_steps"] == "40, 80"
    assert found.same["batch_size"] == "fixed at 32"
    assert found.warnings == []


def test_a_maximised_metric_is_best_at_its_highest():
    study = made_study(made_trial(0), made_trial(1, 0.2), made_trial(2, 0.5), made_trial(3, 0.4), name="up")
    study.identity["direction"] = MAXIMIZE
    assert progress_of(study).best == [None, 0.2, 0.5, 0.5]


def test_other_data_are_warned_of(pair):
    other = Evidence(made_study(*SECOND, name="b", data_sha256="1" * 64))
    text = FORMATS["text"](compare([pair[0], other]), None, False)
    assert "warning: the studies were trained on different data" in text


def test_a_study_without_a_result_has_empty_cells(pair):
    empty = Evidence(made_study(name="none", total_trials=5))
    found = compare([pair[0], empty])
    assert found.rows.records[1]["value"] is None
    assert (found.trials, found.rows.records[0]["equal_trials"]) == (0, None)
    assert "none" in FORMATS["text"](found, 80, False)
    assert "<h1>a and none</h1>" in comparison_page(found)


def test_every_format_has_the_same_numbers(pair):
    found = compare(pair)
    read = json.loads(FORMATS["json"](found, None, False))
    assert [row["dev_loss"] for row in read["studies"]] == [2.2, 2.35]
    assert read["different"] == {"block_size": {"a": "2 to 4", "b": "2 to 3"}}
    lines = list(csv.DictReader(io.StringIO(FORMATS["csv"](found, None, False))))
    assert [float(line["dev_loss"]) for line in lines] == [2.2, 2.35]
    for form in ("text", "markdown"):
        assert "2.2000" in FORMATS[form](found, None, False)
    text = FORMATS["text"](found, None, False)
    assert "block_size differs: a: 2 to 4; b: 2 to 3" in text
    assert max(map(len, FORMATS["text"](found, 60, False).splitlines())) <= 60


def test_the_figure_has_a_line_a_study_that_plotly_accepts(pair):
    found = compare(pair)
    figure = progress_figure(found, [each.seconds for each in found.progress]).to_plotly()
    assert [list(trace.x) for trace in figure.data] == [[2.0, 2.5, 4.5, 6.5], [2.0, 4.0]]
    assert [list(trace.y) for trace in figure.data] == [[2.5, 2.5, 2.2, 2.2], [2.4, 2.35]]


def test_a_hostile_name_is_text_on_the_page(pair):
    hostile = Evidence(made_study(*SECOND, name="<img src=x onerror=alert(1)>"))
    page = comparison_page(compare([pair[0], hostile]))
    assert "<img src=x" not in page


@dataclasses.dataclass(frozen=True)
class OtherMetric(type(made_study())):
    """A study that is judged by an accuracy."""

    @property
    def metric(self):
        return Metric(name="acc", label="accuracy", direction=MAXIMIZE)


def test_what_cannot_be_compared_is_refused_in_one_line(pair):
    study = made_study(name="other")
    fields = {field.name: getattr(study, field.name) for field in dataclasses.fields(study)}
    with pytest.raises(
        ConfigError, match=r"'a' and 'other' cannot be compared: .* name studies of one metric$"
    ):
        compare([pair[0], Evidence(OtherMetric(**fields))])
    for studies in ([], pair[:1], [pair[0], pair[0], pair[1]]):
        with pytest.raises(ConfigError, match="needs two or more different studies"):
            compare(studies)
