"""What the command run refuses: one line, the right status, no traceback."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.cli import main
from tests.support import file_modes
from tests.support.command_line import (
    Capture,
    complaint,
    start,
    untitled,
    wait_for_line,
)
from tests.support.small_study import (
    STUDY,
    environment,
)
from tests.support.sweep_command import DEADLINE_S


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
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


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (None, "words file words.txt does not exist"),
        (b"", "words.txt: the file contains no words"),
        (b"\n\n", "words.txt: the file contains no words"),
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
        ("[data]", "[fixed]\nblock_size = 3\n[data]", "block_size is in [fixed] and is searched as well"),
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
    assert untitled(done.stderr) == ["sweep: studies/sweep.db.d: Permission denied"]


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
