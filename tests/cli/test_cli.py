"""The command line: what a user types, reads, and gets as exit status."""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import file_modes
import pytest
from small_study import (
    REPOSITORY,
    STUDY,
    _own_ledger,
    environment,
    lay_out,
    made_up_words,
    rows,
    small,
    sweep,
    trained,
    write_words,
)
from sweep_command import DEADLINE_S

from sweep import __version__
from sweep.cli import main
from sweep.cli.arguments import make_parser, parse_arguments
from sweep.cli.commands.common import database_options
from sweep.cli.workspace import STARTER_FILES
from sweep.reporting.table.formats import FORMATS
from sweep.storage.database import Database

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

Capture = pytest.CaptureFixture[str]

SWEEP = f"{shlex.quote(sys.executable)} -m sweep"
"""The command as a shell reads it."""
HEAVY = {"torch", "optuna", "pandas", "plotly", "numpy", "numba"}


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return each command's parser."""
    action = next(a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with words and a study file, where nothing was run yet; the working directory."""
    path = lay_out(tmp_path / "fresh")
    monkeypatch.chdir(path)
    return path


def complaint(capsys: Capture) -> str:
    """Return the one line on stderr that says what is wrong; nothing else may be written."""
    written = capsys.readouterr()
    assert written.out == ""
    lines = written.err.splitlines()
    assert len(lines) == 1, written.err
    assert lines[0].startswith("sweep: ")
    return lines[0]


def exported(capsys: Capture, *arguments: str) -> str:
    """Export the best trial of ``small``, or another, and return the file's path."""
    path = "reports/small/best.toml"
    assert main(["export", "small", "--force", "-o", path, *arguments]) == 0
    capsys.readouterr()
    return path


# Help and usage.


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`sweep --help` answers at once, since it loads no numerical library."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sweep", "--help"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    imported = {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")
    }
    assert "sweep.cli" in imported
    assert not {name for name in imported if name.partition(".")[0] in HEAVY | {"sqlalchemy", "rich"}}
    assert "COMMAND" in done.stdout


@pytest.mark.parametrize("name", commands())
def test_every_command_shows_an_example(name: str, capsys: Capture) -> None:
    """A command's help holds a line to copy, and that line is accepted by the command's own parser."""
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    example = text.partition("Example: sweep ")[2]
    assert make_parser().parse_args(example.split()).command == name


def test_version_is_told(capsys: Capture) -> None:
    """`sweep --version` names the version."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"sweep {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["frob"], "sweep: error: unknown command frob; `sweep --help` lists what there is"),
        (["rnu", "x.toml"], "sweep: error: unknown command rnu; did you mean run?"),
        (
            ["run", "--trails", "5", "x.toml"],
            "sweep run: error: unknown option --trails; did you mean --trials?",
        ),
        (["copy", "small", "--too=x.db"], "sweep copy: error: unknown option --too; did you mean --to?"),
        (["table", "small", "--xyz"], "unknown option --xyz; `sweep table --help` lists what there is"),
        (["table", "small", "-x"], "sweep table: error: unknown option -x"),
        (["table", "small", "other"], "sweep table: error: unexpected argument other"),
        (["list", "--st\x1b[1m"], "unknown option '--st\\x1b[1m'"),
        (["table"], "required: STUDY"),
        (["table", "small", "--format", "xml"], "invalid choice: 'xml'"),
        (["run", "x.toml", "--trials", "0"], "argument --trials: must be 1 or more, got 0"),
        (["run", "x.toml", "--workers", "two"], "argument --workers: must be a whole number, got 'two'"),
        (["replay", "small", "--trial", "-1"], "argument --trial: must be 0 or more, got -1"),
        (["dashboard", "--port", "99999"], "argument --port: must be from 0 to 65535, got 99999"),
        (["dashboard", "--port", "http"], "argument --port: must be a whole number, got 'http'"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str, capsys: Capture) -> None:
    """What is typed wrong is told with the usage, in words and not in Python."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert message in written.err
    if arguments and arguments[0] in commands():
        assert written.err.startswith(f"usage: sweep {arguments[0]} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "x.toml", "-n5"],
        ["run", "small", "--tri", "5"],
        ["test", "x.toml", "--again", "-1"],
        ["test", "x.toml", "--again", "--as I said"],
        ["table", "--", "--small"],
        ["plot", "small", "history", "-ox.html"],
    ],
)
def test_what_argparse_takes_is_taken(arguments: list[str]) -> None:
    """Options that are shortened or written together, and words that only look like options."""
    assert parse_arguments(arguments) == make_parser().parse_args(arguments)


# A run and its table.


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


def test_advice_stands_below_a_text_table_only(small: Path, capsys: Capture) -> None:
    """After a run the notes are stored, so the table says the same; the other formats hold rows alone."""
    assert main(["table", "small", "--advice"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"\n\nAdvice\n\* .*counting \w+ character", text)
    assert max(map(len, text.partition("Advice")[2].splitlines())) <= 80
    for form in ("markdown", "csv", "json", "log"):
        assert main(["table", "small", "--format", form, "--advice"]) == 0
        assert "Advice" not in capsys.readouterr().out


def test_fewer_trials_than_stored_are_no_puzzle(small: Path, capsys: Capture) -> None:
    """`--trials` below what is stored trains nothing and says why."""
    assert main(["run", "small", "--trials", "3"]) == 0
    assert "6 trials where 3 are asked for; nothing was trained" in capsys.readouterr().err


def test_table_in_every_format(small: Path, capsys: Capture) -> None:
    """Text, markdown, CSV, JSON and log tell the same six losses, best first."""
    assert main(["table", "small", "--format", "json"]) == 0
    losses = [row["dev_loss"] for row in rows(capsys.readouterr().out)]
    assert losses == sorted(losses)
    assert len(losses) == 6

    assert main(["table", "small", "--format", "csv"]) == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(record["dev_loss"]) for record in records] == losses

    rounded = [f"{loss:.4f}" for loss in losses]
    for form in ("text", "markdown", "log"):
        assert main(["table", "small", "--format", form]) == 0
        written = capsys.readouterr()
        table = written.out.partition("\nAdvice\n")[0]
        found = [cell for cell in re.findall(r"\b\d\.\d{4}\b", table) if cell in rounded]
        assert found == rounded, form
        assert ("next: sweep confirm small" in written.err) == (form == "text")


def hints(capsys: Capture, name: str) -> list[str]:
    """Return how the table and the report say to go on with a study."""
    capsys.readouterr()
    found = []
    for command in ("table", "report"):
        assert main([command, name]) == 0
        found.append(capsys.readouterr().err.splitlines()[-1].rpartition("sweep ")[2])
    return found


def test_the_next_command_is_the_one_that_goes_on(small: Path, capsys: Capture) -> None:
    """Run where nothing has a loss yet, then confirm, then export."""
    assert main(["run", "small", "--as", "lost", "--trials", "1", "--set", "fixed.learning_rate=1e9"]) == 0
    assert hints(capsys, "lost") == ["run lost", "run lost"]
    assert hints(capsys, "small") == ["confirm small", "confirm small"]
    assert main(["confirm", "small", "--top", "2", "--seeds", "2", "--certify", "2"]) == 0
    assert hints(capsys, "small") == ["export small", "export small"]


def test_table_takes_a_study_file_and_a_top(small: Path, capsys: Capture) -> None:
    """The .toml stands for its study, and `--top 2` shows two rows and says of how many."""
    assert main(["table", "studies/small.toml", "--top", "2"]) == 0
    out = capsys.readouterr().out
    assert "The best 2 of 6 configurations." in out
    assert len(re.findall(r"^\d  ", out, re.MULTILINE)) == 2


def test_a_pipe_gets_no_colour_and_a_terminal_does(small: Path) -> None:
    """A pipe gets plain text, a terminal colours unless NO_COLOR is set, within its width."""
    piped = sweep(small, "table", "small").stdout
    assert "\x1b" not in piped
    coloured = in_terminal(small, ["table", "small"], columns=80)
    assert "\x1b[" in coloured
    narrow = in_terminal(small, ["table", "small"], columns=50, NO_COLOR="1")
    assert "\x1b[" not in narrow
    assert max(map(len, narrow.splitlines())) <= 50
    assert "left out at 50 columns: " in narrow


def test_plot_lists_its_figures_and_writes_one(small: Path, capsys: Capture) -> None:
    """Without a name each figure is named with how to read it; with one it is a page in the reports."""
    assert main(["plot", "small"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert "history" in listed
    assert any(line.startswith("    Each dot is a trial") for line in listed)
    assert max(map(len, listed)) <= 80
    assert main(["plot", "studies/small.toml", "history"]) == 0
    written = capsys.readouterr()
    assert written.out == "wrote reports/small/history.html\n"
    assert written.err.startswith("next: ")
    assert "Plotly" in Path("reports/small/history.html").read_text()
    assert main(["plot", "small", "lr-finder"]) == 1
    assert "no range test yet; `sweep lr-find" in complaint(capsys)


def test_list_names_the_studies(small: Path, capsys: Capture) -> None:
    """`list` says how far each study is and its best loss."""
    assert main(["table", "small", "--format", "json"]) == 0
    best = rows(capsys.readouterr().out)[0]["dev_loss"]
    assert main(["list"]) == 0
    written = capsys.readouterr()
    words = written.out.split()
    assert words == ["small", "6", "of", "6", "trials", "best", f"{best:.4f}", "Six", "small", "models"]
    assert written.err == "next: sweep table STUDY\n"


def test_a_closed_pipe_is_no_fault(small: Path) -> None:
    """`sweep table small | head -1` prints one line, ends with 0 and complains of nothing."""
    reader, writer = os.pipe()
    table = subprocess.Popen(
        [sys.executable, "-m", "sweep", "table", "small"],
        cwd=small,
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(reader)  # nobody reads, so the first write fails
    os.close(writer)
    _, complaints = table.communicate(timeout=DEADLINE_S)
    assert table.returncode == 0
    assert "Error" not in complaints
    assert "Traceback" not in complaints

    pipe = f"{SWEEP} table small | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", pipe],
        cwd=small,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout == "small: Six small models\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_told(small: Path) -> None:
    """Where stdout cannot be written, one line says so and the status is 3."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sweep", "list"],
            cwd=small,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "sweep: the output: No space left on device"
    assert "Exception" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("command", ["table small", "list", *(f"table small --format {f}" for f in FORMATS)])
def test_no_letter_is_lost_in_another_encoding(
    command: str, encoding: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an encoding lacks is written as its escape, so two words stay two words; nothing becomes '?'."""
    database = sqlite3.connect(small / "studies" / "sweep.db")
    with contextlib.closing(database), database:
        attribute = ('"Ł and ż"', "goal")
        database.execute("UPDATE study_user_attributes SET value_json = ? WHERE key = ?", attribute)
    written = io.BytesIO()
    with io.TextIOWrapper(written, encoding=encoding, write_through=True) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main(command.split()) == 0
        monkeypatch.undo()
        text = written.getvalue().decode(encoding)
    assert "?" not in text
    if command in ("table small", "table small --format text", "list"):  # the others write no goal
        assert ("Ł and ż" if encoding == "utf-8" else "\\u0141 and \\u017c") in text


def test_a_way_that_the_user_chose_for_letters_is_kept(small: Path) -> None:
    """PYTHONIOENCODING=ascii:replace asks for question marks."""
    done = sweep(small, "table", "small", PYTHONIOENCODING="ascii:replace", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "????" in done.stdout
    assert "\\u" not in done.stdout


@pytest.mark.parametrize("words", ["", "no such/words.txt"])
def test_a_missing_word_list_is_named_with_its_file_and_key(
    words: str, folder: Path, capsys: Capture
) -> None:
    """Whoever mistyped data.words reads where it is written, and from where it was looked for."""
    study = folder / "studies" / "small.toml"
    study.write_text(study.read_text().replace("data/words.txt", words))
    for command in ("run", "plan", "lr-find"):
        assert main([command, "studies/small.toml"]) == 1
        line = complaint(capsys)
        assert line.startswith(f"sweep: studies/small.toml: data.words names {words!r}, which does not exist")
        assert str(folder) in line


def test_a_wide_linear_range_of_set_is_noted(folder: Path, capsys: Capture) -> None:
    """On stderr, with the logarithmic form; the result on stdout stays alone."""
    (folder / "data" / "words.txt").write_text("")
    assert main(["plan", "small", "--set", "search.learning_rate=1e-4..1"]) == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("search.learning_rate is linear from 1e-4 to 1; ")
    assert "words.txt" in last


# Using a result.


def test_export_never_overwrites_unasked(small: Path, capsys: Capture) -> None:
    """A file that exists stays as it is until --force; --trial chooses, -o names the file."""
    assert main(["export", "small"]) == 0
    assert capsys.readouterr().out.startswith("wrote reports/small/best.toml: trial ")
    path = small / "reports" / "small" / "best.toml"
    path.write_text("mine")
    assert main(["export", "small"]) == 1
    assert "best.toml exists and is not overwritten" in complaint(capsys)
    assert path.read_text() == "mine"
    assert main(["export", "small", "--force"]) == 0
    assert "[provenance]" in path.read_text()
    assert main(["export", "small", "--trial", "5", "-o", "deep/er/five.toml"]) == 0
    assert "\ntrial = 5\n" in (small / "deep" / "er" / "five.toml").read_text()
    capsys.readouterr()
    assert main(["export", "small", "-o", "studies"]) == 1
    assert complaint(capsys) == "sweep: studies is a folder; name a file with -o"


def test_replay_comes_out_equal(small: Path, capsys: Capture) -> None:
    """Training a stored trial again on the same machine gives the stored loss bit for bit."""
    assert main(["table", "small", "--format", "json"]) == 0
    stored = {row["trial"]: row["dev_loss"] for row in rows(capsys.readouterr().out)}
    assert main(["replay", "small", "--trial", "3"]) == 0
    assert capsys.readouterr().out.startswith(f"equal: stored {stored[3]!r}, again {stored[3]!r} (")


def test_replay_on_another_engine_is_within_tolerance(small: Path, capsys: Capture) -> None:
    """Another engine adds in another order, so its loss is close and not equal."""
    assert main(["replay", "small", "--trial", "3", "--engine", "autograd"]) == 0
    assert capsys.readouterr().out.split(":")[0] in ("within tolerance", "equal")


def test_replay_of_a_changed_trial_is_refused(small: Path, capsys: Capture) -> None:
    """A loss that was changed in the database does not fit its trial's seal: status 3, nothing is trained."""
    with contextlib.closing(sqlite3.connect("studies/sweep.db")) as connection, connection:
        connection.execute("UPDATE trial_values SET value = value - 0.5 WHERE trial_id = 4")
    assert main(["replay", "small", "--trial", "3"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "trial 3" in said.err


def test_samples_depend_on_the_seed_only(small: Path, capsys: Capture) -> None:
    """The same seed draws the same words, from stored weights or from training again; another does not."""
    path = exported(capsys)
    drawn = []
    for arguments in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"]):
        assert main(["sample", path, "-n", "12", *arguments]) == 0
        drawn.append(capsys.readouterr().out.splitlines())
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 12
    assert set("".join(drawn[0])) <= set("bcdfglmnrstaeiou")
    assert main(["sample", path, "-n", "12", "--seed", "1", "--storage", "sqlite:///elsewhere.db"]) == 0
    again = capsys.readouterr()
    assert again.out.splitlines() == drawn[0]
    assert "the weights are not kept here: training" in again.err
    assert not (small / "elsewhere.db").exists()


def test_words_of_another_list_are_not_sampled_into(small: Path, capsys: Capture) -> None:
    """`--words` must be the list of the export: an index means another letter on any other."""
    path = exported(capsys)
    write_words(Path("other.txt"), made_up_words(seed=2))
    for command in (["sample", path], ["test", path], ["lr-find", path]):
        assert main([*command, "--words", "other.txt"]) == 1
        assert "other.txt does not hold the data of the export" in complaint(capsys)


def test_the_test_split_is_looked_at_once(small: Path, capsys: Capture, tmp_path: Path) -> None:
    """One look is free; a second is refused for any config, database and study name, unless --again."""
    path = exported(capsys)
    assert main(["test", path]) == 0
    written = capsys.readouterr()
    assert re.search(r"dev loss   \d\.\d{4} \(equal, exported \d\.\d{4}\)", written.out)
    assert re.search(r"test loss  \d\.\d{4} nats per character \(look 1, recorded\)", written.out)
    loss = re.search(r"test loss  (\d\.\d{4})", written.out)[1]  # type: ignore[index]

    assert main(["export", "small", "--trial", "0", "-o", "zero.toml"]) == 0
    renamed = Path(path).read_text().replace('study = "small"', 'study = "fresh"')
    Path("renamed.toml").write_text(renamed)
    capsys.readouterr()
    other = ["--storage", f"sqlite:///{tmp_path}/other.db"]
    for arguments in ([path], [path, *other], ["zero.toml"], ["renamed.toml"], ["zero.toml", *other]):
        assert main(["test", *arguments]) == 1
        text = complaint(capsys)
        assert f"of 'small': test loss {loss}" in text
        assert text.endswith('If you must, give a reason: --again "why"')

    assert main(["test", path, "--again", "to see it twice"]) == 0
    assert "(look 2, recorded)" in capsys.readouterr().out
    assert main(["table", "small"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("test split looked at")]
    assert len(shown) == 2
    assert shown[0].endswith(f"test loss {loss}")
    assert shown[1].endswith(f"test loss {loss}, again because 'to see it twice'")


def test_another_ledger_does_not_hide_a_look_in_the_database(
    small: Path, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look counts when either the database or the user's ledger knows of it."""
    path = exported(capsys)
    assert main(["test", path]) == 0
    capsys.readouterr()
    monkeypatch.setenv("SWEEP_LEDGER", str(tmp_path / "another.jsonl"))
    assert main(["test", path]) == 1
    assert "looked at before" in complaint(capsys)


# Keeping studies.


@pytest.mark.parametrize("joined", ["--json 2>log", "2>&1"])
def test_a_run_whose_output_nobody_reads_stops_as_if_told_to(joined: str, folder: Path) -> None:
    """Status 141, as for a signal; what ran is stored and waits, and the log says so where there is one."""
    pipe = f"{SWEEP} run small --trials 400 {joined} | head -4; exit ${{PIPESTATUS[0]}}"
    run = ["bash", "-c", pipe]
    ended = subprocess.run(
        run, cwd=folder, env=environment(), capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert (ended.returncode, ended.stderr) == (141, b"")
    if "log" in joined:
        assert "nobody reads the output any more" in (folder / "log").read_text()
    told = subprocess.run(
        [sys.executable, "-m", "sweep", "table", "small", "--format", "json"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert {row["state"] for row in json.loads(told.stdout)} <= {"complete", "waiting"}


@pytest.mark.parametrize("command", ["rename", "delete", "table", "confirm", "export"])
def test_a_confirmation_is_reached_through_its_study_only(command: str, small: Path, capsys: Capture) -> None:
    """Renamed or deleted on its own it would be lost to the study; it is told whose it is."""
    more = {"rename": ["other"], "delete": ["--yes"]}.get(command, [])
    assert main([command, "small/confirm", *more]) == 1
    assert "small/confirm is the confirmation of study 'small'" in complaint(capsys)


def test_rename_takes_the_files_along(small: Path, capsys: Capture) -> None:
    """A renamed study keeps its trials and its stored weights, and its old name is free."""
    before = sorted(p.name for p in Path("studies/sweep.db.d/small").iterdir() if p.is_dir())
    assert main(["rename", "small", "first-try"]) == 0
    assert "study 'small' is now 'first-try'" in capsys.readouterr().out
    assert (
        sorted(p.name for p in Path("studies/sweep.db.d/first-try").iterdir() if p.is_dir()) == before != []
    )
    assert not [path for path in Path("studies/sweep.db.d/small").iterdir() if path.is_dir()]
    assert main(["table", "small"]) == 1
    assert complaint(capsys) == "sweep: no study 'small' in the database; stored: first-try"
    assert main(["export", "first-try", "-o", "best.toml"]) == 0
    assert main(["sample", "best.toml"]) == 0
    assert "training" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("small", "small", "a study 'small' exists already; choose another name"),
        ("nope", "other", "no study 'nope' in the database; stored: small"),
        ("small", "../x", "the new name must be 1 to 64 letters"),
        ("../x", "other", "no study '../x' in the database"),
    ],
)
def test_rename_refuses(old: str, new: str, message: str, small: Path, capsys: Capture) -> None:
    """A name that is taken, unknown or no name changes nothing and leaves nothing behind."""
    before = sorted(Path("studies").rglob("*"))
    assert main(["rename", old, new]) == 1
    assert message in complaint(capsys)
    assert sorted(Path("studies").rglob("*")) == before


def test_delete_asks_back(small: Path, capsys: Capture) -> None:
    """Without --yes a pipe is refused; --yes removes the study with its files."""
    refused = sweep(small, "delete", "small", stdin="small\n")
    assert refused.returncode == 1
    assert refused.stderr == "sweep: deleting 'small' asks back; give --yes where nobody can answer\n"
    assert main(["delete", "small", "--yes"]) == 0
    assert capsys.readouterr().out == "deleted study 'small', 6 trials\n"
    left = (small / "studies" / "sweep.db.d" / "small").iterdir()
    assert not [path for path in left if path.is_dir()]
    assert main(["list"]) == 0
    assert capsys.readouterr().err == "no studies yet; next: sweep run STUDY.toml\n"


@pytest.mark.parametrize(("answer", "status"), [("\x04", 1), ("small\n", 0)])
def test_delete_wants_the_name_typed(small: Path, answer: str, status: int) -> None:
    """In a terminal the study's own name deletes it; the end of the input does not."""
    text = in_terminal(small, ["delete", "small"], answer=("Type its name: ", answer), status=status)
    assert "Traceback" not in text
    assert ("not deleted" in text) == (status == 1)
    assert (small / "studies" / "sweep.db.d" / "small" / "000000").exists() == (status == 1)


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


def test_a_plan_spends_and_stores_nothing(small: Path, capsys: Capture) -> None:
    """It counts the variant's space, and what is stored of the study itself as done."""
    variant = ("--set", "search.hidden_neurons=5,9", "--format", "json", "--workers", "2")
    assert main(["plan", "studies/small.toml", *variant]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["name"], plan["size"]) == ("small--hidden_neurons-5_9", 3 * 2 * 2)
    assert (plan["left"], plan["workers"]) == (6, 2)
    assert plan["baselines"].keys() >= {"uniform", "bigram count table"}
    assert main(["plan", "small"]) == 0
    assert "will do     0 of 6 trials; 6 are stored" in capsys.readouterr().out
    main(["list"])
    assert len(capsys.readouterr().out.splitlines()) == 1


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "small", "--set", "sampler"], "--set 'sampler' must be KEY=VALUE"),
        (
            ["plan", "small", "--set", "fixed.init=xavier"],
            "with --set 'fixed.init=xavier': init must be scaled",
        ),
        (["run", "small", "--from", "gone"], "no study 'gone' in the database"),
        (
            ["run", "small", "--from", "small", "--set", "search.hidden_neurons=900..999"],
            "--from small: none of its 6 configurations lies in this space; outside of it: hidden_neurons in",
        ),
    ],
)
def test_a_variant_that_cannot_be_is_refused(
    arguments: list[str], message: str, small: Path, capsys: Capture
) -> None:
    """With the option that it is about."""
    assert main(arguments) == 1
    assert message in complaint(capsys)


def test_init_lays_out_a_folder_once(tmp_path: Path, capsys: Capture) -> None:
    """The starter files are those of the repository; what exists is never overwritten."""
    target = tmp_path / "demo"
    assert main(["init", str(target)]) == 0
    assert "next: cd " in capsys.readouterr().err
    for name in STARTER_FILES:
        assert (target / name).read_bytes() == (REPOSITORY / name).read_bytes()
    (target / "data" / "names.txt").unlink()
    (target / "studies" / "names.toml").write_text("mine")
    assert main(["init", str(target)]) == 1
    assert "exists and is not overwritten" in complaint(capsys)
    assert (target / "studies" / "names.toml").read_text() == "mine"
    assert not (target / "data" / "names.txt").exists()


def test_init_wants_a_folder(folder: Path, capsys: Capture) -> None:
    """A file is named as it was given, and stays."""
    assert main(["init", "data/words.txt"]) == 1
    assert complaint(capsys) == "sweep: data/words.txt is not a folder; choose another place"


def test_doctor_finds_a_sound_machine(small: Path, capsys: Capture) -> None:
    """`doctor` names versions, device, database, folders and disk, and changes nothing."""
    before = (small / "studies" / "sweep.db").read_bytes()
    assert main(["doctor"]) == 0
    written = capsys.readouterr()
    subjects = {line[5:].split()[0] for line in written.out.splitlines()}
    assert {"sweep", "torch", "optuna", "device", "database", "folder", "ledger", "disk"} <= subjects
    assert "studies/sweep.db: sound, studies small" in written.out
    assert "BAD" not in written.out
    assert (small / "studies" / "sweep.db").read_bytes() == before


def test_doctor_says_what_is_broken(folder: Path, capsys: Capture) -> None:
    """A damaged database is marked, and the status is 3."""
    (folder / "bad.db").write_text("no database")
    assert main(["doctor", "--storage", "sqlite:///bad.db"]) == 3
    written = capsys.readouterr()
    assert "BAD  database          bad.db is not an SQLite database" in written.out
    assert written.err == "not ready: database\n"


# Names, words and storage.


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


# Bad input: one line, the right status, no traceback.


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "words file words.txt does not exist"),
        (b"", "words.txt: the file holds no words"),
        (b"\n\n", "words.txt: the file holds no words"),
        (b"anna\n", "words.txt: at least 10 words are needed for three splits, got 1"),
        (b"anna\n" * 12 + b"m\xfcller\n", "words.txt, line 13: not UTF-8 (byte 0xfc)"),
        (b"anna\n" * 12 + b"j.r.\n", "words.txt: 1 of 13 lines cannot be words: 1 with '.'"),
        (b"anna\n\nbob\n" * 12, "words.txt: 12 of 36 lines cannot be words: 12 empty (first in line 2)"),
        (b"anna\n" * 12 + b"a\x1b[31m\n", "1 with a control character such as U+001B (line 13)"),
    ],
)
def test_unusable_words_are_refused(raw: bytes | None, message: str, folder: Path, capsys: Capture) -> None:
    """A words file that cannot be used is told with its line, before anything is stored."""
    if raw is not None:
        (folder / "words.txt").write_bytes(raw)
    assert main(["run", "studies/small.toml", "--words", "words.txt"]) == 1
    assert message in complaint(capsys)
    assert not (folder / "studies" / "sweep.db").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trials = 6", "trails = 6", "unknown key 'trails' at the top level"),
        ("trials = 6", 'trials = "6"', "trials must be a whole number from 1 to 1,000,000, got '6'"),
        ("low = 5, high = 30", "low = 30, high = 5", "hidden_neurons"),
        ("low = 5, high = 30", "low = 0, high = 5, log = true", "hidden_neurons"),
        ("low = 2, high = 4", "low = 0, high = 4", "block_size must be from 1 to 256, got 0"),
        ('sampler = "random"', 'sampler = "magic"', "sampler must be one of"),
        ('sampler = "random"', 'name = "../x"', "name must be 1 to 64 letters, digits"),
        ("[data]", "[data", "not a TOML file"),
        ("[data]", "[fixed]\nblock_size = 3\n[data]", "block_size stands in [fixed] and is searched as well"),
        ("[data]", "[fixed]\nmomentum = 1.5\n[data]", "momentum must be"),
    ],
)
def test_a_study_that_breaks_a_rule_is_refused(
    old: str, new: str, message: str, folder: Path, capsys: Capture
) -> None:
    """The line names the file, the key and the rule."""
    assert old in STUDY
    (folder / "studies" / "small.toml").write_text(STUDY.replace(old, new))
    assert main(["run", "small"]) == 1
    text = complaint(capsys)
    assert text.startswith("sweep: studies/small.toml: ")
    assert message in text
    assert not (folder / "studies" / "sweep.db").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nope"], "no study file studies/nope.toml"),
        (["run", "nope.toml"], "study file nope.toml does not exist"),
        (["run", "data/words.txt"], "data/words.txt is no study file; give a .toml file"),
        (["run", "studies"], "studies is no study file"),
        (["run", "small", "--as", "../x"], "--as must be 1 to 64 letters"),
        (["run", "small", "--timeout", "10"], "--timeout must be a time above 0 with s, m or h"),
        (["run", "small", "--device", "tpu"], "unknown device 'tpu'; use auto, cpu, cuda or cuda:N"),
        (["run", "small", "--device", "cuda:64"], "device cuda:64 is not present; use --device cpu or auto"),
        (["list"], "no database at studies/sweep.db; `sweep run STUDY.toml` makes one"),
        (["table", "small"], "no database at studies/sweep.db"),
        (["dashboard"], "no database at studies/sweep.db"),
        (["delete", "small", "--yes"], "no database at studies/sweep.db"),
        (["test", "nope.toml"], "config file nope.toml does not exist; `sweep export STUDY` writes one"),
        (["sample", "studies/small.toml"], "no [config] with [provenance]"),
        (["lr-find", "nope"], "no study file studies/nope.toml"),
    ],
)
def test_what_is_not_there_is_named(
    arguments: list[str], message: str, folder: Path, capsys: Capture
) -> None:
    """A name that leads nowhere is told with the way out, and makes no file."""
    assert main(arguments) == 1
    assert message in complaint(capsys)
    assert not (folder / "studies" / "sweep.db").exists() or "--device" in arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table", "other"], "no study 'other' in the database; stored: small"),
        (["table", "../x"], "no study '../x' in the database"),
        (["replay", "small", "--trial", "99"], "study 'small' has no trial 99; it has 6"),
        (["replay", "small", "--engine", "magic"], "unknown engine 'magic'; known: autograd, fused"),
        (["export", "small", "--trial", "6"], "study 'small' has no trial 6; it has 6"),
        (["run", "best.toml"], "best.toml is an exported configuration"),
        (["test", "studies/small.toml"], "no [config] with [provenance]"),
    ],
)
def test_what_a_study_lacks_is_named(
    arguments: list[str], message: str, small: Path, capsys: Capture
) -> None:
    """An unknown study, trial or engine, or the wrong kind of file, is told in one line."""
    assert main(["export", "small", "-o", "best.toml"]) == 0
    capsys.readouterr()
    assert main(arguments) == 1
    assert message in complaint(capsys)


@pytest.mark.parametrize("command", [["list"], ["table", "small"], ["run", "small"], ["dashboard"]])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"hello, I am a text\n" * 90, "is not an SQLite database"),
        (lambda raw: b"", "is empty"),
        (lambda raw: raw[: len(raw) // 2], "damaged"),
    ],
    ids=["text", "zero bytes", "cut in half"],
)
def test_a_damaged_database_ends_with_3(
    command: list[str], damage: Callable[[bytes], bytes], message: str, small: Path, capsys: Capture
) -> None:
    """What is no sound database is refused by every command and stays as it is."""
    path = small / "studies" / "sweep.db"
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    assert main(command) == 3
    assert message in complaint(capsys)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize(
    "place",
    [
        ["--storage", "mysql://u:secret@h/d"],
        ["--storage", "sqlite://"],
        ["--storage", "sweep.db"],
        ["--storage", "sqlite:///what?.db"],
        ["--storage", "postgresql://u:secret@h:port/d"],
        ["--storage", "postgresql://u:secret@h"],
        ["--storage", "postgresql://u@h/d", "--files", "s3://k:secret@bucket"],
        ["--storage", "sqlite:///sweep.db", "--files", "files"],
    ],
)
def test_an_address_that_cannot_be_understood_is_wrong_input(
    place: list[str], folder: Path, capsys: Capture
) -> None:
    """The line says what an address must be and tells no password; nothing is wrong with the machine."""
    assert main(["list", *place]) == 1
    assert "secret" not in complaint(capsys)


def test_a_copy_says_how_to_look_at_it(small: Path, capsys: Capture) -> None:
    """The command that is named shows the copy."""
    assert main(["copy", "small", "--to", "sqlite:///studies/other.db"]) == 0
    command = capsys.readouterr().err.strip().rpartition("next: sweep ")[2]
    assert command == "table small --storage sqlite:///studies/other.db"
    assert main(command.split()) == 0


def test_a_server_is_named_without_its_password() -> None:
    """With what else the command needs: the folder of files."""
    database = Database("postgresql://u:secret@h:5433/d", "s3://bucket/x")
    assert database_options(database) == "--storage postgresql://u@h:5433/d --files s3://bucket/x"


@pytest.mark.parametrize(
    ("url", "status", "told"),
    [
        ("other.db", 1, "storage must be sqlite:///PATH or"),
        ("sqlite:///studies", 3, "studies is not a file; choose another database"),
    ],
)
def test_a_copy_goes_to_a_database_only(
    url: str, status: int, told: str, small: Path, capsys: Capture
) -> None:
    """What ``--to`` names is told without speaking of another option."""
    assert main(["copy", "small", "--to", url]) == status
    line = complaint(capsys)
    assert told in line
    assert "--storage" not in line


def test_changed_words_are_noticed(small: Path, capsys: Capture) -> None:
    """A words file that changed after the run is refused by run, replay and test."""
    path = exported(capsys)
    words = small / "data" / "words.txt"
    words.write_text(words.read_text() + "zaza\n")
    assert main(["run", "small"]) == 1
    text = complaint(capsys)
    assert "data_sha256" in text
    assert main(["replay", "small"]) == 1
    assert "data/words.txt has changed since study 'small' was run; restore the file" in complaint(capsys)
    assert main(["test", path]) == 1
    assert "data/words.txt does not hold the data of the export" in complaint(capsys)


def test_a_changed_study_is_refused_with_the_difference(small: Path, capsys: Capture) -> None:
    """The stored and the asked value stand beside each other, with the ways out; nothing is changed."""
    before = (small / "studies" / "sweep.db").read_bytes()
    (small / "studies" / "small.toml").write_text(STUDY.replace("trials = 6", "trials = 6\nseed = 7"))
    assert main(["run", "small"]) == 1
    text = complaint(capsys)
    assert "seed: 0 -> 7" in text
    for way_out in ("--as NAME", "sweep rename", "sweep delete"):
        assert way_out in text
    assert (small / "studies" / "sweep.db").read_bytes() == before


def test_a_read_only_folder_ends_with_3(folder: Path) -> None:
    """Where the database's folder cannot be written, one line says so."""
    command = [file_modes.__file__, "-m", "sweep", "run", "small", "--device", "cpu"]
    with file_modes.read_only(folder):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    assert done.stderr == "sweep: studies/sweep.db.d: Permission denied\n"


def test_a_second_driver_is_refused(small: Path, capsys: Capture) -> None:
    """While one process runs a study, another is told that one's host and process."""
    (small / "studies" / "small.toml").write_text(STUDY.replace("num_steps = ", "# num_steps = "))
    first = start(small, "run", "small", "--as", "long", "--trials", "500", "--workers", "1")
    try:
        wait_for_line(first, "trial ")
        assert main(["run", "small", "--as", "long"]) == 1
        text = complaint(capsys)
        assert (
            f"study 'long' is being run by process {first.pid} on {socket.gethostname()!r}; wait for it"
            in text
        )
        for command in (["rename", "long", "other"], ["delete", "long", "--yes"]):
            assert main(command) == 1
            assert "study 'long' is being run by process" in complaint(capsys)
        assert main(["table", "long"]) == 0  # a reader is welcome
    finally:
        first.kill()
        first.communicate()


# Signals.


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


def test_a_timeout_ends_with_0_and_says_so(folder: Path, capsys: Capture) -> None:
    """A run that reached its timeout is no fault: what is done is shown, and how to go on."""
    assert main(["run", "small", "--timeout", "0.1s", "--workers", "1"]) == 0
    told = capsys.readouterr().err
    assert "the timeout was reached: " in told
    assert "the same command goes on" in told


def test_the_dashboard_ends_on_ctrl_c(small: Path) -> None:
    """The dashboard prints its address, serves, and ends with 130."""
    server = start(small, "dashboard", "--port", "0")
    assert server.stdout is not None
    address = server.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\n", address)
    taken = sweep(small, "dashboard", "--port", address.rstrip("/\n").rpartition(":")[2])
    server.send_signal(signal.SIGINT)
    _, complaints = server.communicate(timeout=DEADLINE_S)
    assert taken.returncode == 3
    assert re.fullmatch(
        r"sweep: port \d+: Address already in use; choose another with --port\n", taken.stderr
    )
    assert server.returncode == 130
    assert "Traceback" not in complaints


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start ``sweep`` and do not wait for its end."""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    """Read stderr until a line holds ``text``."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"the process ended without {text!r}")


def in_terminal(
    folder: Path,
    arguments: list[str],
    *,
    columns: int = 80,
    answer: tuple[str, str] | None = None,
    status: int = 0,
    **variables: str,
) -> str:
    """Run ``sweep`` on a terminal of its own and return what it shows; ``answer`` is (prompt, keys)."""
    pty = pytest.importorskip("pty", reason="needs pseudo-terminals")
    fcntl, termios, struct = (pytest.importorskip(name) for name in ("fcntl", "termios", "struct"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", *arguments],
        cwd=folder,
        env=environment(TERM="xterm-256color", **{k: v for k, v in variables.items() if v}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    for part in read_terminal(ours):
        shown += part
        if answer and answer[0] in shown:
            os.write(ours, answer[1].encode())
            answer = None
    os.close(ours)
    assert process.wait(timeout=DEADLINE_S) == status, shown
    return shown.replace("\r\n", "\n")


def read_terminal(descriptor: int) -> Iterator[str]:
    """Yield what appears on a terminal until its programs have ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # how Linux tells that the other side is closed
            return
        if not part:
            return
        yield part.decode(errors="replace")
