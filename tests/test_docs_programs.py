"""What README, docs and Makefile name beside ``sweep``: targets of make, extras, scripts, their options."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections import defaultdict

from tests.support.documented import PAGES, REPOSITORY, Typed, blocks
from tests.support.small_study import environment

MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")
TYPED: list[Typed] = [
    one
    for page in (*PAGES, "CONTRIBUTING.md", "ARCHITECTURE.md", "studies/examples/README.md")
    for block in blocks(page)
    for one in block
]

HELP = """
import os, runpy, sys
for script in sys.argv[1:]:
    print("script", script, flush=True)
    if not os.fork():
        sys.path[0], sys.argv = os.path.dirname(script), [script, "--help"]
        has_options = "ArgumentParser" in open(script).read()
        runpy.run_path(script, run_name="__main__" if has_options else "imported")
        sys.exit()
    if os.wait()[1]:
        sys.exit(f"{script} does not start")
"""
"""Prints the help of each script, each in a process of its own; one without options is only loaded."""


def scripts() -> dict[str, set[str]]:
    """Return the scripts that are named, in a command or alone, and the options that they are given."""
    made = [shlex.split(line) for line in re.findall(r"^\t.*\$\(BIN\)/python (.*\.py.*)", MAKEFILE, re.M)]
    named = [one.words[1:] if one.words[0] == "python" else one.words for one in TYPED]
    found = defaultdict[str, set[str]](set)
    for words in (*made, *named):
        if words and re.fullmatch(r"(?:tests/(?:benchmarks|examples|faults)|docs)/[\w/]+\.py", words[0]):
            found[words[0]] |= {word for word in words if word.startswith("--")}
    return {name: found[name] for name in sorted(found) if not name.rpartition("/")[2].startswith("test_")}


def test_every_target_of_make_exists() -> None:
    """A renamed target is renamed in the docs."""
    named = {one.words[1] for one in TYPED if one.words[0] == "make" and len(one.words) == 2}
    assert {"run", "test", "docs", "bench"} <= named <= set(re.findall(r"^([\w-]+):", MAKEFILE, re.M))


def test_every_extra_exists() -> None:
    """``pip install '.[NAME]'`` installs something."""
    installed = [word for one in TYPED if one.words[:2] == ("pip", "install") for word in one.words]
    named = {name for names in re.findall(r"\[([\w,-]+)\]", " ".join(installed)) for name in names.split(",")}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert {"postgres", "s3", "ray", "cuda"} <= named <= set(project["optional-dependencies"])


def test_every_script_starts_and_has_its_options() -> None:
    """A script that no other test starts is found broken here, and so is a renamed option."""
    named = scripts()
    assert len(named) > 20
    done = subprocess.run(
        [sys.executable, "-", *named],
        input=HELP,
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    helps = dict(re.findall(r"^script (\S+)\n(.*?)(?=^script |\Z)", done.stdout, re.M | re.S))
    assert helps.keys() == named.keys()
    for script, options in named.items():
        assert options <= set(re.findall(r"--[\w-]+", helps[script])), script
