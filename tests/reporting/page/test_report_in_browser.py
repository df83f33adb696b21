"""The report as a reader meets it: opened from its file, offline, in one session of a real browser."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.report import write_report
from sweep.storage.looks.stored_looks import TestLook
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.lr_finder_page import write_lr_finder
from tests.support.hostile_strings import HOSTILE_STRINGS
from tests.support.study_evidence import made_study, made_trial, many_trials, trained_evidence

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`<svg onload=alert(3)>"
    '\u2028\u202e<a href="javascript:alert(4)">link</a> %{x} ${1}'
)
CHOICES = (HOSTILE, *HOSTILE_STRINGS.values())
HOSTILE_SYMBOLS = "<>&\"'\u2028 \u0301"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, corpus: Any) -> dict[str, Path]:
    """A whole report, one whose every text is hostile, one of no trial and one of 5,000."""
    folder = tmp_path_factory.mktemp("reports")
    words = folder / "words.txt"
    words.write_text("anna\nbob\ncara\ndan\neva\nfinn\ngina\nhugo\nida\njan\nkim\nlea\nmax\nnora\n")
    whole = trained_evidence(folder, words)
    config = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=16, batch_size=16)
    write_lr_finder(range_test(config, corpus, steps=200, seeds=2), "made", reports=folder / "reports")
    studies = {
        "whole": whole,
        "hostile": _hostile(folder / "hostile"),
        "empty": Evidence(made_study(), reports=folder / "none"),
        "many": Evidence(made_study(*many_trials(5_000)), reports=folder / "none"),
    }
    return {name: write_report(found, reports=folder / "reports" / name) for name, found in studies.items()}


def _hostile(folder: Path) -> Evidence:
    """Return a study that is hostile wherever a user, a word list or a database has a say."""

    folder.mkdir()
    words = folder / "words.txt"
    lines = [f"{symbol}{letter}" for symbol in HOSTILE_SYMBOLS for letter in ("a", "b", "<b>", "</script>")]
    words.write_text("\n".join(lines) + "\n")
    space = {HOSTILE: Choices(CHOICES), "block_size": Range(2, 4)}
    evidence = trained_evidence(
        folder, words, goal=HOSTILE, environment={HOSTILE: HOSTILE}, data_facts=HOSTILE
    )
    trials = [
        made_trial(k, 2.5 + k / 100, params={HOSTILE: CHOICES[k % len(CHOICES)], "block_size": 2 + k % 3})
        for k in range(30)
    ]
    trials += [
        made_trial(number, state="failed", reason=text, engine=text, device=text)
        for number, text in enumerate(CHOICES, 30)
    ]
    look = TestLook(
        look_id="0" * 32,
        started="2026-01-01T00:00:00+00:00",
        test_sha256="0" * 64,
        data_sha256="0" * 64,
        config_sha256="0" * 64,
        study=HOSTILE,
        trial=1,
        dev_loss=2.0,
        test_loss=2.0,
        why=HOSTILE,
        version=HOSTILE,
    )
    study = made_study(*trials, space=space, goal=HOSTILE, environment={HOSTILE: HOSTILE}, data_facts=HOSTILE)
    found = Evidence(study, looks=[look], reports=folder / "none")
    learned, drawn = evidence.more(Learned), found.more(Learned)  # of the study that was trained
    found.data, found.curve = evidence.data, evidence.curve
    drawn.embedding, drawn.inspection = learned.embedding, learned.inspection
    drawn.sampled_words = [*((text, True) for text in CHOICES), *learned.sampled_words]
    return found


@pytest.fixture(scope="module")
def browser() -> Any:
    """A headless Chromium without a network."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        context = chromium.new_context(viewport={"width": 1280, "height": 800}, offline=True)
        context.set_default_timeout(240_000)  # a machine that is busy with other work may be this slow
        yield context
        chromium.close()


@pytest.fixture
def opened(browser: Any, reports: dict[str, Path]) -> Any:
    """Function that opens a report and returns the page; nothing may go wrong in any of them."""
    faults: list[str] = []
    pages = []

    def open_report(name: str) -> Any:
        page = browser.new_page()
        pages.append(page)
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: (faults.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda r: None if r.url.startswith(("file:", "blob:")) else faults.append(r.url))
        page.goto(reports[name].as_uri())
        return page

    yield open_report
    for page in pages:
        page.close()
    assert faults == []


def draw_all(page: Any) -> int:
    """Draw every figure and return how many there are."""
    page.evaluate("drawAll()")
    page.wait_for_function("places.every(place => place.querySelector('.main-svg'))")
    return int(page.evaluate("places.length"))


def cells(page: Any, column: int) -> list[str]:
    """Return a column of the rows in sight."""
    found = page.evaluate(
        """k => [...document.querySelectorAll('#ranking tbody tr:not([hidden])')]
            .map(row => row.cells[k].textContent)""",
        column,
    )
    assert isinstance(found, list)
    return found


def test_a_whole_report_draws_sorts_filters_and_hovers(opened: Any) -> None:
    """Every figure is drawn; the table answers to mouse and keyboard; hovering gives exact values."""
    page = opened("whole")
    assert draw_all(page) == 19

    assert cells(page, 0) == [str(rank) for rank in range(1, 13)]
    page.get_by_role("button", name="Show all 26 rows").click()
    assert len(cells(page, 0)) == 26
    page.get_by_role("button", name="parameters").click()
    sizes = [int(text.replace(",", "")) for text in cells(page, 6)]
    assert sizes == sorted(sizes)
    page.keyboard.press("Enter")
    sizes = [int(text.replace(",", "")) for text in cells(page, 6)]
    assert sizes == sorted(sizes, reverse=True)
    assert page.locator("th[aria-sort=descending]").inner_text().startswith("parameters")

    page.get_by_label("Filter").fill("dev_loss < 2.55 block_size = 2")
    losses = [float(text) for text in cells(page, 1)]
    assert losses
    assert max(losses) < 2.55
    assert set(cells(page, 2)) == {"2"}
    assert page.get_by_text(f"{len(losses)} of 26 rows").is_visible()
    page.get_by_label("Filter").fill("pruned")
    assert len(cells(page, 0)) == 2
    page.get_by_label("Filter").fill("devloss < 2.5")
    assert page.get_by_text("no column devloss; there are rank, dev_loss").is_visible()
    page.get_by_label("Filter").fill("")

    page.locator("[data-figure=history]").scroll_into_view_if_needed()
    box = page.evaluate(
        """() => {
            const points = document.querySelectorAll('[data-figure=history] .trace path.point');
            const winner = [...points].find(point => point.__data__.x === 7);
            const { x, y, width, height } = winner.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
        }"""
    )
    page.mouse.move(*box)
    hover = page.locator("[data-figure=history] .hoverlayer")
    hover.get_by_text("dev loss 2.4000").wait_for()
    assert "trial 7" in hover.text_content()


def test_on_paper_everything_fits_the_page(opened: Any) -> None:
    """While it is printed, each figure is as large as its place, and nothing is wider than A4."""
    page = opened("whole")
    draw_all(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    overflow = """() => [...places, document.getElementById('ranking')].filter(place => {
        const inner = (place.querySelector('.main-svg') || place).getBoundingClientRect();
        const outer = place.getBoundingClientRect();
        return inner.bottom > outer.bottom + 1 || inner.right > outer.right + 1 || outer.width > 690;
    }).map(place => place.dataset.figure || place.id)"""
    assert page.evaluate(overflow) == []
    assert not page.locator(".modebar").first.is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.querySelector('[data-figure=slices], .figure').offsetWidth") > 500


def test_the_theme_can_be_switched_and_colours_follow(opened: Any) -> None:
    page = opened("whole")
    ground = "getComputedStyle(document.body).backgroundColor"
    tick = "getComputedStyle(document.querySelector('[data-figure=history] .xtick text')).fill"
    page.locator("[data-figure=history]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-figure=history] .xtick text", state="attached")
    before = page.evaluate(f"[{ground}, {tick}]")
    page.get_by_role("button", name="Switch to dark colours").click()
    page.wait_for_function(f"{tick} !== '{before[1]}'")
    assert page.evaluate(ground) != before[0]
    assert page.get_by_role("button", name="Switch to light colours").is_visible()


def test_hostile_text_is_shown_and_never_run(opened: Any) -> None:
    """No dialog, no console error, no foreign element, in names, choices, reasons, words and symbols."""
    page = opened("hostile")
    draw_all(page)
    assert page.locator("img, main svg[onload], a[href^=javascript], main script").count() == 0
    assert "<img src=x onerror=alert(2)>" in page.locator("main").inner_text()
    page.get_by_label("Filter").fill(HOSTILE)
    page.get_by_label("Filter").fill("failed")
    page.get_by_role("button", name="Show all").click()
    assert len(cells(page, 0)) == len(CHOICES)
    for name in ("slice-0", "parallel", "history"):
        page.locator(f"[data-figure={name}]").hover(position={"x": 300, "y": 150})


def test_a_report_without_trials_opens_and_says_what_to_do(opened: Any) -> None:
    page = opened("empty")
    assert page.locator("h1").inner_text() == "No trial yet"
    assert "sweep run made" in page.locator("main").inner_text()


def test_five_thousand_trials_open_and_sort_on_a_phone(opened: Any) -> None:
    """No figure or table makes the page wider than the screen."""
    page = opened("many")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Show all 5,000 rows").wait_for()
    page.get_by_role("button", name="dev loss").click()
    page.get_by_label("Filter").fill("block_size = 3")
    assert set(cells(page, 2)) == {"3"}
    draw_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
