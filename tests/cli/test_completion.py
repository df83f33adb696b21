"""Command lines completed by real shells, with the scripts that `sweep completion` prints."""

import contextlib
import os
import pty
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.cli.completion import VARIABLE
from sweep.cli.registry import all_commands
from tests.support.command_line import Capture
from tests.support.small_study import environment
from tests.support.sweep_command import DEADLINE_S

INTERACTIVE = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "eval \"$(sweep completion bash)\"; bind 'set show-all-if-ambiguous on'",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -Uz compinit; compinit -u -D; eval "$(sweep completion zsh)"; unsetopt zle_bracketed_paste',
    ),
}
"""Shell -> how it is started without the user's settings, and what sets it up."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two databases, two study files, an export, and `sweep` on the path of its shells."""
    folder = tmp_path_factory.mktemp("completion")
    (folder / "studies").mkdir()
    (folder / "bin").mkdir()
    for name in ("studies/alpha.toml", "studies/beta.toml", "best.toml"):
        (folder / name).touch()
    for name, studies in (
        ("studies/sweep.db", ["quick", "names", "names@0a30b555"]),
        ("x.db", ["elsewhere"]),
    ):
        with contextlib.closing(sqlite3.connect(folder / name)) as connection, connection:
            connection.execute("CREATE TABLE studies (study_name)")
            connection.executemany("INSERT INTO studies VALUES (?)", [(study,) for study in studies])
    program = folder / "bin/sweep"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m sweep "$@"\n')
    program.chmod(0o755)
    return folder


def in_terminal(folder: Path, shell: list[str], lines: list[str]) -> str:
    """Type lines into a shell that has a terminal, and return all that it shows."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        search = f"{folder / 'bin'}:{os.environ['PATH']}"
        variables = environment(PATH=search, TERM="dumb", INPUTRC="/dev/null", HISTFILE="", PS1="$ ")
        os.execvpe(shell[0], shell, variables)  # noqa: S606  the shell that is tested
    os.write(terminal, "".join(f"{line}\n" for line in [*lines, "exit"]).encode())
    shown = b""
    with contextlib.suppress(OSError):  # how Linux reports the end of a terminal
        while chunk := os.read(terminal, 65_536):
            shown += chunk
    os.close(terminal)
    os.waitpid(process, 0)
    return shown.decode()


def typed(folder: Path, shell: str, line: str) -> tuple[list[str], str]:
    """Return the words that a line has after the key Tab, and what was shown meanwhile."""
    to_begin = "\x01"
    started, setup = INTERACTIVE[shell]
    setup += "; echo set' 'up"
    shown = in_terminal(folder, started, [setup, f"{line}\t{to_begin}printf '<%s>\\n' "])
    shown = shown.rpartition("set up\r\n")[2]
    return re.findall(r"^<(.*)>\r$", shown, re.MULTILINE), shown


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("sweep ta", "sweep table"),
        ("sweep table qu", "sweep table quick"),
        ("sweep table names@", "sweep table names@0a30b555"),
        ("sweep table --form", "sweep table --format"),
        ("sweep table --format c", "sweep table --format csv"),
        ("sweep table --format=c", "sweep table --format=csv"),
        ("sweep table --top 5 qu", "sweep table --top 5 quick"),
        ("sweep table --storage sqlite:///x.db ", "sweep table --storage sqlite:///x.db elsewhere"),
        ("sweep table --storage=sqlite:///x.db e", "sweep table --storage=sqlite:///x.db elsewhere"),
        ("sweep run studies/al", "sweep run studies/alpha.toml"),
        ("sweep run al", "sweep run alpha"),
        ("sweep run alpha --from qu", "sweep run alpha --from quick"),
        ("sweep train be", "sweep train best.toml"),
        ("sweep table nothing", "sweep table nothing"),
        ("sweep frob x", "sweep frob x"),
        ("sweep table 'qu", "sweep table quick"),
    ],
)
def test_bash_completes(line: str, completed: str, place: Path) -> None:
    """Commands, options, choices, studies and files, also behind what bash counts as the end of a word."""
    assert typed(place, "bash", line)[0] == completed.split()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("sweep table ", ["names", "names@0a30b555", "quick"]),
        ("sweep run ", ["alpha", "beta"]),
        ("sweep table --format ", ["text", "markdown", "csv", "json", "log"]),
        ("sweep table --format=", ["text", "markdown", "csv", "json", "log"]),
        ("sweep re", ["replay", "rename", "report"]),
        ("sweep list --", ["--storage", "--files", "--help"]),
    ],
)
def test_bash_shows_what_there_is(line: str, shown: list[str], place: Path) -> None:
    """Where several things can follow."""
    assert set(shown) <= set(typed(place, "bash", line)[1].split())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("sweep ta", "sweep table"),
        ("sweep table names@", "sweep table names@0a30b555"),
        ("sweep table --storage sqlite:///x.db e", "sweep table --storage sqlite:///x.db elsewhere"),
        ("sweep table --format c", "sweep table --format csv"),
        ("sweep train be", "sweep train best.toml"),
    ],
)
def test_zsh_completes(line: str, completed: str, place: Path) -> None:
    """Commands, studies, choices and files."""
    assert typed(place, "zsh", line)[0] == completed.split()


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "candidates"),
    [
        ("sweep ta", {"table"}),
        ("sweep table names", {"names", "names@0a30b555"}),
        ("sweep table --storage sqlite:///x.db e", {"elsewhere"}),
        ("sweep table --format c", {"csv"}),
        ("sweep train be", {"best.toml"}),
    ],
)
def test_fish_proposes(line: str, candidates: set[str], place: Path) -> None:
    """Commands, studies, choices and files."""
    ask = f"sweep completion fish | source; complete -C {shlex.quote(line)}"
    search = f"{place / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["fish", "--no-config", "-c", ask],
        cwd=place,
        env=environment(PATH=search),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=True,
    )
    assert {row.partition("\t")[0] for row in done.stdout.splitlines()} == candidates
    assert done.stderr == ""


def complete_for_bash(monkeypatch: pytest.MonkeyPatch, line: str, piece: str = "") -> int:
    """Ask as the script for bash does."""
    for name, value in ((VARIABLE, "bash_complete"), ("COMP_LINE", line), ("COMP_PIECE", piece)):
        monkeypatch.setenv(name, value)
    return main([])


def test_each_command_and_option_is_completed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """Commands that a package adds and our own, in their order."""
    assert complete_for_bash(monkeypatch, "sweep ") == 0
    assert capsys.readouterr().out.split() == [f"plain,{name}" for name in all_commands()]


@pytest.mark.parametrize(
    "variables",
    [
        {VARIABLE: "bash_complete"},
        {VARIABLE: "bash_complete", "COMP_LINE": "", "COMP_PIECE": ""},
        {VARIABLE: "tcsh_complete"},
        {VARIABLE: ""},
        {VARIABLE: "zsh_complete", "COMP_WORDS": "sweep", "COMP_CWORD": "x"},
    ],
)
def test_a_question_that_is_wrong_is_answered_by_nothing(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """No line is spoilt by a message."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["table", "--help"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_package_that_fails_spoils_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What is printed about it elsewhere is left out."""
    info = tmp_path / "failing-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: failing\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[sweep.commands]\nfails = no_such_module:COMMANDS\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert complete_for_bash(monkeypatch, "sweep ta", "ta") == 0
    assert capsys.readouterr() == ("plain,table\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_sweep(shell: str, capsys: Capture) -> None:
    """It stands on stdout alone, so that a shell can evaluate it."""
    assert main(["completion", shell]) == 0
    written = capsys.readouterr()
    assert f"{VARIABLE}={shell}_complete" in written.out
    assert written.err == ""


def test_another_shell_is_refused(capsys: Capture) -> None:
    """With the names of those that there are."""
    assert main(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err
