"""Reports are read while a program writes them, and thinned without losing what is judged."""

import json
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import StorageError
from sweep.metric import DIRECTIONS, MINIMIZE, as_loss
from sweep.trainers.program.reports import Best, Pace, Report, ReportFile, Thinned, parse_report


@pytest.mark.parametrize(
    ("line", "step", "values"),
    [
        ('{"step": 3, "value": 0.5, "acc": 1}', 3, {"value": 0.5, "acc": 1.0}),
        ('{"value": -1e-05}', None, {"value": -1e-05}),
        (' {"step": null, "value": 2}\r', None, {"value": 2.0}),
        ('{"step": 4.0, "eval.rmse": 62000}', 4, {"eval.rmse": 62000.0}),
        ('{"step": 0, "value": Infinity, "a": "-Infinity"}', 0, {"value": math.inf, "a": -math.inf}),
        ('{"value": 1e999, "größe": 1}', None, {"value": math.inf, "größe": 1.0}),
    ],
)
def test_a_line_is_a_report(line: str, step: int | None, values: dict[str, float]) -> None:
    """Numbers by name, written by any language."""
    assert parse_report(line.encode(), 2.5) == Report(step=step, values=values, seconds=2.5)


def test_not_a_number_is_a_value() -> None:
    """Bare as Python and quoted as others write it; whether it counts is judged elsewhere."""
    values = parse_report(b'{"a": NaN, "b": "NaN"}').values
    assert math.isnan(values["a"])
    assert math.isnan(values["b"])


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("epoch 3", "must be one JSON object"),
        ("[1, 2]", "must be a JSON object"),
        ("3", "must be a JSON object"),
        ("[" * 100_000, "must be one JSON object"),
        ('{"step": 1}', "must have a value"),
        ('{"step": 1.5, "value": 1}', "step must be a whole number"),
        ('{"step": true, "value": 1}', "step must be a whole number"),
        ('{"step": -1, "value": 1}', "step must be a whole number"),
        ('{"step": "1", "value": 1}', "step must be a whole number"),
        ('{"step": NaN, "value": 1}', "step must be a whole number"),
        ('{"step": Infinity, "value": 1}', "step must be a whole number"),
        ('{"value": true}', "'value' must be a number"),
        ('{"value": null}', "'value' must be a number"),
        ('{"value": "0.5"}', "'value' must be a number"),
        ('{"value": [0.5]}', "'value' must be a number"),
        ('{"value": 1' + "0" * 400 + "}", "'value' must be a number"),
        ('{"value": 1' + "0" * 5000 + "}", "must be one JSON object"),
        ("\udcff\udcfe", "must be one JSON object"),
    ],
)
def test_a_line_that_is_no_report_is_refused(line: str, rule: str) -> None:
    """The text names the rule."""
    with pytest.raises(ValueError, match=rule):
        parse_report(line.encode("utf-8", "surrogateescape"))


def steps(reports: list[Report]) -> list[int | None]:
    return [report.step for report in reports]


def line(step: int) -> str:
    return json.dumps({"step": step, "value": step / 10}) + "\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reported.jsonl"


def test_a_file_is_read_while_it_grows(path: Path) -> None:
    """Missing, begun, within a line, complete without its last newline; each with its time of reading."""
    clock = iter(range(100))
    reader = ReportFile(path, lambda: next(clock))
    assert reader.read() == []
    text = line(1) + line(2) + line(3).rstrip("\n")
    found = []
    for end in range(0, len(text) + 1, 7):
        path.write_text(text[:end])
        found += reader.read()
    assert steps(found) == [1, 2]
    assert [report.values["value"] for report in found] == [0.1, 0.2]
    assert 0 < found[0].seconds < found[1].seconds
    path.write_text(text)
    assert steps(reader.close()) == [3]
    assert reader.close() == []
    assert (reader.refused, reader.first_mistake) == (0, None)


@pytest.mark.parametrize("seed", range(5))
def test_cuts_make_no_difference(path: Path, seed: int) -> None:
    """However a file with a fault, blank lines and long lines arrives, the same reports are read."""
    draw = random.Random(seed)  # noqa: S311  no secret
    lines = [line(n).encode() for n in range(3_000)]
    for odd in (b"\n", b"{}\n", b"\xff\xfe\n", b"x" * 70_000 + b"\n", b"\r\n", b"y" * 700_000 + b"\n"):
        lines.insert(draw.randrange(3_000), odd)
    content, found, place = b"".join(lines), [], 0
    reader = ReportFile(path, lambda: 0.0)
    with open(path, "wb", buffering=0) as file:
        while place < len(content):
            size = draw.choice([1, 50, 5_000, 100_000])
            file.write(content[place : place + size])
            place += size
            found += reader.read()
    found += reader.close()
    assert steps(found) == list(range(3_000))
    assert reader.refused == 4


def test_the_first_mistake_is_kept(path: Path) -> None:
    """Its rule and its beginning; all are counted, and the others are read."""
    path.write_text("loss: 0.5\n" + line(1) + '{"value": "high"}\n' + line(2))
    reader = ReportFile(path, lambda: 0.0)
    assert steps(reader.read()) == [1, 2]
    assert reader.refused == 2
    assert reader.first_mistake == "a report must be one JSON object on one line, got 'loss: 0.5'"


def test_a_file_without_newlines_does_not_fill_the_memory(path: Path) -> None:
    """Its one line is refused once; what comes after its end is read."""
    path.write_bytes(b"z" * 5_000_000)
    reader = ReportFile(path, lambda: 0.0)
    for _ in range(100):
        assert reader.read() == []
        assert len(reader._begun) <= 1 << 16
    with open(path, "a") as file:
        file.write("\n" + line(7))
    assert steps(reader.read()) == [7]
    assert reader.refused == 1


def test_a_file_that_is_written_anew_is_read_anew(path: Path) -> None:
    """A script that opens it with "w" at each report, and one that renames a new file over it."""
    reader = ReportFile(path, lambda: 0.0)
    path.write_text(line(1) + line(2))
    assert steps(reader.read()) == [1, 2]
    path.write_text(line(3))
    assert steps(reader.read()) == [3]
    other = path.with_name("other")
    other.write_text(line(4) + line(5))
    other.replace(path)
    assert steps(reader.read()) == [4, 5]


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    """The program owns the folder and could name any file."""
    (tmp_path / "secret").write_text(line(1))
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(StorageError, match="is a link"):
        ReportFile(path, lambda: 0.0).read()


def paced(reports: list[Report], rungs: list[int]) -> list[Report]:
    pace = Pace(rungs)
    return [due for report in reports for due in pace.add(report)] + pace.close()


@pytest.mark.parametrize("seed", range(20))
def test_the_pace_keeps_what_is_judged(seed: int) -> None:
    """The last report at or before each rung, the last of all, and one in each 50 ms, in their order."""
    draw = random.Random(seed)  # noqa: S311  no secret
    reports, step, seconds = [], 0, 0.0
    for _ in range(400):
        step, seconds = step + draw.choice([1, 1, 2, 40]), seconds + draw.choice([0.0, 0.001, 0.04, 0.3])
        reports.append(Report(step=step, values={"value": step}, seconds=seconds))
    rungs = sorted(draw.sample(range(1, step), 3))
    kept = steps(paced(reports, rungs))
    all_steps = [report.step or 0 for report in reports]
    assert kept == sorted(set(kept))
    assert set(kept) <= set(all_steps)
    assert kept[-1] == all_steps[-1]
    for rung in rungs:
        before = [step for step in all_steps if step <= rung]
        assert not before or before[-1] in kept
    assert len(kept) <= seconds / 0.05 + 2 * len(rungs) + 2
    at = {report.step: report.seconds for report in reports}
    for report in reports:  # none has to wait: something at most 50 ms older was handed on
        assert any(report.seconds - 0.05 <= at[step] <= report.seconds for step in kept)


def test_reports_without_a_step_are_counted_from_1() -> None:
    """Before they are thinned."""
    reports = [Report(step=None, values={"value": n}, seconds=n / 1000) for n in range(100)]
    kept = paced(reports, [10])
    assert [(report.step or 0) - 1 for report in kept] == [report.values["value"] for report in kept]
    assert {1, 10, 100} <= set(steps(kept))


@pytest.mark.parametrize("n", [0, 1, 5, 9, 10, 11, 12, 99, 12_345])
def test_lines_are_thinned_evenly(n: int) -> None:
    """At most ten, the first and the last among them, all others at equal distances."""
    thinned = Thinned(10)
    for number in range(n):
        thinned.add(str(number))
    kept = [int(line) for line in thinned.lines()]
    assert len(kept) == n if n < 10 else 5 <= len(kept) <= 10
    assert kept[:1] + kept[-1:] == ([0, n - 1] if n else [])
    assert {b - a for a, b in pairwise(kept[:-1])} <= {thinned.stride}
    assert thinned.seen == n


@given(values=st.lists(st.floats(width=16), min_size=1), direction=st.sampled_from(DIRECTIONS))
def test_the_best_value_is_the_best_finite_one(values: list[float], direction: str) -> None:
    """Wherever nan and infinities occur; of a stream without a finite value the last one is left."""
    best = Best(lambda value: as_loss(direction, value))
    for value in values:
        best.add(value)
    finite = [value for value in values if math.isfinite(value)]
    expected = (min if direction == MINIMIZE else max)(finite, default=values[-1])
    assert best.value == expected or (math.isnan(best.value) and math.isnan(expected))
