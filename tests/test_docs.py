"""README and docs: links lead somewhere, and each command that they name exists with its options."""

import contextlib
import functools
import io
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.cli import main

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
NAMES = [str(page.relative_to(REPOSITORY)) for page in PAGES]


@functools.cache
def help_of(command: str) -> str:
    """Return what ``sweep COMMAND --help`` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main([command, "--help"])
    return out.getvalue()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(page: Path) -> list[list[str]]:
    """Return the ``sweep`` commands of a page: lines of code, and code within a sentence."""
    text = page.read_text()
    lines = re.findall(r"^ {4}(.*\bsweep .+)$", text, re.M)
    lines += [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    lines += [code.replace("\n", " ") for code in re.findall(r"`(sweep [^`]+)`", text)]
    found = []
    for line in lines:
        for part in re.split(r"&&|\|", line.partition(" #")[0]):
            tokens = shlex.split(part)
            if tokens[:1] == ["sweep"] and re.fullmatch(r"[a-z][a-z-]+", "".join(tokens[1:2])):
                found.append(tokens[1:])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    """Pictures too; other hosts are not asked."""
    page = REPOSITORY / name
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"https?://", link):
            file, _, anchor = link.partition("#")
            target = (page.parent / file) if file else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists_with_its_options(name: str) -> None:
    """A renamed command or option is renamed in the docs."""
    if name == "CHANGELOG.md":
        return  # it names what was
    for command, *rest in commands(REPOSITORY / name):
        text = help_of(command)
        assert text, f"no command {command!r}"
        for option in (token.partition("=")[0] for token in rest if token.startswith("--")):
            assert re.search(rf"{re.escape(option)}\b", text), f"sweep {command} has no {option}"


def test_the_readme_names_every_command_of_a_session() -> None:
    """Or this module finds no command any more."""
    named = {command for command, *_ in commands(REPOSITORY / "README.md")}
    assert named >= {
        "plan",
        "run",
        "table",
        "report",
        "dashboard",
        "confirm",
        "export",
        "replay",
        "test",
        "init",
    }


@pytest.mark.parametrize("name", [name for name in NAMES if name != "CHANGELOG.md"])
def test_every_file_that_is_named_exists(name: str) -> None:
    """A moved test or module is found where the docs say."""
    text = (REPOSITORY / name).read_text()
    for path in set(re.findall(r"`((?:tests|sweep|studies)/[\w./-]+\.(?:py|toml|json|md|css|js))`", text)):
        assert (REPOSITORY / path).exists(), path


def test_the_reference_is_that_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """``make docs`` writes it again."""
    monkeypatch.setenv("COLUMNS", "80")
    for name, text in runpy.run_path(str(REPOSITORY / "docs/reference/generate.py"))["pages"]().items():
        assert (REPOSITORY / "docs/reference" / name).read_text("utf-8") == text, "run make docs"


def test_the_site_is_built_without_a_dead_link(tmp_path: Path) -> None:
    """MkDocs refuses links to pages and headings that the site lacks; no page loads from another host."""
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)]
    made = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    pages = {page.relative_to(tmp_path).as_posix(): page.read_text() for page in tmp_path.rglob("*.html")}
    assert pages.keys() >= {"index.html", "architecture.html", "reference/commands.html"}
    loaded = [
        re.findall(r"<(?:script|img|link)[^>]+(?:src|href)=\"?(https?:[^\" >]+)", page)
        for page in pages.values()
    ]
    assert not any(loaded)
