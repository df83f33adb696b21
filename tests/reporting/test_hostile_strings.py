"""Text that means harm, wherever a user, a file or a foreign database has a say."""

import contextlib
import csv
import html.parser
import io
import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from sweep.cli import main
from sweep.cli.progress import JsonView, LineView
from sweep.definition.dimension import Choices
from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord
from sweep.errors import DataError
from sweep.execution.events import RunStarted, TrialEnded, Warned
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.report import report_html
from sweep.reporting.printable import printable
from sweep.reporting.table.formats import FORMATS
from sweep.reporting.table.listing import Listing
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import load_corpus
from tests.support.hostile_strings import HOSTILE_STRINGS, OUTSIDE, OUTSIDE_PATH
from tests.support.small_study import _own_ledger, small, trained
from tests.support.study_evidence import made_study, made_trial, trained_evidence

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]")
"""Controls but tab and line feed, and separators; nothing of this reaches a terminal or a page."""

SMALL = "[fixed]\nhidden_neurons = 5\nnum_steps = 20\n"
"""A model that is timed in no time."""

QUICK = 'sampler = "random"\n'
"""A plan rehearses its study's sampler, and this one has nothing to learn."""

each_string = pytest.mark.parametrize("text", HOSTILE_STRINGS.values(), ids=HOSTILE_STRINGS)


def files_outside(folder: Path) -> list[Path]:
    """Return the files that one of the paths names, wherever above the folder it led."""
    return [path for path in (OUTSIDE_PATH, *(place / OUTSIDE for place in folder.parents)) if path.exists()]


def study_full_of(text: str) -> StudyRecord:
    """Return a study in which all that somebody else may have a say in is the text."""
    trials = [made_trial(k, 2.5 + k / 100, params={text: (text, "b")[k % 2]}) for k in range(6)]
    trials.append(made_trial(6, state="failed", params={text: text}, reason=text, engine=text, device=text))
    space = {text: Choices((text, "b"))}
    environment = {"system": text, text: text}
    return made_study(*trials, space=space, goal=text, environment=environment, data_facts=text)


@each_string
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_of_the_table_holds_plain_text(form: str, text: str) -> None:
    """No control character; in CSV no cell that a spreadsheet would run; JSON has the text itself."""
    study = study_full_of(text)
    written = FORMATS[form](Listing(rank_trials(study), study, None))
    assert not UNSEEN.search(written)
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(written, newline="")) for cell in row]
        assert any(printable(text) in cell for cell in cells)
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    if form == "json":
        assert printable(text) in {printable(str(row["reason"])) for row in json.loads(written)}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """What a really trained study has to show beside its trials."""
    folder = tmp_path_factory.mktemp("evidence")
    words = folder / "words.txt"
    words.write_text("anna\nbob\ncara\ndan\neva\nfinn\ngina\nhugo\nida\njan\nkim\nlea\nmax\nnora\n")
    return trained_evidence(folder, words)


class _Elements(html.parser.HTMLParser):
    """Counts elements, and notes what could run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.running: list[str] = []
        self._in_script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")
        for name, value in attrs:
            if name.startswith("on") or (value or "").startswith("javascript:"):
                self.running.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False


@each_string
def test_the_report_has_no_element_and_no_script_of_it(text: str, evidence: Evidence, tmp_path: Path) -> None:
    """As many scripts as without it, nothing that runs on an event, and its JSON can be read."""
    pages = []
    for each in ("plain", text):
        found = Evidence(study_full_of(each), reports=tmp_path)
        learned, shown = evidence.more(Learned), found.more(Learned)
        found.data, found.curve = evidence.data, evidence.curve
        shown.embedding, shown.inspection = learned.embedding, learned.inspection
        shown.sampled_words = [(each, True), *learned.sampled_words]
        pages.append(_Elements(report_html(found)))
    plain, page = pages
    assert len(page.scripts) == len(plain.scripts) > 1
    assert page.running == plain.running == []
    data = [script for script in page.scripts if script.lstrip().startswith(("{", "["))]
    assert data
    for script in data:
        json.loads(script)
        assert not UNSEEN.search(script)


@each_string
def test_the_log_of_a_run_holds_plain_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Title, facts, warning, choice and reason, one line each; JSON has the text itself."""
    study = study_full_of(text)
    log = io.StringIO()
    view = LineView(text, Console(file=log, soft_wrap=True))
    started = RunStarted(
        done=0,
        total=7,
        workers=1,
        engine="fused",
        device="cpu",
        data_facts=text,
        finished=(),
        timeout=None,
    )
    ended = TrialEnded(trial=study.trials[-1], done=7, total=7)
    for event in (started, Warned(text=text), ended):
        view(event)
    JsonView(MLP.metric)(ended)
    lines = log.getvalue().splitlines()
    assert len(lines) == 5
    assert not UNSEEN.search(log.getvalue())
    assert printable(text) in lines[0]
    assert printable(text) in lines[-1]
    told = json.loads(capsys.readouterr().out)
    assert text in told.values()


@each_string
def test_as_an_argument_it_is_used_or_refused_in_one_line(
    text: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a study, file, output, plot or new name: no traceback, and no file outside the folder."""
    outside = {path.name for path in small.parent.iterdir()}
    for command in (
        ["run", "studies/small.toml", "--as", text],
        ["table", text],
        ["report", text],
        ["plot", "small", text],
        ["lr-find", text],
        ["run", text],
        ["test", text],
        ["rename", "small", text],
    ):
        status = main([word for word in command if "\0" not in word or command[0] != "run"])
        told = capsys.readouterr()
        if status == 2:  # it looks like an option
            assert not UNSEEN.search(told.out + told.err), command
            continue
        assert status in (1, 3), command
        assert len(told.err.splitlines()) == 1, command
        assert not UNSEEN.search(told.out + told.err), command
    assert {path.name for path in small.parent.iterdir()} == outside
    assert files_outside(small) == []


@each_string
def test_in_a_study_file_it_is_used_or_refused_in_one_line(
    text: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As name, goal, words, choice and section; what it may be, a goal, is shown as text."""
    quoted = json.dumps(text)
    plain = (
        f'{QUICK}[data]\nwords = "data/words.txt"\n{SMALL}[search]\nblock_size = {{ low = 2, high = 4 }}\n'
    )
    files = {
        "name": f"name = {quoted}\n{plain}",
        "goal": f"goal = {quoted}\n{plain}",
        "words": plain.replace('"data/words.txt"', quoted),
        "choice": f"{plain}init = {{ choices = [{quoted}, 'scaled'] }}\n",
        "section": f"{plain}[{quoted}]\n",
    }
    for what, content in files.items():
        Path("studies/it.toml").write_text(content)
        status = main(["plan", "studies/it.toml"])
        told = capsys.readouterr()
        assert status in ((0, 1) if what == "goal" else (1, 3)), what
        assert status == 0 or len(told.err.splitlines()) == 1, what
        assert not UNSEEN.search(told.out + told.err), what


@each_string
def test_as_the_name_of_a_stored_study_it_leads_nowhere(
    text: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that somebody else made may hold any name: it is listed, and no report leaves the folder."""
    with contextlib.closing(sqlite3.connect("studies/sweep.db")) as connection, connection:
        connection.execute("UPDATE studies SET study_name = ?", (text,))
    outside = {path.name for path in small.parent.iterdir()}
    for command in (["list"], ["table", text], ["report", text], ["export", text]):
        status = main(command)
        told = capsys.readouterr()
        if status == 2:  # it looks like an option
            continue
        assert status in (0, 1, 3), command
        assert status == 0 or len(told.err.splitlines()) == 1, command
        assert not UNSEEN.search(told.out + told.err), command
        if command == ["list"]:
            assert printable(text)[:24] in told.out
    assert {path.name for path in small.parent.iterdir()} == outside
    assert files_outside(small) == []


@each_string
def test_as_a_word_it_is_read_or_refused_in_one_line(text: str, tmp_path: Path) -> None:
    """A word that is read is in the corpus as it stands."""
    words = tmp_path / "words.txt"
    words.write_bytes("\n".join(["anna", "bob", "cara", "dan", "eva", "finn"] * 5 + [text]).encode())
    try:
        corpus = load_corpus(words)
    except DataError as error:
        told = str(error)
    else:
        told = ""
        assert set(text) <= set(corpus.vocabulary)
    assert not UNSEEN.search(told)
    assert len(told.splitlines()) <= 1


@each_string
def test_as_the_name_of_a_words_file_it_is_shown_as_text(
    text: str, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a file can have that name, it is read, and its name is told without control characters."""
    if "\0" in text or "/" in text or len(text) > 255:
        pytest.skip("no file can have that name")
    Path("data/words.txt").rename(Path("data") / text)
    study = json.dumps(f"data/{text}")
    Path("studies/it.toml").write_text(
        f"{QUICK}[data]\nwords = {study}\n{SMALL}[search]\nblock_size = {{ low = 2, high = 4 }}\n"
    )
    assert main(["plan", "studies/it.toml"]) == 0
    told: Any = capsys.readouterr()
    assert not UNSEEN.search(told.out + told.err)
    assert printable(text) in told.out
