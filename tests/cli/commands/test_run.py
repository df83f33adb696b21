"""The command run: what it prints, stores and continues with."""

import contextlib
import hashlib
import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    SWEEP,
    Capture,
    complaint,
    start,
    wait_for_line,
)
from tests.support.small_study import (
    STUDY,
    environment,
    made_up_words,
    rows,
    write_words,
)
from tests.support.sweep_command import DEADLINE_S


def test_a_run_says_what_it_reads_and_does(trained: Path) -> None:
    """Progress on stderr holds the study, the words, the machine and one line a trial."""
    lines = (trained / "run.txt").read_text().splitlines()
    assert lines[0] == "study small: Six small models"
    assert lines[1].startswith("400 words, 400 distinct, 17 symbols, longest 8; examples ")
    assert re.fullmatch(r"memory: a worker needs about \d\.\d GB at most", lines[2])
    assert lines[3] == "0 of 6 trials done; training 6 more on 2 workers, device cpu, engine fused"
    trials = [line for line in lines if re.match(r"\d/6  trial ", line)]
    assert [line[:4] for line in trials] == ["1/6 ", "2/6 ", "3/6 ", "4/6 ", "5/6 ", "6/6 "]
    assert lines[-1].startswith("next: sweep confirm small | sweep report small | sweep lr-find small")


def test_json_lines_are_what_is_stored(trained: Path) -> None:
    """Each line of `run --json` is a finished trial, with the loss that the database holds bit for bit."""
    printed = [json.loads(line) for line in (trained / "run.jsonl").read_text().splitlines()]
    query = "SELECT number, value FROM trials JOIN trial_values USING (trial_id) ORDER BY number"
    with contextlib.closing(sqlite3.connect(trained / "studies" / "sweep.db")) as connection:
        stored = dict(connection.execute(query).fetchall())
    assert {line["trial"]: line["dev_loss"] for line in printed} == stored
    assert len(printed) == 6
    assert {line["state"] for line in printed} == {"complete"}


def test_a_finished_study_is_not_trained_again(small: Path, capsys: Capture) -> None:
    """The second run prints the stored table, says that nothing was trained, and changes nothing."""
    before = (small / "studies" / "sweep.db").read_bytes()
    assert main(["run", "studies/small.toml"]) == 0
    written = capsys.readouterr()
    assert "study 'small' is finished, 6 of 6 trials; nothing was trained" in written.err
    assert "data/words.txt: 400 words, 400 distinct" in written.out
    assert "6 of 6 trials done: 6 complete" in written.out
    advice = written.out.partition("\nAdvice\n")[2]
    assert re.search(r"counting \w+ characters? reaches \d\.\d{4}\s", advice)
    assert "(uniform 2.8332)" in " ".join(advice.split())
    assert (small / "studies" / "sweep.db").read_bytes() == before


def test_fewer_trials_than_stored_are_no_puzzle(small: Path, capsys: Capture) -> None:
    """`--trials` below what is stored trains nothing and says why."""
    assert main(["run", "small", "--trials", "3"]) == 0
    assert "6 trials where 3 are asked for; nothing was trained" in capsys.readouterr().err


def test_a_study_of_two_objectives_is_told_by_its_front(folder: Path, capsys: Capture) -> None:
    """The run ends with the front, the export says that it took the lowest loss, seconds are warned of."""
    text = (folder / "studies" / "small.toml").read_text().replace("trials = 6", "trials = 3")
    (folder / "studies" / "two.toml").write_text('objectives = ["dev_loss", "train_seconds"]\n' + text)
    assert main(["run", "studies/two.toml", "--workers", "1"]) == 0
    told = capsys.readouterr()
    assert "train_seconds are measured" in told.err
    assert re.search(r"Pareto front: [123] of 3 configurations", told.out)
    assert "hypervolume: " in told.out
    assert main(["table", "two", "--format", "json"]) == 0
    table = rows(capsys.readouterr().out)
    assert {row["front"] for row in table} >= {1}
    assert main(["export", "two"]) == 0
    told = capsys.readouterr()
    assert f"dev loss {min(row['dev_loss'] for row in table):.4f}" in told.out
    assert "chosen by dev_loss alone; --trial N exports" in told.err


def test_a_study_begins_with_another_ones_best_and_goes_on_by_its_name(small: Path, capsys: Capture) -> None:
    """The first trial is the best of ``small`` again; neither its file nor ``small`` is needed afterwards."""
    main(["table", "small", "--format", "json"])
    best = rows(capsys.readouterr().out)[0]
    command = ["run", "studies/small.toml", "--from", "small", "--workers", "1", "--trials", "1"]
    assert main(command) == 0
    capsys.readouterr()
    main(["table", "small--from-small", "--format", "json"])
    (first,) = rows(capsys.readouterr().out)
    assert [first[name] for name in ("block_size", "hidden_neurons", "num_steps")] == [
        best[name] for name in ("block_size", "hidden_neurons", "num_steps")
    ]
    main(["delete", "small", "--yes"])
    for again in (command, ["run", "small--from-small", "--trials", "1"]):
        assert main(again) == 0
        assert "is finished, 1 of 1 trials" in capsys.readouterr().err


def test_another_list_makes_another_study(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--words FILE --as NAME` trains NAME@hash8, in the database that SWEEP_STORAGE or --storage names."""
    path = write_words(folder / "other.txt", made_up_words(60, seed=3))
    tiny = ("--trials", "1", "--workers", "1", "--words", "other.txt", "--as", "mine")
    monkeypatch.setenv("SWEEP_STORAGE", "sqlite:///one.db")
    assert main(["run", "studies/small.toml", *tiny]) == 0
    told = capsys.readouterr()
    name = f"mine@{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
    assert f"study {name}: Six small models" in told.err
    assert "other.txt: 60 words" in told.out
    assert "stored in one.db" in told.out
    assert (folder / "one.db").exists()
    assert not (folder / "studies" / "sweep.db").exists()
    monkeypatch.setenv("SWEEP_STORAGE", "sqlite:///two.db")
    assert main(["list", "--storage", "sqlite:///one.db"]) == 0
    assert capsys.readouterr().out.split()[0] == name
    assert main(["export", name, "--storage", "sqlite:///one.db", "-o", "best.toml"]) == 0
    assert 'words = "other.txt"' in (folder / "best.toml").read_text()


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbf%s", b"%s"])
def test_a_list_from_another_editor_is_read(raw: bytes, folder: Path, capsys: Capture) -> None:
    """A byte order mark and CRLF line ends are no part of the words."""
    (folder / "dos.txt").write_bytes(raw % "\r\n".join(made_up_words()).encode())
    assert main(["run", "studies/small.toml", "--words", "dos.txt", "--device", "cuda:7"]) == 1
    assert "device cuda:7 is not present" in complaint(capsys)  # the list was read before the device


@pytest.mark.parametrize("joined", ["--json 2>log", "2>&1"])
def test_a_run_whose_output_nobody_reads_stops_as_if_told_to(joined: str, folder: Path) -> None:
    """Status 141, as for a signal; what ran is stored and waits, and the log says so where there is one."""
    pipe = f"{SWEEP} run small --trials 400 --workers 1 {joined} | head -4; exit ${{PIPESTATUS[0]}}"
    run = ["bash", "-c", pipe]
    ended = subprocess.run(
        run, cwd=folder, env=environment(), capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (141, b"")
    if "log" in joined:
        assert "the reader of the output has closed it" in (folder / "log").read_text()
    told = subprocess.run(
        [sys.executable, "-m", "sweep", "table", "small", "--format", "json"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert {row["state"] for row in json.loads(told.stdout)} <= {"complete", "waiting"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_study_that_goes_on(number: signal.Signals, status: int, folder: Path) -> None:
    """Ctrl-C and SIGTERM end a run with their own status and a word on how to go on."""
    (folder / "studies" / "small.toml").write_text(STUDY.replace("num_steps = ", "# num_steps = "))
    run = start(folder, "run", "small", "--trials", "500", "--workers", "1")
    wait_for_line(run, "trial ")
    run.send_signal(number)
    out, complaints = run.communicate(timeout=DEADLINE_S)
    assert run.returncode == status
    assert re.search(r"interrupted: \d+ of 500 trials done, the running ones are stored", complaints)
    assert "Traceback" not in complaints
    assert "of 500 trials done" in out


IGNORING = {
    "nohup": (["nohup"], signal.SIGHUP),
    "trap": (["sh", "-c", "trap '' INT TERM; exec \"$@\"", "sh"], signal.SIGINT),
    "trap TERM": (["sh", "-c", "trap '' INT TERM; exec \"$@\"", "sh"], signal.SIGTERM),
}
"""How a command is started -> the beginning of its line, and a signal that it then ignores."""


@pytest.mark.parametrize("way", IGNORING)
def test_a_run_ignores_what_it_was_started_to_ignore(way: str, folder: Path) -> None:
    """So ``nohup`` keeps a hang-up, and a script the Ctrl-C of its terminal, from a run in the background."""
    beginning, number = IGNORING[way]
    run = start(folder, "run", "small", "--trials", "30", "--workers", "1", beginning=beginning)
    wait_for_line(run, "trial ")
    run.send_signal(number)
    _, complaints = run.communicate(timeout=DEADLINE_S)
    assert run.returncode == 0, complaints
    assert "30/30  trial " in complaints
    assert "interrupted" not in complaints


def test_a_timeout_ends_with_0_and_says_so(folder: Path, capsys: Capture) -> None:
    """A run that reached its timeout is no fault: what is done is shown, and how to go on."""
    assert main(["run", "small", "--trials", "500", "--timeout", "0.1s", "--workers", "1"]) == 0
    told = capsys.readouterr().err
    assert "the timeout was reached: " in told
    assert "run the same command to resume" in told
