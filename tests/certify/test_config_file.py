"""Exported configurations: what is written comes back, and what is no such file is told."""

import re
import tomllib
from pathlib import Path

import pytest

from sweep.certify.config_file import (
    choose_trial,
    is_config_file,
    load_config,
    load_exported_data,
    write_config,
)
from sweep.definition.records import StudyRecord
from sweep.errors import ConfigError, DataError, MachineError, NotFoundError, SweepError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.task import identifying_values
from tests.support.small_study import _own_ledger, made_up_words, small, trained, write_words

__all__ = ["_own_ledger", "small", "trained"]  # fixtures


@pytest.fixture
def study(small: Path) -> StudyRecord:
    """The small study, its folder the working directory."""
    assert Path.cwd() == small
    return load_study(Database("sqlite:///studies/sweep.db").open_read_only(), "small")


@pytest.fixture
def best(study: StudyRecord) -> Path:
    """Its best trial, exported."""
    path = Path("best.toml")
    write_config(study, choose_trial(study, None), path)
    return path


def test_the_best_is_the_lowest_loss(study: StudyRecord) -> None:
    """Without a number the trial of the lowest dev loss is taken; with one, that one."""
    best = min(study.trials, key=lambda trial: trial.dev_loss or 99)
    assert choose_trial(study, None) == best
    assert [choose_trial(study, number).number for number in range(6)] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(NotFoundError, match="study 'small' has no trial 6; it has 6"):
        choose_trial(study, 6)


def test_what_is_exported_comes_back(study: StudyRecord, best: Path) -> None:
    """Every hyperparameter, the seed and the loss survive bit for bit, with where they come from."""
    trial = choose_trial(study, None)
    config, provenance = load_config(best)
    assert identifying_values(study.task, config.to_dict()) == study.config_values(trial)
    assert provenance.dev_loss == trial.dev_loss
    assert (provenance.study, provenance.trial) == ("small", trial.number)
    assert provenance.data_sha256 == study.identity["data_sha256"]
    assert is_config_file(best)
    assert not is_config_file("studies/small.toml")
    assert not is_config_file("data/words.txt")
    assert not is_config_file("nope.toml")


def test_the_file_is_plain_toml(best: Path) -> None:
    """Two tables that a person reads: [config] with every field, [provenance]."""
    raw = tomllib.loads(best.read_text())
    assert list(raw) == ["config", "provenance"]
    assert {"block_size", "learning_rate", "seed", "init"} <= raw["config"].keys()
    assert {"words", "split", "engine", "device", "sweep", "torch", "exported"} <= raw["provenance"].keys()


@pytest.mark.parametrize(
    ("pattern", "new", "message"),
    [
        (r"block_size = \d", "block_size = 0", "block_size must be from 1 to 256, got 0"),
        (r"block_size = \d", 'block_size = "3"', "block_size"),
        (r"block_size = \d", "blocksize = 3", "unknown hyperparameter 'blocksize'"),
        (r"dev_loss = .*", "dev_loss = 2", r"provenance.dev_loss has the wrong type: 2"),
        (r"dev_loss = .*", "", "provenance.dev_loss is missing"),
        (r"\[provenance\]", "[origin]", "not an exported configuration"),
        (r"\[config\]", "[config", "not a TOML file"),
    ],
)
def test_a_broken_file_is_told(pattern: str, new: str, message: str, best: Path) -> None:
    """The line names the file, the key and the rule."""
    text, count = re.subn(pattern, new, best.read_text(), count=1)
    assert count == 1
    best.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as error:
        load_config(best)
    assert str(error.value).startswith("best.toml: ")


def test_what_is_no_file_is_told(best: Path) -> None:
    """A missing file, a folder and a file in another encoding each have their line."""
    with pytest.raises(ConfigError, match=r"nope\.toml does not exist; `sweep export STUDY` writes one"):
        load_config("nope.toml")
    with pytest.raises(ConfigError, match="studies cannot be read: Is a directory"):
        load_config("studies")
    best.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_config(best)


UNHOLDABLE = {
    "lists": "a = " + "[" * 5_000 + "]" * 5_000,
    "dotted key": f"[config]\n{'.'.join('a' * 1_200)} = 1\n[provenance]\n",
    "long number": "a = " + "9" * 5_000,
    "long number in hexadecimal": f"[config]\n[provenance]\nstudy = 0x{'f' * 5_000}\n",
}


@pytest.mark.parametrize("text", UNHOLDABLE.values(), ids=list(UNHOLDABLE))
def test_a_file_that_no_parser_can_hold_is_told(text: str, tmp_path: Path) -> None:
    """TOML that is nested too deeply, or has a number too long, is refused like any other broken file."""
    path = tmp_path / "best.toml"
    path.write_text(text)
    assert not is_config_file(path)
    with pytest.raises(ConfigError, match=r"best\.toml: (not a TOML file|key '.*' (is nested|holds))"):
        load_config(path)


def test_nothing_is_overwritten_unasked(study: StudyRecord, best: Path) -> None:
    """A file that exists stays unless forced; a folder is never replaced; a bad path is told."""
    trial = choose_trial(study, 0)
    before = best.read_bytes()
    with pytest.raises(SweepError, match=r"best\.toml exists and is not overwritten"):
        write_config(study, trial, best)
    assert best.read_bytes() == before
    write_config(study, trial, best, force=True)
    assert load_config(best)[1].trial == 0
    with pytest.raises(SweepError, match="studies is a folder"):
        write_config(study, trial, Path("studies"), force=True)
    with pytest.raises(MachineError, match=r"words\.txt/x\.toml cannot be written: "):
        write_config(study, trial, Path("data/words.txt/x.toml"))


def test_only_the_exported_list_is_read(best: Path) -> None:
    """Other words have other indices: they are refused with both hashes."""
    _, provenance = load_config(best)
    assert load_exported_data(provenance.data, provenance).sha256 == provenance.data_sha256
    write_words(Path("other.txt"), made_up_words(seed=2))
    with pytest.raises(DataError, match=rf"other\.txt does not hold .*{provenance.data_sha256[:8]}"):
        load_exported_data({**provenance.data, "words": "other.txt"}, provenance)
