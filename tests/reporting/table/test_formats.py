import csv
import io
import json
import re

import pytest
from rich.cells import cell_len

from sweep.definition.ranking import rank_trials
from sweep.reporting.table.formats import FORMATS
from sweep.reporting.table.listing import Listing
from sweep.reporting.table.text_table import drop_order
from sweep.trainers.mlp.trainer import MLP
from tests.support.study_records import study, trial

HOSTILE = "\x1b[2J\x07<img src=x onerror=alert(1)> | a\r\nb [red]\u202e\ud800 =cmd"


def write(name, record, top=None, **terminal):
    return FORMATS[name](Listing(rank_trials(record), record, top, **terminal))


def with_units(number, units, dev_loss=None, **changes):
    return trial(number, dev_loss, params={"hidden_neurons": units}, **changes)


@pytest.fixture
def record():
    """Four ranked configurations, the first with two replicates, and three trials without a loss."""
    return study(
        with_units(0, 200, 2.16),
        with_units(1, 200, 2.18),
        with_units(2, 1_500, 2.3),
        with_units(3, 20, 2.4),
        with_units(4, 10, 2.5),
        with_units(5, 5, state="pruned", reason="at 30 %: 2.91 is above 2.5"),
        with_units(6, 6, state="pruned", reason="at 10 %: 3.1 is above 2.9"),
        with_units(7, 7, state="failed", reason="the worker died three times"),
        listed=[{"hidden_neurons": 20}],
        logged=(2.38,),
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("top", [None, 1, 2, 100])
def test_every_format_writes_every_study(name, top, record):
    """Full, empty and without any complete trial; never a NaN, None, or newline at the end."""
    for case in (record, study(), study(trial(0, state="running")), study(trial(0, 2.5))):
        text = write(name, case, top)
        assert not re.search(r"\b(nan|inf|None)\b", text, re.IGNORECASE)
        assert not text.endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_steers_neither_terminal_nor_reader(name):
    record = study(
        trial(0, 2.5, params={"schedule": HOSTILE}),
        trial(1, params={"schedule": HOSTILE}, state="failed", reason=HOSTILE),
        search=("schedule",),
        goal=HOSTILE,
    )
    text = write(name, record)
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", text)
    text.encode("utf-8")


class TestText:
    def test_shows_rank_knobs_loss_spread_and_facts(self, record):
        lines = write("text", record).splitlines()
        best = next(line for line in lines if line.lstrip().startswith("1 "))
        assert best.split() == [
            *("1", "3", "200", "10", "200,000", "32", "2.1700", "0.0141", "2"),
            *("11,897", "6.4M", "10.0", "0"),
        ]
        assert any(line.startswith("spread: sample standard deviation") for line in lines)

    def test_logged_loss_and_difference_stand_in_the_row(self, record):
        assert re.search(r"2\.4000 +1 +2\.3800 +\+0\.0200", write("text", record))

    def test_without_replicates_there_is_no_spread(self):
        text = write("text", study(trial(0, 2.5)))
        assert "spread" not in text
        assert "logged" not in text

    def test_blocks_follow_with_their_reasons(self, record):
        text = write("text", record)
        places = [
            text.index(word) for word in ("2.5000", "pruned  2 trials", "30 %", "failed  1 trial", "died")
        ]
        assert places == sorted(places)

    @pytest.mark.parametrize("term", ["dumb", "unknown", "xterm", ""])
    @pytest.mark.parametrize("colour", [False, True])
    @pytest.mark.parametrize("width", [None, 200, 80, 40, 20, 5])
    def test_a_number_is_shown_whole_or_its_column_is_left_out(self, width, colour, term, monkeypatch):
        """Whatever the terminal is called and however wide it is, in the ranked rows and in the blocks."""
        monkeypatch.setenv("TERM", term)
        knobs = [{"hidden_neurons": 43_210, "learning_rate": 0.12345 + k} for k in range(4)]
        trials = [trial(k, 2.5 + k, params=knobs[k]) for k in range(3)]
        failed = trial(1_234_567, params=knobs[3], state="failed", reason="the worker died")
        text = write("text", study(*trials, failed, search=tuple(knobs[0])), width=width, colour=colour)
        words = re.sub(r"\x1b\[[0-9;]*m", "", text).split()
        assert {"2.5000", "3.5000", "4.5000", "1,234,567"} <= set(words)
        for start, whole in (("43", "43,210"), ("0.1", "0.1235")):
            assert {word for word in words if word.startswith(start)} <= {whole}
        if width is None or width >= 80:
            assert words.count("43,210") == 4

    @pytest.mark.parametrize("width", [200, 120, 80, 60, 40, 32])
    def test_fits_the_terminal_and_cuts_nothing(self, width, record):
        lines = write("text", record, width=width).splitlines()
        assert max(map(cell_len, lines)) <= width
        text = "\n".join(lines)
        assert "…" not in text
        assert all(loss in text for loss in ("2.1700", "2.3000", "2.4000", "2.5000"))

    def test_a_narrow_terminal_does_without_columns_in_the_stated_order(self, record):
        def left_out(width):
            text = " ".join(write("text", record, width=width).split())
            match = re.search(rf"left out at {width} columns: ([a-z_, ]*?)(?= pruned)", text)
            return match[1].split(", ") if match else []

        assert left_out(120) == []
        order = [name for name in drop_order(record) if name not in MLP.shown or name != "hidden_neurons"]
        for width in (90, 80, 70, 60, 50):
            gone = left_out(width)
            assert gone == order[: len(gone)]
        assert left_out(60)

    def test_what_is_never_left_out_is_written_however_narrow(self, record):
        text = write("text", record, width=5)
        assert "2.1700" in text
        assert "…" not in text

    def test_a_pipe_gets_all_columns_on_single_lines(self, record):
        long = study(*record.trials, with_units(9, 9, state="failed", reason="word " * 200 + "end"))
        text = write("text", long, width=None)
        assert "left out" not in text
        assert ("word " * 200 + "end") in text

    def test_top_cuts_ranked_rows_and_counts_the_others(self, record):
        text = write("text", record, top=2)
        assert "2.3000" in text
        assert "2.4000" not in text
        assert "The best 2 of 4 configurations." in text
        assert "pruned  2 trials" in text
        assert "at 30 %" not in text

    def test_colour_only_where_it_is_asked_for(self, record, monkeypatch):
        monkeypatch.setenv("FORCE_COLOR", "1")
        plain, coloured = write("text", record), write("text", record, colour=True, width=100)
        assert "\x1b" not in plain
        assert "\x1b[" in coloured
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == write("text", record, width=100).split()

    def test_brackets_are_text_not_markup(self):
        assert "[bold]:smile:" in write("text", study(trial(0, 2.5), goal="[bold]:smile:"))

    def test_wide_characters_keep_the_width(self):
        record = study(trial(0, 2.5, params={"schedule": "学習率"}), search=("schedule",))
        lines = write("text", record, width=80).splitlines()
        row = next(line for line in lines if "学習率" in line)
        rule = next(line for line in lines if "─" in line)
        assert cell_len(row) == cell_len(rule)

    def test_no_complete_trial_is_said(self):
        text = write("text", study(trial(0, state="running"), total_trials=3))
        assert "No trial is complete yet." in text
        assert "0 of 3 trials done: 1 running" in text


class TestMarkdown:
    def test_is_a_github_table(self, record):
        ranked, others = write("markdown", record).split("\n\n")
        head, rule, first, *_ = ranked.splitlines()
        assert head.startswith(
            "| # | block size | hidden neurons | embed dim | steps | batch size | dev loss | spread |"
        )
        assert re.fullmatch(r"\|( --: \|)+", rule)
        cells = "1 | 3 | 200 | 10 | 200,000 | 32 | 2.1700 | 0.0141 | 2 |  |  | 11,897 | 6,400,000 | 10.0 | 0"
        assert first == f"| {cells} |"
        assert len(others.splitlines()) == 2 + 3

    def test_pipes_and_markup_are_escaped(self):
        record = study(trial(0, state="failed", reason="a|b <script> *x* `y` \\| [z](u)\nnext"))
        line = write("markdown", record).splitlines()[-1]
        assert r"a\|b &lt;script&gt; \*x\* \`y\` \\\| \[z\](u)\\nnext" in line
        assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 9


class TestCsv:
    def test_reads_back_to_the_rows(self, record):
        read = list(csv.DictReader(io.StringIO(write("csv", record))))
        rows = rank_trials(record).records
        assert [row["trial"] for row in read] == ["0", "2", "3", "4", "5", "6", "7"]
        assert [float(row["dev_loss"]) for row in read[:4]] == [row["value"] for row in rows[:4]]
        assert read[0]["seeds"] == "1000 1001"
        assert read[0]["num_steps"] == "200000"
        assert read[4]["rank"] == read[4]["dev_loss"] == ""

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\uff1d"])
    def test_formulas_are_defused(self, start):
        text = write("csv", study(trial(0, state="failed", reason=f"{start}HYPERLINK(1)")))
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
        escaped = {"\t": "\\t", "\r": "\\r"}.get(start, start)
        assert row["reason"] == f"'{escaped}HYPERLINK(1)"

    def test_negative_numbers_stay_numbers(self):
        record = study(trial(0, 2.0), listed=[{"hidden_neurons": 200}], logged=(2.5,))
        (row,) = csv.DictReader(io.StringIO(write("csv", record)))
        assert row["diff"] == "-0.5"


class TestJson:
    def test_is_a_list_of_rows_with_null(self, record):
        rows = json.loads(write("json", record), parse_constant=pytest.fail)
        assert len(rows) == 7
        assert list(rows[0])[:4] == ["rank", "trial", "trials", "state"]
        assert rows[0]["seeds"] == [1000, 1001]
        assert rows[1]["dev_loss_sd"] is None
        assert rows[2]["diff"] == pytest.approx(0.02)
        assert rows[6] | {"rank": None, "state": "failed", "n": 0, "dev_loss": None} == rows[6]

    def test_an_empty_study_is_an_empty_list(self):
        assert json.loads(write("json", study())) == []


class TestLog:
    def test_is_blocks_of_lines(self, record):
        blocks = write("log", record).split("\n\n")
        assert blocks[1].splitlines() == [
            *("block_size = 3", "hidden_neurons = 1500", "embedding_dim = 10", "num_steps = 200000"),
            *("batch_size = 32", "dev_loss = 2.3000"),
        ]
        assert blocks[0].splitlines()[-2:] == ["dev_loss_sd = 0.01414", "n = 2"]
        assert blocks[-1].splitlines()[-2:] == ["state = failed", "reason = the worker died three times"]


@pytest.mark.parametrize(("name", "separator"), [("csv", "\n"), ("log", "\n\n")])
def test_top_leaves_the_other_blocks_out(name, separator, record):
    header = name == "csv"
    assert len(write(name, record, top=2).split(separator)) == 2 + header
    assert "pruned" not in write(name, record, top=100)


def test_top_leaves_the_other_blocks_out_of_json_and_markdown(record):
    assert [row["rank"] for row in json.loads(write("json", record, top=3))] == [1, 2, 3]
    assert len(write("markdown", record, top=1).splitlines()) == 3


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("text", r"200 +2\.1000"),
        ("markdown", r"\| 200 \| .* \|  \| 2\.1000 \|"),
        ("csv", r",,2\.1,"),
        ("json", r'"decay_at": null'),
        ("log", r"(?s)^(?!.*decay_at = 0.5).*hidden_neurons = 200"),
    ],
)
def test_an_inactive_hyperparameter_has_an_empty_cell(form, expected):
    """Its default was not searched, so it does not read as a value of the search."""
    params = {"hidden_neurons": 200, "decay_at": 0.25}
    record = study(
        trial(0, 2.1),
        trial(1, 2.2, params=params),
        search=("hidden_neurons", "decay_at"),
        inactive={"decay_at": 0.5},
    )
    written = write(form, record)
    assert re.search(expected, written) if form != "text" else "0.5" not in written
    assert "0.25" in written
