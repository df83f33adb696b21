"""The scripts and manifests in docs/cluster: what can be known of them without a cluster."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sweep.cli.arguments import parse_arguments

DOCS = Path(__file__).resolve().parents[1] / "docs"
FILES = sorted((DOCS / "cluster").iterdir())
SCRIPTS = [path for path in FILES if path.suffix == ".sh"]
MANIFESTS = [path for path in FILES if path.suffix == ".yaml"]
PAGE = DOCS / "cluster.md"


def name(path: Path) -> str:
    return path.name


def within(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a manifest."""
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from within(part)


def pods(path: Path) -> list[dict[str, Any]]:
    return [part for part in within(yaml.safe_load(path.read_text())) if "containers" in part]


def commands(path: Path) -> list[list[str]]:
    """The `sweep` command lines of a file, variables replaced by their defaults."""
    if path.suffix == ".yaml":
        parts = list(within(yaml.safe_load(path.read_text())))
        whole = [part["command"] for part in parts if "command" in part]
        return whole + [shlex.split(part["entrypoint"]) for part in parts if "entrypoint" in part]
    plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", path.read_text())
    return [
        shlex.split(line, comments=True) for line in re.findall(r"^(?:exec | {4})(sweep .*)", plain, re.M)
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=name)
def test_a_script_is_bash(script: Path) -> None:
    """Bash reads it to its end."""
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("path", [*SCRIPTS, *MANIFESTS, PAGE], ids=name)
def test_its_commands_are_ours(path: Path) -> None:
    """The parser takes every command line; there is at least one."""
    found = commands(path)
    assert found
    for program, *arguments in found:
        assert program == "sweep"
        assert parse_arguments(arguments).run


@pytest.mark.parametrize("manifest", MANIFESTS, ids=name)
def test_a_manifest_mounts_what_it_declares(manifest: Path) -> None:
    """No pod mounts a volume that it does not have, which no schema can say."""
    assert pods(manifest)
    for pod in pods(manifest):
        mounted = {mount["name"] for part in pod["containers"] for mount in part.get("volumeMounts", [])}
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_secret_stands_in_it(path: Path) -> None:
    """No URL has a password, and a manifest takes it from a Secret."""
    assert not re.search(r"://[^/@\s]*:[^/@\s]*@", path.read_text())
    if path in MANIFESTS:
        settings = [
            entry for pod in pods(path) for part in pod["containers"] for entry in part.get("env", [])
        ]
        secret = [entry for entry in settings if entry["name"] == "PGPASSWORD"]
        assert secret
        assert all("secretKeyRef" in entry["valueFrom"] and "value" not in entry for entry in secret)


def test_the_page_leads_to_each_of_them() -> None:
    """A file that nobody finds is none."""
    assert {path.name for path in FILES} == set(re.findall(r"\(cluster/([\w.-]+)\)", PAGE.read_text()))
