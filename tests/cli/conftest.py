"""The fixtures of the command line's tests."""

from pathlib import Path

import pytest

from tests.support.small_study import lay_out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with words and a study file, where nothing was run yet; the working directory."""
    path = lay_out(tmp_path / "fresh")
    monkeypatch.chdir(path)
    return path
