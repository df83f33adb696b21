"""Hints and advice in terminals of every width: no word and no command is broken."""

import shlex
import subprocess

import pytest

from sweep.reporting.wrapping import wrap, wrap_hint

SETTING = "search.learning_rate={low=1e-4, high=1, log=true}"
COMMANDS = [
    ["sweep", "confirm", "names--sampler-gp--block_size-3..6"],
    ["sweep", "run", "my study.toml", "--set", SETTING, "--words", "it's.txt"],
]
WIDTHS = [10, 20, 40, 80, 200]


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_a_command_of_a_hint_can_be_copied_into_a_shell(width: int | None) -> None:
    """A shell reads from the lines the very arguments that were meant, at every width."""
    text = f"done: 3 of 10; next: {' | '.join(map(shlex.join, COMMANDS))}"
    shown = wrap_hint(text, width)
    script = shown.partition("next: ")[2].replace(" | ", "\n").replace("sweep", "printf '%s\\0'", 2)
    script = script.replace("names--printf '%s\\0'", "names--sweep")
    printed = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.split("\0")[:-1] == [word for command in COMMANDS for word in command[1:]]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_of_a_text_is_broken(width: int) -> None:
    """Lines are as long as the width, but for a single word or command that is longer."""
    text = "Ranks 1 to 3 lie within 0.01 of the first: `sweep confirm a-long-name-of-a-study` decides."
    lines = wrap(text, width, first="* ", then="  ").splitlines()
    assert " ".join(" ".join(lines).split()) == f"* {text}"
    assert all(len(line) <= width or len(line.strip("* ").split("`")[0].split()) <= 1 for line in lines)
    assert sum("`sweep confirm a-long-name-of-a-study`" in line for line in lines) == 1


def test_a_hint_that_fits_is_one_line() -> None:
    """So is any hint in a pipe."""
    text = "next: sweep confirm x | sweep report x"
    assert wrap_hint(text, 80) == wrap_hint(text, None) == text


def test_a_name_with_a_single_quotation_mark_is_no_reason_to_fail() -> None:
    """Prose after the colon is broken at blanks."""
    assert wrap_hint("next: open it's.html in a browser", 20).split()[1] == "open"
