"""The one look at the test split: its loss, its record, and what stands before it."""

import dataclasses
import json
import math
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

from sweep.certify.config_file import choose_trial, load_config, write_config
from sweep.certify.provenance import Provenance
from sweep.certify.test_split.final_test import Exported, FinalTest, run_final_test
from sweep.certify.test_split.leaks import leak_warnings
from sweep.certify.test_split.ledger import ledger_path, read_ledger
from sweep.certify.test_split.look_guard import all_looks
from sweep.cli import main
from sweep.errors import DataError, StorageError, TestSplitError
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.looks.stored_looks import looks_of_study, read_looks
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.config import TrainConfig
from tests.support.small_study import _own_ledger, environment, made_up_words, small, trained, write_words
from tests.support.sweep_command import DEADLINE_S

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

WORDS = "data/words.txt"
URL = "sqlite:///studies/sweep.db"


@pytest.fixture
def database(small: Path) -> Database:
    """The database of the small study, in the working directory."""
    assert Path.cwd() == small
    return Database("sqlite:///studies/sweep.db")


@pytest.fixture
def best(database: Database) -> tuple[TrainConfig, Provenance]:
    """The best trial of the small study, exported and read back."""
    study = load_study(database.open_read_only(), "small")
    write_config(study, choose_trial(study, None), Path("best.toml"))
    return load_config("best.toml")


def look(
    config: TrainConfig, provenance: Provenance, database: Database, *, words: str = WORDS, again: str = ""
) -> FinalTest:
    section = {**provenance.data, "words": words}
    export = Exported(config=config, provenance=provenance, section=section)
    (final,) = run_final_test([export], database, again=again, device="auto", say=lambda text: None)
    return final


def cross_entropy_by_torch(state: bytes, block_size: int, words: list[str], vocabulary: list[str]) -> float:
    """Return the loss over every example of some words, one row each, in double precision."""
    raw = safetensors.torch.load(state)
    C, W1, b1, W2, b2 = (raw[name].double() for name in ("C", "W1", "b1", "W2", "b2"))
    contexts, targets = [], []
    for word in words:
        indices = [0] * block_size + [vocabulary.index(letter) for letter in word] + [0]
        for place in range(block_size, len(indices)):
            contexts.append(indices[place - block_size : place])
            targets.append(indices[place])
    hidden = torch.tanh(C[torch.tensor(contexts)].flatten(1) @ W1 + b1)
    return torch.nn.functional.cross_entropy(hidden @ W2 + b2, torch.tensor(targets)).item()


def test_the_loss_is_that_of_every_test_example(
    best: tuple[TrainConfig, Provenance], database: Database
) -> None:
    """The recorded loss equals plain cross-entropy over all test examples, from the weights of the search."""
    config, provenance = best
    study = load_study(database.open_read_only(), "small")
    segment = next(trial for trial in study.trials if trial.number == provenance.trial).segments[-1]
    state = Checkpoints(database.files / "small").read_state(
        provenance.trial, segment.step, segment.state_sha256
    )
    assert state is not None
    shuffled = Path(WORDS).read_text().split()
    vocabulary = [".", *sorted(set("".join(shuffled)))]
    random.Random(42).shuffle(shuffled)  # noqa: S311  the split that the field uses
    dev, test = shuffled[320:360], shuffled[360:]

    final = look(config, provenance, database)

    def oracle(words: list[str]) -> float:
        return cross_entropy_by_torch(state, config.block_size, words, vocabulary)

    assert final.look.test_loss == pytest.approx(oracle(test), abs=1e-6)
    assert final.look.dev_loss == provenance.dev_loss == pytest.approx(oracle(dev), abs=1e-6)
    assert final.verdict == "equal"
    assert final.number == 1


def test_a_look_is_recorded_in_both_places(best: tuple[TrainConfig, Provenance], database: Database) -> None:
    """The database and the ledger hold the same look, with time, hashes, loss and version."""
    config, provenance = best
    storage = database.open_for_writing()
    final = look(config, provenance, database)
    assert read_ledger() == read_looks(storage) == [final.look]
    assert final.look.config_sha256 == config.sha256()
    assert final.look.data_sha256 == provenance.data_sha256
    assert final.look.why == ""
    assert looks_of_study(load_study(storage, "small"), storage) == [final.look]
    assert ledger_path().stat().st_mode & 0o077 == 0  # the user's own


def test_another_dev_loss_is_refused_and_no_look_recorded(
    best: tuple[TrainConfig, Provenance], database: Database
) -> None:
    """A config that does not give the exported dev loss is another model: the test split stays unused."""
    config, provenance = best
    storage = database.open_for_writing()
    with pytest.raises(TestSplitError, match=r"the dev loss came out as .* the test split was not used"):
        look(config.replace(num_steps=1), provenance, database)
    with pytest.raises(TestSplitError, match="the dev loss came out as"):
        look(config, dataclasses.replace(provenance, dev_loss=provenance.dev_loss + 0.021), database)
    assert read_ledger() == read_looks(storage) == []
    assert not ledger_path().exists()
    assert look(config, provenance, database).number == 1


def test_other_words_are_refused(best: tuple[TrainConfig, Provenance], database: Database) -> None:
    """A list that is not the exported one is no test of this model."""
    config, provenance = best
    write_words(Path("other.txt"), made_up_words(seed=2))
    with pytest.raises(DataError, match=r"other\.txt does not hold the data of the export \(sha256 "):
        look(config, provenance, database, words="other.txt")
    assert read_ledger() == []


def test_a_second_look_needs_a_reason(best: tuple[TrainConfig, Provenance], database: Database) -> None:
    """The second look is refused before anything is trained; with a reason it counts as look 2."""
    config, provenance = best
    storage = database.open_for_writing()
    first = look(config, provenance, database)
    with pytest.raises(TestSplitError, match="looked at before"):
        look(config.replace(num_steps=10_000_000), provenance, database)  # would train for minutes
    second = look(config, provenance, database, again="the paper asks for it")
    assert second.number == 2
    assert second.look.why == "the paper asks for it"
    assert second.look.test_loss == first.look.test_loss
    assert [k.why for k in all_looks(storage)] == ["", "the paper asks for it"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_same_words_in_another_file_are_the_list_of_the_export(
    mark: str, end: str, best: tuple[TrainConfig, Provenance], database: Database
) -> None:
    """The words count, not the file: the look is one at the study's list, and a second one is refused."""
    config, provenance = best
    Path("other.txt").write_text(mark + end.join(Path(WORDS).read_text().split()), newline="")
    first = look(config, provenance, database, words="other.txt")
    assert first.look.data_sha256 == provenance.data_sha256
    storage = database.open_read_only()
    assert looks_of_study(load_study(storage, "small"), storage) == [first.look]
    with pytest.raises(TestSplitError, match="these test words were looked at before"):
        look(config, provenance, database)


def export_of(words: list[str], name: str) -> None:
    """Train one configuration on another list and export it."""
    write_words(Path(f"{name}.txt"), words)
    tiny = ("--trials", "1", "--workers", "1", "--words", f"{name}.txt", "--as", name)
    assert main(["run", "studies/small.toml", *tiny]) == 0
    study = next(each for each in study_names(Database(URL).open_read_only()) if each.startswith(name))
    assert main(["export", study, "-o", f"{name}.toml"]) == 0


def test_a_changed_list_does_not_make_used_words_unused(
    best: tuple[TrainConfig, Provenance], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """One word more shuffles the list by one place: most test words stay, and the look is refused."""
    look(*best, database)
    words = Path(WORDS).read_text().split()
    export_of([*words, "zuzuzu"], "appended")
    parts = [list(words), [*words, "zuzuzu"]]
    for part in parts:
        random.Random(42).shuffle(part)  # noqa: S311  the split that the field uses
    shared = len(set(parts[0][360:]) & set(parts[1][360:])) / 41
    assert 0.5 < shared < 1
    capsys.readouterr()

    assert main(["test", "appended.toml"]) == 1
    assert f"{shared:.1%} of these test words were looked at before (" in capsys.readouterr().err
    assert len(read_ledger()) == 1
    assert main(["test", "appended.toml", "--again", "one word was missing"]) == 0
    out, err = capsys.readouterr()
    assert f"{shared:.1%} of these test words were looked at before (" in err
    assert "(look 2, recorded)" in out


def test_a_small_overlap_is_a_first_look_and_printed(
    best: tuple[TrainConfig, Provenance], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below 20 % the look is taken, and the user is shown how many words were looked at before."""
    look(*best, database)
    words = Path(WORDS).read_text().split()
    random.Random(42).shuffle(words)  # noqa: S311  the split that the field uses
    others = made_up_words(800, seed=3)
    fresh = [word for word in others if word not in words][:400]
    place = list(range(400))
    random.Random(42).shuffle(place)  # noqa: S311
    for line, word in zip(place[360:364], words[360:364], strict=True):
        fresh[line] = word  # 4 of its 40 test words
    export_of(fresh, "fresh")
    capsys.readouterr()
    assert main(["test", "fresh.toml"]) == 0
    out, err = capsys.readouterr()
    assert "10.0% of these test words were looked at before (" in err
    assert "below 20%, so a first look" in err
    assert "(look 1, recorded)" in out


DYING = """
import os, sys
from sweep import task
from sweep.certify.test_split import final_test
from sweep.certify.config_file import load_config
from sweep.storage.database import Database
from sweep.trainers.mlp.trainer import MlpTask

class Dying(MlpTask):
    def unit_losses(self, config, data, state, units):
        os._exit(9)

DYING = Dying()
task.BUILT_IN["mlp"] = "__main__:DYING"
config, provenance = load_config("best.toml")
database = Database("sqlite:///studies/sweep.db")
export = final_test.Exported(config=config, provenance=provenance, section=provenance.data)
final_test.run_final_test([export], database, again="", device="auto", say=print)
"""


def test_a_look_that_died_counts(best: tuple[TrainConfig, Provenance], database: Database) -> None:
    """A process that dies while it evaluates leaves a look of unknown loss, and a second is refused."""
    done = subprocess.run(
        [sys.executable, "-c", DYING], env=environment(), capture_output=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 9, done.stderr
    storage = database.open_for_writing()
    (known,) = read_ledger()
    assert read_looks(storage) == [known]
    assert known.test_loss is None
    with pytest.raises(TestSplitError, match=r"test loss unknown \(interrupted\)"):
        look(*best, database)


def test_two_looks_at_once_are_not_both_free(best: tuple[TrainConfig, Provenance]) -> None:
    """Of two processes that train at the same time, one looks and one is refused."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "sweep", "test", "best.toml"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=DEADLINE_S) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1], ended
    assert len(read_ledger()) == 1


def test_test_words_that_another_study_trained_on_are_told(
    best: tuple[TrainConfig, Provenance], database: Database
) -> None:
    """A warning names the study whose training words hold test words of this one, and how many."""
    _, provenance = best
    storage = database.open_for_writing()
    assert list(leak_warnings(provenance, provenance.data, storage)) == []
    words = Path(WORDS).read_text().split()
    write_words(Path("more.txt"), words[::-1])  # the same words fall into other parts
    tiny = ("--trials", "1", "--workers", "1", "--words", "more.txt", "--as", "more")
    assert main(["run", "studies/small.toml", *tiny]) == 0

    (warning,) = leak_warnings(provenance, provenance.data, storage)
    parts = {}
    for name, listed in (("own", words), ("other", words[::-1])):
        parts[name] = list(listed)
        random.Random(42).shuffle(parts[name])  # noqa: S311  the split that the field uses
    shared = set(parts["own"][360:]) & set(parts["other"][:320])
    assert len(shared) > 20  # about 80 % of the 40
    assert warning.startswith(
        f"{len(shared)} of 40 distinct test words occur in the training words of 'more@"
    )

    Path("more.txt").unlink()
    (warning,) = leak_warnings(provenance, provenance.data, storage)
    assert warning.startswith("cannot tell whether these test words occurred in the training words of 'more@")


def test_a_damaged_ledger_stops_the_test(best: tuple[TrainConfig, Provenance], database: Database) -> None:
    """A look must not be lost: with an unreadable line in the ledger nothing is tested."""
    config, provenance = best
    storage = database.open_for_writing()
    look(config, provenance, database)
    ledger_path().write_text(ledger_path().read_text()[:-40] + "\n")
    started = time.monotonic()
    with pytest.raises(StorageError, match="line 2: not a record of a test look; restore the file"):
        look(config.replace(num_steps=10_000_000), provenance, database, again="really")
    assert time.monotonic() - started < 60
    assert len(read_looks(storage)) == 1


def test_losses_are_finite_numbers_in_the_ledger(
    best: tuple[TrainConfig, Provenance], database: Database
) -> None:
    """The ledger is JSON that any program reads: first the look without a loss, then with it."""
    final = look(*best, database)
    lines = [json.loads(line) for line in ledger_path().read_text().splitlines()]
    assert [line["test_loss"] for line in lines] == [None, final.look.test_loss]
    assert final.look.test_loss is not None
    assert math.isfinite(final.look.test_loss)
    assert lines[0]["look_id"] == lines[1]["look_id"]
