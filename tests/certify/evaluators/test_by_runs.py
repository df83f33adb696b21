"""The test split of a program's study: a run of its own for each certified seed, once, under the ledger."""

import re
import shutil
import statistics
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sweep.cli import main
from sweep.storage.database import Database
from sweep.storage.looks.stored_looks import TestLook, read_looks
from tests.support.command_line import Capture
from tests.support.tested_programs import KINDS, confirmed, copied, entered, error_on_test

PROGRAMS = Path("studies/sweep.db.programs")


@pytest.fixture(params=KINDS)
def own(request: pytest.FixtureRequest, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A confirmed and exported study of each kind of program."""
    return copied(confirmed(tmp_path_factory, request.param), tmp_path / "own")


@pytest.fixture
def function(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the function."""
    return copied(confirmed(tmp_path_factory, "function"), tmp_path / "own")


def document() -> dict[str, Any]:
    """Return what the exported file holds."""
    return tomllib.loads(Path("best.toml").read_text())


def expected() -> list[float]:
    """Return the test error of each certified seed, computed by hand."""
    exported = document()
    seeds = exported["certificate"]["seeds"]
    return [error_on_test({"x": exported["config"]["x"], "seed": seed}) for seed in seeds]


def looks() -> list[TestLook]:
    """Return what the study's database records."""
    return read_looks(Database("sqlite:///studies/sweep.db").open_read_only())


def change(old: str, new: str) -> None:
    """Change a text of the exported file."""
    text = Path("best.toml").read_text()
    assert old in text
    Path("best.toml").write_text(text.replace(old, new))


def test_each_certified_seed_is_tested_once(own: Path, tmp_path: Path, capsys: Capture) -> None:
    """Value, mean and spread are those computed by hand; a further look, in any database, needs a reason."""
    with entered(own):
        assert not list(PROGRAMS.rglob("test"))
        capsys.readouterr()
        assert main(["test", "best.toml"]) == 0
        shown, values = capsys.readouterr().out, expected()
        mean, spread = statistics.fmean(values), statistics.stdev(values)
        assert f"{mean:.4f}, mean of 3 seeds, spread {spread:.4f} (look 1, recorded)" in shown
        assert "(of the kept checkpoints, exported " in shown
        [look] = looks()
        assert sorted(seed.test_loss or 0 for seed in look.seeds) == pytest.approx(sorted(values), abs=1e-12)
        tested = [path.read_text() for path in (PROGRAMS / "own" / "confirm").glob("*/test/tested")]
        assert sorted(map(int, tested)) == sorted(document()["certificate"]["seeds"])

        for arguments in ([], ["--storage", f"sqlite:///{tmp_path}/other.db"]):
            assert main(["test", "best.toml", *arguments]) == 1
            refused = capsys.readouterr()
            assert refused.out == ""
            assert re.search(r"these test files were looked at before .*test error 0\.\d{4}", refused.err)
        assert main(["test", "best.toml", "--again", "a second reader"]) == 0
        assert "(look 2, recorded)" in capsys.readouterr().out


def test_models_without_a_checkpoint_are_trained_again(own: Path, capsys: Capture) -> None:
    """They come out as exported, or the test split is not touched."""
    with entered(own):
        shutil.rmtree(PROGRAMS)
        capsys.readouterr()
        assert main(["test", "best.toml"]) == 0
        written = capsys.readouterr()
        assert written.err.count("training trial") == 3
        assert "(equal, exported " in written.out
        assert f"{statistics.fmean(expected()):.4f}, mean of 3 seeds" in written.out


def test_another_value_than_the_exported_one_is_no_model_to_test(function: Path, capsys: Capture) -> None:
    """A training that does not come out as exported is not tested, and no look is recorded."""
    with entered(function):
        value = document()["certificate"]["values"][0]
        change(repr(value), repr(value + 1))
        capsys.readouterr()
        assert main(["test", "best.toml"]) == 1
        assert "this is not the exported model; the test split was not used" in (capsys.readouterr().err)
        assert looks() == []


def test_a_study_that_names_no_test_files_is_not_guarded(function: Path, capsys: Capture) -> None:
    """The look says so, and refuses no other."""
    with entered(function):
        change('test_files = [\n    "data/*.txt",\n]\n', "")
        capsys.readouterr()
        for _ in range(2):
            assert main(["test", "best.toml"]) == 0
            written = capsys.readouterr()
            assert "not guarded: the study does not name the files that the test reads" in written.err
            assert "(not guarded, recorded)" in written.out
        assert [look.test_sha256 for look in looks()] == ["", ""]


def test_a_study_without_a_test_has_nothing_to_run(function: Path, capsys: Capture) -> None:
    """One line names the keys."""
    with entered(function):
        change('test = "trainers:test"\n', "")
        capsys.readouterr()
        assert main(["test", "best.toml"]) == 1
        [line] = capsys.readouterr().err.splitlines()
        assert 'test = "module:function" or test_command = [...]' in line


def test_a_test_that_fails_has_looked(function: Path, capsys: Capture) -> None:
    """Its error is one line, the look counts, and another program than before runs only with --trust."""
    with entered(function):
        change("trainers:test", "trainers:broken_test")
        capsys.readouterr()
        assert main(["test", "best.toml"]) == 1
        assert "pass --trust" in capsys.readouterr().err
        assert looks() == []
        assert main(["test", "best.toml", "--trust"]) == 1
        said = capsys.readouterr().err.splitlines()[-1]
        assert "ValueError: no such column" in said
        assert "the look is recorded" in said
        [look] = looks()
        assert look.test_loss is None
        assert main(["test", "best.toml"]) == 1
        assert "unknown (interrupted)" in capsys.readouterr().err


def test_a_test_that_does_not_exist_has_not_looked(function: Path, capsys: Capture) -> None:
    """It is found out before anything is recorded."""
    with entered(function):
        change("trainers:test", "trainers:tets")
        capsys.readouterr()
        assert main(["test", "best.toml", "--trust"]) == 1
        assert "tets" in capsys.readouterr().err
        assert looks() == []


def test_one_seed_is_said_to_be_one(function: Path, capsys: Capture) -> None:
    """Without a certificate the exported trial alone is tested."""
    with entered(function):
        assert main(["export", "own", "--trial", "0", "-o", "zero.toml"]) == 0
        capsys.readouterr()
        assert main(["test", "zero.toml"]) == 0
        written = capsys.readouterr()
        assert "the export has no certificate: only the seed of the search" in written.err
        config = tomllib.loads(Path("zero.toml").read_text())["config"]
        assert f"test error  {error_on_test(config):.4f} (look 1, recorded)" in written.out
