"""Trials in the offline files of Weights & Biases, read with wandb's own reader."""

import importlib
import json
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_study import _own_ledger
from tests.support.tracked_study import lay_out, rows, run_sweep

__all__ = ["_own_ledger"]  # a fixture

pytest.importorskip("wandb", reason="wandb is not installed: pip install wandb")


BLOCK = 32_768


def records(file: Path) -> list[Any]:
    """Return all records of an offline run: wandb's own messages in LevelDB's log format.

    After seven bytes come blocks of 32 KiB with parts of messages, each after its checksum, length and kind.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wandb's own imports
        kind = importlib.import_module("wandb.proto.wandb_internal_pb2").Record
    raw, at, message, found = file.read_bytes(), 7, b"", []
    while at + 7 <= len(raw):
        if BLOCK - at % BLOCK < 7:
            at += BLOCK - at % BLOCK
            continue
        _, length, part = struct.unpack("<IHB", raw[at : at + 7])
        message += raw[at + 7 : at + 7 + length]
        at += 7 + length
        if part in (1, 4):  # whole, or the last part
            found.append(kind())
            found[-1].ParseFromString(message)
            message = b""
    return found


def runs_in(folder: Path) -> dict[int, dict[str, Any]]:
    """Return trial -> what its run holds, each trial once."""
    runs: dict[int, dict[str, Any]] = {}
    for file in folder.glob("wandb/offline-run-*/run-*.wandb"):
        found = records(file)
        (run,) = [record.run for record in found if record.HasField("run")][:1]
        config = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in run.config.update}
        history = [
            {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }
            for record in found
            if record.HasField("history")
        ]
        summary = {
            item.key or "/".join(item.nested_key): json.loads(item.value_json)
            for record in found
            if record.HasField("summary")
            for item in record.summary.update
        }
        (end,) = [record.exit.exit_code for record in found if record.HasField("exit")]
        number = int(config["sweep"]["trial"])
        assert number not in runs
        runs[number] = {"run": run, "config": config, "history": history, "summary": summary, "exit": end}
    return runs


def test_a_run_is_logged_offline_and_continued_once(tmp_path: Path) -> None:
    """Parameters, values at each epoch, the final value, group and state are those of the study."""
    folder = lay_out(tmp_path / "work")
    done = run_sweep(folder, "run", "para.toml", "--workers", "1", "--track", "wandb")
    assert done.returncode == 0, done.stderr
    assert "wandb: 3 new runs in group 'para' in wandb, offline; `wandb sync wandb/" in done.stderr
    runs, table = runs_in(folder), rows(folder)
    assert runs.keys() == {0, 1, 2}
    for number, held in runs.items():
        x = table[number]["x"]
        assert (held["config"]["x"], held["config"]["epochs"]) == (x, 4)
        assert held["config"]["sweep"]["seed"] == str(held["config"]["seed"])
        assert (held["run"].run_group, held["run"].project) == ("para", "sweep")
        if number == 0:
            assert (held["exit"], list(held["run"].tags)) == (1, ["failed", "cpu"])
        else:
            assert (held["exit"], list(held["run"].tags)) == (0, ["complete", "cpu"])
            points = [(row["_step"], row["steps/loss"]) for row in held["history"]]
            assert points == [(n, pytest.approx((x - 0.3) ** 2 + 1 / n)) for n in range(1, 5)]
            assert held["summary"]["loss"] == table[number]["value"]
            assert held["summary"]["accuracy"] == 0.5
    more = run_sweep(folder, "run", "para.toml", "--trials", "4", "--workers", "1", "--track", "wandb")
    assert "wandb: 1 new run in " in more.stderr
    assert runs_in(folder).keys() == {0, 1, 2, 3}
    again = run_sweep(folder, "track", "para", "--to", "wandb")
    assert again.stdout.startswith("wandb: 0 new runs in ")
    assert len(runs_in(folder)) == 4
