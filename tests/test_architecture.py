"""The rooms import one way, as ARCHITECTURE.md draws them."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


def test_import_contracts_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every contract of pyproject.toml is kept: layers, and who may know torch, optuna and pandas."""
    cli = pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.syspath_prepend(REPOSITORY)
    failed = cli.lint_imports(config_filename="pyproject.toml", cache_dir=None)
    report = capsys.readouterr().out
    assert not failed, report
    assert " kept, 0 broken" in report
