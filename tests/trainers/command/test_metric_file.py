"""Figures in a file that a command wrote."""

import json
import os
import time
from pathlib import Path

import pytest

from sweep.errors import DataError, StudyFileError
from sweep.trainers.command.metric_file import MetricFile, parse_metric_file, read_metric_file


def read(
    folder: Path, spec: str, content: str | None, *metrics: str, started: float = 0.0
) -> dict[str, float]:
    file = parse_metric_file(spec)
    if content is not None:
        (folder / file.path).write_text(content, encoding="utf-8")
    return read_metric_file(file, folder, metrics, started=started)


def refusal(folder: Path, spec: str, content: str | None, *metrics: str) -> str:
    with pytest.raises(DataError) as error:
        read(folder, spec, content, *metrics)
    [line] = error.value.lines
    assert "\n" not in line
    return line


LIGHTNING = "epoch,step,train_loss,val_acc\n0,9,0.5,\n0,9,,0.75\n1,19,0.4,\n1,19,,0.875\n2,29,0.3,\n"


@pytest.mark.parametrize(
    ("spec", "content", "metric", "value"),
    [
        ("metrics.json", '{"eval": {"rmse": 62000.5}}', "eval.rmse", 62000.5),
        ("metrics.json", '{"eval.rmse": 0.5}', "eval.rmse", 0.5),
        ("metrics.json", '\ufeff{"acc": "0.5"}', "acc", 0.5),
        ("m.jsonl", '{"acc": 0.1}\n\n{"acc": 0.2}\n{"other": 1}\n', "acc", 0.2),
        ("log.csv", LIGHTNING, "val_acc", 0.875),
        ("log.csv:val_acc", LIGHTNING, "val_acc", 0.875),
        ("log.csv:train_loss", LIGHTNING, "loss", 0.3),
        ("log.csv:a:b c", '"a:b c", x\n1, 2\n3, 4', "m", 3.0),
        ("log.tsv:acc", "epoch\tacc\n1\t0.5\n2\t1e-3\n", "acc", 0.001),
        ("log.csv", 'note,acc\n"a\nb",0.25\n', "acc", 0.25),
    ],
)
def test_figure_of_a_file(tmp_path: Path, spec: str, content: str, metric: str, value: float) -> None:
    """A key, a path of keys, the last line, the last cell of a column."""
    assert read(tmp_path, spec, content, metric) == {metric: value}


def test_other_metrics_come_along(tmp_path: Path) -> None:
    """Figures for ``feasible`` are read where they are."""
    found = read(tmp_path, "m.json", '{"acc": 0.5, "ms": 12, "x": 1}', "acc", "ms", "gone")
    assert found == {"acc": 0.5, "ms": 12.0}


@pytest.mark.parametrize(
    "spec", ["", 3, None, ["m.json"], "m.txt", "m", "m.json:acc", "log.csv:", "a\0.json"]
)
def test_key_is_refused(spec: object) -> None:
    """One line with the key, the value and the rule."""
    with pytest.raises(StudyFileError, match="metric_file must") as error:
        parse_metric_file(spec)
    assert repr(spec) in str(error.value)


@pytest.mark.parametrize(
    ("spec", "content", "line"),
    [
        ("m.json", None, "metric_file m.json was not written"),
        (
            "m.json",
            '{"accuracy": 1, "b": {"c": 2}}',
            "metric_file m.json has no number 'acc'; it has accuracy, b.c",
        ),
        ("m.json", '{"Acc": 1}', "metric_file m.json has no number 'acc'; did you mean Acc? it has Acc"),
        ("m.json", '{"acc": "high"}', "metric_file m.json has no number 'acc'; it has no numbers"),
        ("m.json", '{"acc": true}', "metric_file m.json has no number 'acc'; it has no numbers"),
        ("m.json", '{"acc": "1,234.5"}', "metric_file m.json has no number 'acc'; it has no numbers"),
        ("m.json", "[1]", "metric_file m.json cannot be read: it is JSON, but not an object"),
        (
            "m.csv:y",
            "acc\n1\n",
            "metric_file m.csv cannot be read: column 'y' has no number at its end; it has acc",
        ),
        (
            "m.csv:ACC",
            "acc\n1\n",
            "metric_file m.csv cannot be read: column 'ACC' has no number at its end; "
            "did you mean acc? it has acc",
        ),
        ("m.csv", "", "metric_file m.csv has no number 'acc'; it has no numbers"),
        ("m.csv", "acc\n0.5\nfailed\n", "metric_file m.csv has no number 'acc'; it has no numbers"),
    ],
)
def test_fault_of_a_trial(tmp_path: Path, spec: str, content: str | None, line: str) -> None:
    """One line says what is wrong, and what is there instead."""
    assert refusal(tmp_path, spec, content, "acc") == line


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    """A program that was killed while it wrote left no result."""
    assert "cannot be read: " in refusal(tmp_path, "m.json", '{"acc": 0.', "acc")
    assert "cannot be read: " in refusal(tmp_path, "m.json", '{"a":' * 100_000, "acc")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """No link is followed, no pipe waited for, no folder read."""
    (tmp_path / "real.json").write_text('{"acc": 1}')
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    assert "is a link" in refusal(tmp_path, "link.json", None, "acc")
    assert "not of the kind" in refusal(tmp_path, "pipe.json", None, "acc")
    assert "not of the kind" in refusal(tmp_path, "folder.json", None, "acc")


class TestOutside:
    def test_where_a_file_lies(self, tmp_path: Path) -> None:
        """Below the trial's folder, or not."""
        places = {
            "m.json": False,
            "a/m.json": False,
            "a/../m.json": False,
            "../m.json": True,
            "/m.json": True,
        }
        assert {path: MetricFile(path).is_outside(tmp_path) for path in places} == places

    def test_a_file_of_an_earlier_trial_does_not_count(self, tmp_path: Path) -> None:
        """Outside the folder only what this trial wrote is its result."""
        folder, shared = tmp_path / "trial", tmp_path / "m.json"
        folder.mkdir()
        shared.write_text(json.dumps({"acc": 0.5}))
        now = time.time()
        os.utime(shared, (now - 60, now - 60))
        file = parse_metric_file(str(shared))
        with pytest.raises(DataError, match="was last written before this trial started"):
            read_metric_file(file, folder, ["acc"], started=now)
        os.utime(shared, (now + 1, now + 1))
        assert read_metric_file(file, folder, ["acc"], started=now) == {"acc": 0.5}
