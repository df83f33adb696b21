"""Help, usage, and what is printed about a mistyped command line."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sweep import __version__
from sweep.cli import main
from sweep.cli.arguments import parse_arguments
from sweep.cli.registry import built_in_commands
from sweep.storage.default_address import DEFAULT_STORAGE, STORAGE_VARIABLE
from tests.support.command_line import SWEEP, Capture
from tests.support.small_study import (
    environment,
)
from tests.support.sweep_command import DEADLINE_S

HEAVY = {"torch", "optuna", "pandas", "plotly", "numpy", "numba"}


def bash(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell."""
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


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


@pytest.fixture(autouse=True)
def terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The help is as wide as a terminal."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("name", built_in_commands())
def test_every_command_shows_an_example(name: str, capsys: Capture) -> None:
    """A command's help holds a line to copy, which the command itself accepts; it fits any terminal."""
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()
    example = text.partition("  Example:\n    sweep ")[2]
    assert len(example.splitlines()) == 1
    assert parse_arguments(example.split()).run is built_in_commands()[name].callback


def test_the_help_of_sweep_lists_every_command_in_80_columns(capsys: Capture) -> None:
    """In the order in which they are used, with a whole sentence each; -h is the same."""
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert main(["-h"]) == 0
    assert capsys.readouterr().out == text
    assert max(map(len, text.splitlines())) <= 80
    assert re.findall(r"^  ([a-z][a-z-]*)  ", text, re.MULTILINE) == list(built_in_commands())
    assert "..." not in text.partition("Commands:")[2]


def test_the_help_has_no_colours_in_a_pipe(tmp_path: Path) -> None:
    """Whatever the terminal can do."""
    done = bash(f"{SWEEP} copy --help", tmp_path, TERM="xterm-256color", FORCE_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_nothing_but_sweep_shows_the_help(capsys: Capture) -> None:
    """As `sweep --help` does."""
    assert main([]) == 0
    written = capsys.readouterr()
    assert main(["--help"]) == 0
    assert written == capsys.readouterr()
    assert "First steps:" in written.out


def test_version_is_told(capsys: Capture) -> None:
    """`sweep --version` names the version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"sweep {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frob"], "sweep: error: No such command 'frob'; `sweep --help` shows"),
        (["rnu", "x.toml"], "sweep: error: No such command 'rnu'. Did you mean 'run'? `sweep --help` shows"),
        (
            ["run", "--trails", "5", "x.toml"],
            "sweep run: error: No such option '--trails'. Did you mean '--trials'?",
        ),
        (
            ["run", "x.toml", "--tri", "5"],
            "sweep run: error: No such option '--tri'. Did you mean '--trials'?",
        ),
        (["copy", "small", "--too=x.db"], "sweep copy: error: No such option '--too'. Did you mean '--to'?"),
        (["table", "small", "--xyz"], "sweep table: error: No such option '--xyz'"),
        (["table", "small", "-x"], "sweep table: error: No such option '-x'"),
        (["table", "small", "other"], "sweep table: error: Got unexpected extra argument (other)"),
        (["table", "small", "\x1b[1m"], r"sweep table: error: Got unexpected extra argument (\x1b[1m)"),
        (["list", "--st\x1b[1m"], r"sweep list: error: No such option '--st\x1b[1m'"),
        (["table"], "sweep table: error: Missing argument 'STUDY'"),
        (["copy", "small"], "sweep copy: error: Missing option '--to'"),
        (["table", "small", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of 'text', "),
        (["table", "small", "--format"], "sweep table: error: Option '--format' requires an argument"),
        (["table", "small", "--advice=no"], "sweep table: error: Option '--advice' does not take a value"),
        (
            ["export", "small", "-o", "--force"],
            "sweep export: error: Option '--output' requires an argument",
        ),
        (["run", "x.toml", "--trials", "0"], "Invalid value for '--trials': must be 1 or more, got 0"),
        (["run", "x.toml", "--workers", "two"], "'--workers': must be a whole number, got 'two'"),
        (["confirm", "small", "--alpha", "low"], "'--alpha': 'low' is not a valid float"),
        (["replay", "small", "--trial", "-1"], "Invalid value for '--trial': must be 0 or more, got -1"),
        (["dashboard", "--port", "99999"], "'--port': must be from 0 to 65535, got 99999"),
        (["dashboard", "--port", "http"], "'--port': must be a whole number, got 'http'"),
        (
            ["init"],
            "sweep init: error: Give exactly one of '[DIR]', '--from-script', '--from-optuna', '--function'",
        ),
        (
            ["init", "demo", "--function"],
            "sweep init: error: '[DIR]' and '--function' are given, only one of them may be; -o PATH says",
        ),
        (
            ["init", "--function", "mymodel.py:train"],
            "`sweep init --function -o mine` and write its MODULE:NAME after `trainer =` in mine/study.toml",
        ),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], message: str, capsys: Capture) -> None:
    """One line says what is wrong, in words and not as Python, and names the command that helps."""
    assert main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    (error,) = written.err.splitlines()
    assert message in error
    command = f"sweep {arguments[0]}" if arguments[0] in built_in_commands() else "sweep"
    assert error.startswith(f"{command}: error: ")
    end = " " if "Did you mean" in error else "; "
    assert error.endswith(f"{end}`{command} --help` shows how to use it")
    assert "?;" not in error


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (["sample", "x.toml", "-n5"], "n", 5),
        (["sample", "-n", "5", "x.toml"], "config", "x.toml"),
        (["plot", "small", "history", "-ox.html"], "output", "x.html"),
        (["plot", "--force", "small", "--output=x.html", "history"], "name", "history"),
        (["plot", "small"], "name", None),
        (["test", "x.toml", "--again", "-1"], "again", "-1"),
        (["test", "x.toml", "--again", "--as I said"], "again", "--as I said"),
        (["test", "x.toml"], "again", ""),
        (["confirm", "small", "--delta", "-1e-3"], "delta", -1e-3),
        (["table", "--", "--small"], "study", "--small"),
        (["run", "x", "--set", "a=1", "--set=b=x=2"], "settings", ("a=1", "b=x=2")),
        (["run", "x"], "settings", ()),
        (["run", "x", "--from", "y", "--from-top", "3"], "source_top", 3),
        (["run", "x", "--as", "y"], "new_name", "y"),
        (["dashboard", "--port", "0"], "port", 0),
        (["run", "x", "--trials", "5", "--trials", "6"], "trials", 6),
        (["list", "--storage", "sqlite:///x.db"], "storage", "sqlite:///x.db"),
    ],
)
def test_what_a_line_says(line: list[str], name: str, value: object) -> None:
    """Options before and behind, written together, repeated, and values that look like options."""
    assert getattr(parse_arguments(line), name) == value


@pytest.mark.parametrize(
    ("variable", "storage"), [("sqlite:///x.db", "sqlite:///x.db"), ("", DEFAULT_STORAGE)]
)
def test_the_environment_names_the_database(
    variable: str, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SWEEP_STORAGE, unless it is empty or the line names another one."""
    monkeypatch.setenv(STORAGE_VARIABLE, variable)
    assert parse_arguments(["list"]).storage == storage
    assert parse_arguments(["list", "--storage=sqlite:///y.db"]).storage == "sqlite:///y.db"


@pytest.mark.parametrize("line", ["--help", "table --help", "--version", "table"])
def test_nobody_reads(line: str, tmp_path: Path) -> None:
    """A closed output, and a reader that has gone, end without a traceback."""
    usage_error = line == "table"
    for ending, status in ((">&-", 2 * usage_error), ("2>&-", 2 * usage_error), ("| true", 0)):
        done = bash(f"{SWEEP} {line} {ending}", tmp_path)
        assert "Traceback" not in done.stderr
        assert done.returncode == status


def test_only_the_command_line_needs_click(tmp_path: Path) -> None:
    """The library's functions are found where click cannot be imported."""
    program = "import sys; sys.modules['click'] = None; import sweep; print(sweep.run, sweep.load_study)"
    done = bash(f'{shlex.quote(sys.executable)} -c "{program}"', tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_full_disk_under_the_help_is_told(tmp_path: Path) -> None:
    """As for whatever else is printed."""
    done = bash(f"{SWEEP} --help > /dev/full", tmp_path)
    assert (done.returncode, done.stderr) == (3, "sweep: the output: No space left on device\n")
