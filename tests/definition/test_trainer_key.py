"""The key ``trainer`` of a study file: which trainer it finds, and what becomes of the study's identity."""

from pathlib import Path

import pytest

from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file
from sweep.errors import OptionError, StudyFileError
from sweep.task import load_task
from sweep.trainers.mlp.trainer import MLP

MLP_SEARCH = "[search]\nblock_size = { low = 2, high = 3 }\n"
TOY_SEARCH = "[search]\nx = { low = 0.0, high = 1.0 }\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that offers the trainer ``toy`` by its entry point, as an installer lays it out."""
    site = tmp_path / "site"
    (site / "toy_trainer-1.dist-info").mkdir(parents=True)
    (site / "toy_trainer.py").write_text("from tests.support.toy_task import ToyTask\n\nTOY = ToyTask()\n")
    (site / "toy_trainer-1.dist-info" / "METADATA").write_text("Name: toy-trainer\nVersion: 1\n")
    (site / "toy_trainer-1.dist-info" / "entry_points.txt").write_text(
        "[sweep.trainers]\ntoy = toy_trainer:TOY\n"
    )
    monkeypatch.syspath_prepend(site)


def read(folder: Path, text: str) -> StudySpec:
    path = folder / "study.toml"
    path.write_text(text)
    return load_study_file(path)


@pytest.mark.parametrize("line", ["", 'trainer = "mlp"\n'])
def test_a_study_of_the_mlp_keeps_its_identity(line: str, tmp_path: Path) -> None:
    """With or without the key, nothing of it is in the identity, so stored studies continue."""
    spec = read(tmp_path, line + MLP_SEARCH)
    assert load_task(spec.trainer) is MLP
    assert "trainer" not in spec.identity(MLP, "ab" * 32)


@pytest.mark.usefixtures("installed")
def test_a_trainer_of_an_installed_package_is_found(tmp_path: Path) -> None:
    """Its hyperparameters are those that the file may name, and the identity holds its name."""
    spec = read(tmp_path, 'trainer = "toy"\n' + TOY_SEARCH)
    task = load_task(spec.trainer)
    assert (spec.trainer, task.name) == ("toy", "toy")
    assert spec.fixed["conduct"] == "learn"
    assert spec.identity(task, "ab" * 32)["trainer"] == "toy"
    with pytest.raises(StudyFileError, match="block_size"):
        read(tmp_path, 'trainer = "toy"\n' + MLP_SEARCH)


def test_an_unknown_trainer_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """The file is named, and a key tells this fault from others."""
    with pytest.raises(StudyFileError, match=r"study\.toml: trainer: no trainer 'mpl' is installed.*mlp"):
        read(tmp_path, 'trainer = "mpl"\n' + MLP_SEARCH)
    with pytest.raises(StudyFileError, match=r"trainer must be the name of a trainer, or .*, got 3"):
        read(tmp_path, "trainer = 3\n" + MLP_SEARCH)


def test_a_variant_keeps_its_trainer(tmp_path: Path) -> None:
    """Another trainer has other hyperparameters, so it needs another file."""
    path = tmp_path / "study.toml"
    path.write_text(MLP_SEARCH)
    with pytest.raises(OptionError, match="a variant keeps its study's trainer"):
        load_study_file(path, settings=["trainer=toy"])
