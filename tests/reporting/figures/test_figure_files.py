"""A plot as a file: a page that works offline, a picture, and what is refused."""

import struct
from pathlib import Path

import pytest

from sweep.errors import MachineError, NotFoundError, NothingToShowError, SweepError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures import figure_files
from sweep.reporting.figures.figure_files import FORMATS, write_figure
from tests.support.study_records import study, trial


@pytest.fixture
def evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """A study of three trials, whose name and goal want to be markup; an empty working directory."""
    monkeypatch.chdir(tmp_path)
    made = study(trial(0, 2.3), trial(1, 2.1), trial(2, state="pruned"), name="names<b>", goal="<img src=x>")
    return Evidence(made)


def test_without_a_path_it_goes_to_the_reports_and_is_replaced(evidence: Evidence) -> None:
    """The page is made anew each time: nobody else writes there."""
    for _ in range(2):
        assert write_figure("history", evidence) == Path("reports/names<b>/history.html")
    page = Path("reports/names<b>/history.html").read_text()
    assert "Plotly" in page
    assert "names&lt;b&gt;" in page
    assert "<img src=x>" not in page
    assert "names<b>" not in page
    assert 'src="http' not in page


def test_a_file_of_the_user_is_not_overwritten(evidence: Evidence) -> None:
    """Unless it is asked for."""
    mine = Path("mine.html")
    mine.write_text("mine")
    with pytest.raises(SweepError, match=r"mine\.html exists and is not overwritten; name another with -o"):
        write_figure("history", evidence, mine)
    assert mine.read_text() == "mine"
    assert write_figure("history", evidence, mine, force=True) == mine
    assert mine.read_text() != "mine"


@pytest.mark.parametrize(
    ("name", "path", "error", "text"),
    [
        ("nonsense", "x.html", NotFoundError, "no plot 'nonsense'; known: history, "),
        ("history", "x.pdf", SweepError, r"x\.pdf must end in \.html, \.png, \.svg"),
        ("history", "x", SweepError, r"x must end in"),
        ("lr-finder", "x.html", NothingToShowError, "no range test yet; run `sweep lr-find"),
        ("history", "../reports/../a/./", SweepError, "must end in"),
    ],
)
def test_what_cannot_be_drawn_is_refused_and_leaves_no_file(
    name: str, path: str, error: type[Exception], text: str, evidence: Evidence
) -> None:
    """The line says which rule, and what there is."""
    with pytest.raises(error, match=text):
        write_figure(name, evidence, path)
    assert list(Path().iterdir()) == []


def test_a_picture_is_drawn_by_a_browser(evidence: Evidence) -> None:
    """A PNG of two pixels for each of CSS, and no file but it."""
    pytest.importorskip("kaleido", reason="kaleido is not installed")
    try:
        path = write_figure("history", evidence, "history.PNG")
    except MachineError as error:
        pytest.skip(str(error))
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width, _ = struct.unpack(">II", content[16:24])
    assert width == 2 * figure_files.PICTURE_SIZE[0]
    assert [p.name for p in Path().iterdir()] == ["history.PNG"]


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".html"])
def test_a_missing_exporter_is_told(suffix: str, evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without kaleido the line says how to get it, and that .html needs nothing."""
    import plotly.io._kaleido as exporter

    monkeypatch.setattr(exporter, "_KALEIDO_AVAILABLE", False)
    with pytest.raises(MachineError, match=r"kaleido: pip install kaleido; or write .html"):
        write_figure("history", evidence, f"x{suffix}")


def test_a_missing_browser_is_told(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> None:
    """What plotly raises where no browser is found becomes a line that says what to install."""
    import plotly.graph_objects as go
    from plotly.io._kaleido import PLOTLY_GET_CHROME_ERROR_MSG

    def fail(*_: object, **__: object) -> bytes:
        raise RuntimeError(PLOTLY_GET_CHROME_ERROR_MSG)

    monkeypatch.setattr(go.Figure, "to_image", fail)
    with pytest.raises(MachineError, match=r"a browser: install chromium, or name one in BROWSER_PATH"):
        write_figure("history", evidence, "x.svg")
