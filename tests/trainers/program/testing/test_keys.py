"""The keys of a study file that define a program's test."""

from pathlib import Path

import pytest

from sweep.definition.study_file import load_study_file
from sweep.errors import DataError, StudyFileError
from tests.support.tested_programs import GUARDED, lay_out


def mistake(folder: Path, old: str, new: str, kind: str = "command") -> str:
    """Return what is wrong with the study of a kind after a change."""
    lay_out(folder, kind)
    path = folder / "studies" / "own.toml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(StudyFileError) as caught:
        load_study_file(path)
    return str(caught.value)


def test_a_test_belongs_to_the_definition(tmp_path: Path) -> None:
    """A test command need not use every parameter, and may use those of the training."""
    lay_out(tmp_path / "own", "command")
    spec = load_study_file(tmp_path / "own" / "studies" / "own.toml")
    assert spec.program["test_command"] == ["python", "evaluate.py", "{checkpoint}", "{seed}"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("test_command = [", 'test = "trainers:test"\ntest_command = [', "remove one of them"),
        ('"{checkpoint}"', '"{chekpoint}"', "test_command: "),
        ('["python", "evaluate.py", "{checkpoint}", "{seed}"]', '"evaluate.py"', "must be a list of tokens"),
        ("test_command = [", "test = 3\nseeds = [", "test must be"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    """Each is one line with the key."""
    assert says in mistake(tmp_path / "own", old, new)


def test_what_trials_read_is_no_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file among both globs is refused before the first trial; a test file need not be there."""
    lay_out(tmp_path / "own", "function", GUARDED + 'files = ["data/*"]\n')
    monkeypatch.chdir(tmp_path / "own")
    spec = load_study_file("studies/own.toml")
    with pytest.raises(DataError, match=r"data/test.txt in both data.files and data.test_files"):
        spec.task.load_data(spec.data)
    Path("data/test.txt").rename("data/train.csv")
    assert spec.task.load_data(spec.data).n_files == 1
