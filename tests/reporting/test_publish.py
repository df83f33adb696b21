"""What a study shows in the dashboard: text that stays text, and files of the winner."""

import datetime
import tomllib
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from sweep.certify.config_file import load_config
from sweep.cli import main
from sweep.reporting.evidence import Evidence, gather_evidence
from sweep.reporting.publish import make_showcase, markdown, study_note
from sweep.storage.database import Database
from sweep.task import identifying_values
from tests.support.small_study import _own_ledger, small, trained
from tests.support.study_evidence import made_study
from tests.support.study_records import trial

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1)) ![b](x) <javascript:alert(1)>",
    "# heading\n* item\n\n```\ncode",
    "$x$ **bold** _em_ ~~s~~ `code` | a | b |",
    "&lt;b&gt; \\<b> 1. one - two +",
    "    indented",
    "\u202egnp.exe \x1b[31m",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_in_a_note_stays_text(text: str) -> None:
    """A CommonMark parser with HTML allowed finds one paragraph of plain text, its own characters in it."""
    tokens = MarkdownIt("commonmark", {"html": True}).parse(f"goal: {markdown(text)}")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {child.type for child in tokens[1].children or ()} <= {"text", "text_special"}
    shown = "".join(child.content for child in tokens[1].children or ())
    assert shown == "goal: " + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@pytest.mark.parametrize("goal", [*HOSTILE, "`", "``", "a `<b>` c", "` <img src=x> ``", "\\`x`"])
def test_a_goal_cannot_become_markup_in_the_note(goal: str) -> None:
    """Whatever the goal holds, backticks included, the note holds no element but those that we write."""
    note = study_note(Evidence(made_study(trial(0, 2.25), goal=goal)))
    tokens = MarkdownIt("commonmark", {"html": True}).parse(note)
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close", "code_block"}
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {"text", "text_special", "strong_open", "strong_close", "code_inline"}


def test_the_note_says_what_came_out_and_how_to_go_on() -> None:
    """Goal, count, winner and commands; without a loss it says so."""
    note = study_note(Evidence(made_study(trial(0, 2.25), trial(1, 2.125, params={"hidden_neurons": 9}))))
    shown = MarkdownIt("commonmark").render(note)
    assert "<strong>Trial 1 is best so far: dev loss 2.1250 nats per character</strong>" in shown
    assert "Which of these is best?" in shown
    assert "sweep export made --trial 1 -o best.toml" in shown.partition("<pre><code>")[2]
    assert "No trial has a final loss" in study_note(Evidence(made_study(trial(0, state="failed"))))


def test_a_study_without_a_winner_shows_a_note_alone() -> None:
    """No figure, no file, no note on a trial; nothing fails."""
    made = make_showcase(Evidence(made_study()))
    assert set(made.figures.values()) == {None}
    assert (made.trial_notes, made.artifacts) == ({}, [])


def test_a_run_leaves_figures_notes_and_files(small: Path) -> None:
    """The winner's configuration loads, its weights are those that are kept, its words are twenty."""
    database = Database("sqlite:///studies/sweep.db")
    evidence = gather_evidence("small", database)
    made = make_showcase(evidence)
    assert [name for name, figure in made.figures.items() if figure] == ["training-curve", "embedding"]
    assert all(len(figure.to_json()) < 40_000 for figure in made.figures.values())
    assert next(iter(made.trial_notes)) == evidence.winner.number
    assert "Rank 1 of 6 configurations" in made.trial_notes[evidence.winner.number]
    files = {artifact.filename: artifact for artifact in made.artifacts}
    path = small / "downloaded.toml"
    path.write_bytes(files["best.toml"].content)
    config, provenance = load_config(path)
    values = evidence.study.config_values(evidence.winner)
    assert identifying_values(evidence.study.task, config.to_dict()) == values
    assert provenance.dev_loss == evidence.winner.dev_loss
    assert files["weights.safetensors"].content == evidence.weights
    assert len(files["samples.txt"].content.decode().splitlines()) == 20
    assert tomllib.loads(files["best.toml"].content.decode())["provenance"]["exported"] == (
        evidence.winner.ended.astimezone(datetime.UTC).isoformat(timespec="seconds")
    )


def test_the_commands_in_the_note_follow_a_renamed_study(small: Path) -> None:
    """What the dashboard says to run next names the study as it is called now."""

    def note() -> str:
        attrs = Database("sqlite:///studies/sweep.db").open_for_dashboard().get_study_system_attrs(1)
        return "".join(text for key, text in attrs.items() if key.startswith("dashboard:note_str"))

    assert "sweep confirm small" in note()
    assert main(["rename", "small", "first-try"]) == 0
    assert "sweep confirm first-try" in note()
    assert "sweep confirm small" not in note()


def test_a_failure_to_show_is_a_warning_and_no_more(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run ends with its table and status 0, whatever lies where the files should go."""
    folder = small / "studies" / "sweep.db.d" / "small" / "artifacts"
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("in the way")
    assert main(["run", "small", "--trials", "7", "--workers", "1"]) == 0
    written = capsys.readouterr()
    assert "7 of 7 trials done" in written.out
    (warning,) = [line for line in written.err.splitlines() if line.startswith("warning: ")]
    assert "the dashboard does not show the study's figures and files" in warning
