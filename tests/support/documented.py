"""What a reader types from a page of the documentation, and a shell whose ``sweep`` is a call of ``main``."""

import contextlib
import functools
import io
import itertools
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from sweep.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = ("README.md", *sorted(f"docs/{page.name}" for page in (REPOSITORY / "docs").glob("*.md")))

ELSEWHERE = {
    "sweep dashboard": "serves until it is stopped",
    "--pool ray": "a cluster; tests/cluster",
    "--engine population": "a GPU",
    "mlflow": "a library that the tests do not need; tests/tracking has it",
    "--format parquet": "the same; tests/reporting/table",
    "history.png": "a browser; tests/reporting/figures",
}
"""Part of a command that is not run -> what it needs."""

REFUSED = {"sweep test FIRST.toml SECOND.toml": "--again"}
"""A command that is refused if a reader types the whole page -> what the refusal names."""

_PARTS = re.compile(
    r"(?:^<!-- file: (?P<file>\S+) -->\n)?^```(?P<language>\w+)\n(?P<fenced>.*?)^```$"
    r"|(?P<indented>(?:^ {4}[^\n]+\n)+)"
    r"|`(?P<code>[^`]+)`",
    re.MULTILINE | re.DOTALL,
)
"""A fenced block, perhaps a file; an indented block; code within a sentence."""


@dataclass(frozen=True)
class Typed:
    """One command, as a shell takes it apart, and the lines that the page shows below it."""

    words: tuple[str, ...]
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(self.words)

    @property
    def is_ours(self) -> bool:
        """Whether the shell of ``run`` knows its program; the name alone is a word of a sentence."""
        return len(self.words) > 1 and self.words[0] in ("sweep", "export", "cd", "python")

    @property
    def is_elsewhere(self) -> bool:
        """Whether the tests of the documentation cannot run it."""
        return any(part in str(self) for part in ELSEWHERE)


Block = tuple[Typed, ...]
"""What a reader types into one shell."""


@dataclass(frozen=True)
class Written:
    """A file that a page has its reader write."""

    name: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the commands of a page in order."""
    return [step for step in _steps(page) if isinstance(step, tuple)]


@functools.cache
def _steps(page: str) -> list[Block | Written]:
    """Return files and commands of a page in order; code in a sentence or a comment is a block of its own."""
    found: list[Block | Written] = []
    for part in _PARTS.finditer((REPOSITORY / page).read_text("utf-8")):
        if part["file"]:
            found.append(Written(part["file"], part["fenced"]))
        lines = part["indented"] or (part["fenced"] if part["language"] == "sh" else "") or ""
        found.append(tuple(_typed([line.strip() for line in lines.splitlines()])))
        codes = [part["code"]] if part["code"] else re.findall(r"`([^`\n]+)`", part[0].strip("`"))
        found += [tuple(_typed([code.replace("\n", " ")])) for code in codes]
    return [step for step in found if step]


def _typed(lines: list[str]) -> Iterator[Typed]:
    """Yield the commands of some lines; if there are prompts, the other lines are what a command prints."""
    prompts = [place for place, line in enumerate(lines) if line.startswith("$ ")]
    starts = prompts or range(len(lines))
    for start, end in itertools.pairwise([*starts, len(lines)]):
        for words in _commands(lines[start].removeprefix("$ ")):
            yield Typed(words, tuple(lines[start + 1 : end]))


def _commands(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the commands that a line joins with ``&&``; a variable before one is an export."""
    line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|")
    lexer.whitespace_split = True
    with contextlib.suppress(ValueError):  # a line of prose, with an apostrophe
        for joins, command in itertools.groupby(lexer, lambda word: word in ("&&", "|", "||")):
            words = () if joins else tuple(command)
            while len(words) > 1 and re.match(r"[A-Z_]+=", words[0]):
                yield "export", words[0]
                words = words[1:]
            if words:
                yield words


def run(page: str, folder: Path, placeholders: Mapping[str, str] | None = None) -> Iterator[str]:
    """Write the files of a page into a folder and run its commands there; yield each before it is run.

    Raises:
        AssertionError: If a command ends with another status than 0, or lacks what the page shows.
    """
    for step in _steps(page):
        if isinstance(step, Written):
            (folder / step.name).write_text(step.text, "utf-8")
            continue
        with pytest.MonkeyPatch.context() as shell:
            shell.chdir(folder)
            for typed in step:
                if typed.is_ours and not typed.is_elsewhere:
                    yield str(typed)
                    _run(typed, shell, placeholders or {})


def _run(typed: Typed, shell: pytest.MonkeyPatch, placeholders: Mapping[str, str]) -> None:
    """Run a command that is ours to run, or do to the shell what it does."""
    match [_filled(word, placeholders) for word in typed.words]:
        case ["export", setting]:
            shell.setenv(*setting.split("=", 1))
        case ["cd", folder]:
            shell.chdir(folder)
        case ["sweep", *arguments]:
            _check(typed, *_printed(arguments))
        case ["python", "-c", code]:
            exec(code, {})  # noqa: S102  as the interpreter does


def _filled(word: str, placeholders: Mapping[str, str]) -> str:
    """Return a word with what a reader writes in place of the page's names."""
    for name, own in placeholders.items():
        word = word.replace(name, own)
    return word


def _printed(arguments: list[str]) -> tuple[int, str]:
    """Return the exit status of ``sweep``, and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(arguments)
    return status, printed.getvalue()


def _check(typed: Typed, status: int, printed: str) -> None:
    """Compare what became of a command with the page; the name alone of one that needs more is no command."""
    if status == 2 and len(typed.words) == 2:
        assert "Missing argument" in printed or "exactly one of" in printed, printed
        return
    refusal = REFUSED.get(str(typed), "")
    assert (status, refusal in printed) == (int(bool(refusal)), True), f"{typed}\n{printed[-2000:]}"
    for line in typed.shown:
        assert _stable(line) in _stable(printed), f"{line}\nis not in\n{printed[-2000:]}"


def _stable(text: str) -> str:
    """Return a text without its numbers and the widths of its columns."""
    return re.sub(r"\s+", " ", re.sub(r"\d[\d.]*", "N", text))
