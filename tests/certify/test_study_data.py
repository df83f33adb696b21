"""A study's words are those that it was run on, whoever reads them again, or none at all."""

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.certify.study_data import StudyData
from sweep.cli import main
from sweep.cli.commands.common import announced
from sweep.definition.records import StudyRecord
from sweep.errors import DataError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import exhibits_of
from sweep.reporting.page.report import report_html
from sweep.storage.database import Database
from sweep.storage.folders import LocalFolder
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.baselines import count_table_losses, uniform_loss
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.note_kinds import Baselines, NewWords
from sweep.trainers.mlp.words.corpus import load_corpus
from tests.support.command_line import untitled
from tests.support.small_study import _own_ledger, made_up_words, small, trained, write_words
from tests.support.study_evidence import trained_evidence

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

Change = Callable[[Path], object]
Capture = pytest.CaptureFixture[str]

OTHER_WORDS = [f"a{letter}" for letter in "abcdefghijkl"]

CHANGES: dict[str, Change] = {
    "other words": lambda path: write_words(path, OTHER_WORDS),
    "one word more": lambda path: path.write_text(path.read_text() + "zaza\n"),
    "other line ends": lambda path: path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n")),
    "no words file": lambda path: path.write_bytes(b"\xff\x00\n\n"),
    "gone": Path.unlink,
}
"""What may become of a words file while nobody looks."""

each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)

TWO_OBJECTIVES = """
sampler = "random"
trials = 2
objectives = ["dev_loss", "n_params"]

[data]
words = "data/words.txt"

[search]
hidden_neurons = { low = 5, high = 30 }

[fixed]
num_steps = 50
"""


class WhenTrainingStarts(io.StringIO):
    """A stderr that does something when a run says that it begins to train."""

    def __init__(self, do: Callable[[], object]) -> None:
        super().__init__()
        self._do = do

    def write(self, text: str) -> int:
        if "training" in text and "training" not in self.getvalue():
            self._do()
        return super().write(text)


@pytest.fixture
def two(small: Path) -> Path:
    """The folder of the small study with the file of another one, which no run has seen."""
    (small / "studies" / "two.toml").write_text(TWO_OBJECTIVES)
    return small


@pytest.fixture
def tried(tmp_path: Path) -> Evidence:
    """A study whose winner was really trained on a words file of its own."""
    return trained_evidence(tmp_path, write_words(tmp_path / "words.txt", made_up_words(80)))


def run_with(do: Callable[[], object], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Run a command; when it begins to train, do something. Return its status and its stderr."""
    stderr = WhenTrainingStarts(do)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        status = main([*arguments, "--workers", "1", "--device", "cpu"])
    return status, stderr.getvalue()


def stored(name: str) -> StudyRecord:
    return load_study(Database("sqlite:///studies/sweep.db").open_read_only(), name)


def shown_figures(name: str) -> set[str]:
    """Return the figures that the dashboard has of a study."""
    storage = Database("sqlite:///studies/sweep.db").open_for_dashboard()
    attrs = storage.get_study_system_attrs(storage.get_study_id_from_name(name))
    return {key.split(":")[2] for key in attrs if key.startswith("dashboard:plot_data:")}


@pytest.mark.parametrize("change", ["other words", "gone"])
def test_words_that_change_in_mid_run_leave_the_table_and_no_claim(
    change: str, two: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Status 0 and the table with the front of the words trained on; one line names the file; no notes."""
    words = two / "data" / "words.txt"
    uniform = uniform_loss(load_corpus(words))
    status, stderr = run_with(lambda: CHANGES[change](words), monkeypatch, "run", "studies/two.toml")
    printed = capsys.readouterr().out
    assert status == 0, stderr
    assert f"reference point dev_loss {uniform:.4f}" in printed
    assert "without training" not in printed
    (warning,) = [line for line in stderr.splitlines() if line.startswith("warning: ")]
    assert "data/words.txt" in warning
    assert "its notes and the figures that need the data are left out" in warning
    assert (stored("two").note(Baselines), stored("two").note(NewWords)) == (None, None)
    assert shown_figures("two") == {"training-curve"}


def test_a_stopped_run_notes_and_publishes_nothing(
    two: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """After SIGTERM the table is the last that is made; the next run catches up."""
    stop = lambda: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731  reads as the other changes do
    status, stderr = run_with(stop, monkeypatch, "run", "studies/two.toml")
    assert status == 143, stderr
    assert "interrupted" in stderr
    assert stored("two").note(Baselines) is None
    assert shown_figures("two") == set()
    assert main(["run", "studies/two.toml", "--workers", "1", "--device", "cpu"]) == 0
    assert stored("two").note(Baselines) is not None
    assert shown_figures("two") == {"training-curve", "embedding"}


@each_change
def test_every_command_notices_words_that_changed_after_the_run(
    change: Change, small: Path, capsys: Capture
) -> None:
    """What needs the words ends with 1 and one line with the file's name; what does not is as it was."""
    assert main(["export", "small"]) == 0
    table, notes = tables(capsys), stored("small").notes
    change(small / "data" / "words.txt")
    capsys.readouterr()
    exported = "reports/small/best.toml"
    for command in (
        ["run", "small"],
        ["replay", "small"],
        ["lr-find", "small"],
        ["plot", "small", "embedding"],
    ):
        assert main(command) == 1, command
        assert_one_line(capsys.readouterr().err)
    if change is CHANGES["other line ends"]:  # the words of an export are compared, not the bytes
        assert main(["sample", exported]) == 0
    else:
        for command in (["test", exported], ["sample", exported], ["lr-find", exported]):
            assert main(command) == 1, command
            assert_one_line(capsys.readouterr().err)
    assert (tables(capsys), stored("small").notes) == (table, notes)
    assert main(["rename", "small", "renamed"]) == 0  # which publishes
    assert shown_figures("renamed") == {"training-curve"}


def tables(capsys: Capture) -> str:
    """Return what `sweep table` prints, its advice included."""
    capsys.readouterr()
    assert main(["table", "small", "--advice"]) == 0
    return capsys.readouterr().out


def assert_one_line(stderr: str) -> None:
    (line,) = [line for line in untitled(stderr) if not line.startswith("range test")]
    assert "data/words.txt" in line or "content of the data files" in line


def test_a_confirmation_says_nothing_of_other_words(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """It cannot go on without its words; a finished one keeps its table and status, with one warning."""
    words, confirm = small / "data" / "words.txt", ["confirm", "small", "--top", "2", "--seeds", "2"]
    whole = words.read_bytes()
    status, stderr = run_with(lambda: CHANGES["other words"](words), monkeypatch, *confirm, "--certify", "2")
    assert status == 1
    assert "data/words.txt changed since the study was run" in stderr.splitlines()[-1]
    words.write_bytes(whole)
    assert main([*confirm, "--certify", "2", "--device", "cpu", "--workers", "1"]) == 0
    assert "95 % over words" in capsys.readouterr().out
    for change in ("other words", "gone"):
        CHANGES[change](words)
        assert main([*confirm, "--certify", "2", "--device", "cpu", "--workers", "1"]) == 0
        written = capsys.readouterr()
        assert "certified dev loss" in written.out
        assert "over words" not in written.out
        (warning,) = [line for line in written.err.splitlines() if line.startswith("warning: ")]
        assert "data/words.txt" in warning
        assert main(["report", "small"]) == 0
        assert "over words" not in (small / "reports" / "small" / "report.html").read_text()


def test_a_plan_does_not_count_trials_of_another_list(small: Path, capsys: Capture) -> None:
    """The plan is that of a new study, and a warning says that the stored one cannot go on."""
    words = small / "data" / "words.txt"
    CHANGES["one word more"](words)
    assert main(["plan", "small", "--workers", "1", "--device", "cpu", "--format", "json"]) == 0
    written = capsys.readouterr()
    assert json.loads(written.out)["left"] == 6
    (warning,) = [line for line in written.err.splitlines() if line.startswith("warning: ")]
    assert "the data are not those that study 'small' was run on" in warning


@each_change
def test_nothing_is_shown_of_other_words(change: Change, tried: Evidence) -> None:
    """Every fact that is computed from the words is missing, with a reason that names the file."""
    path = Path(tried.study.data["words"])
    change(path)
    found = Evidence(tried.study, files=LocalFolder(path.parent))
    assert found.study_data.why_missing is not None
    assert str(path) in found.study_data.why_missing
    learned = found.more(Learned)
    for fact in (
        lambda: found.data,
        lambda: exhibits_of(found.study).baselines(found),
        lambda: learned.embedding,
        lambda: learned.inspection,
        lambda: learned.sampled_words,
    ):
        with pytest.raises(LookupError):
            fact()
    page = report_html(found)
    assert "count table" not in page
    assert str(path) in page


@each_change
def test_words_in_memory_are_not_used_once_their_file_is_another(change: Change, tried: Evidence) -> None:
    """A run holds its words; what it would write of them is about a file that is no longer there."""
    path = Path(tried.study.data["words"])
    data = load_corpus(path)
    assert StudyData(tried.study, data).data is data
    change(path)
    with pytest.raises(DataError, match=r"words\.txt"):
        _ = StudyData(tried.study, data).data


def test_words_are_read_once(tried: Evidence) -> None:
    """Whatever is asked for later, and whatever became of the file, is of the words first read."""
    words = StudyData(tried.study)
    data = words.data
    CHANGES["gone"](Path(tried.study.data["words"]))
    assert words.data is data
    assert words.in_train == set(made_up_words(80)) & words.in_train
    assert len(count_table_losses(words.data)) == 5


@pytest.mark.parametrize(("after_s", "takes_s", "lines"), [(60.0, 0.0, 0), (0.05, 1.0, 1)])
def test_what_takes_long_is_announced(after_s: float, takes_s: float, lines: int, capsys: Capture) -> None:
    """One line on stderr while the work goes on; nothing where it is done at once."""
    with announced("working", after_s=after_s):
        time.sleep(takes_s)
    assert capsys.readouterr().err.splitlines() == ["working"] * lines
