"""The rooms import one way, as ARCHITECTURE.md draws them."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "ARCHITECTURE.md"


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every contract of pyproject.toml is kept: layers, and who may know torch, optuna and pandas."""
    cli = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.syspath_prepend(REPOSITORY)
    failed = cli.lint_imports(config_filename="pyproject.toml", cache_dir=None)
    report = capsys.readouterr().out
    assert not failed, report
    assert " kept, 0 broken" in report


def test_the_page_names_no_module_that_is_gone() -> None:
    """Every ``name.py`` on the page is a file here."""
    named = set(re.findall(r"[a-z_0-9]+\.py", PAGE.read_text()))
    there = {path.name for folder in ("sweep", "tests") for path in (REPOSITORY / folder).rglob("*.py")}
    assert named - there == set()


def test_the_page_draws_the_chain_of_the_contract() -> None:
    """The order of the rooms is that which import-linter proves."""
    contract = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ][0]
    drawn = re.search(r"Imports run one way:\n\n(.*?)\n\n", PAGE.read_text(), re.DOTALL)
    assert drawn is not None
    assert " > ".join(contract["layers"]) == " ".join(drawn[1].split())
