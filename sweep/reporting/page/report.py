"""What is worth reading of a study, on one page?

A page is a verdict, a table and sections. A section is a function from what is known of the study
to markup and figures, and one entry of ``SECTIONS``; one that lacks what it is made of stands in a
list at the end, with the reason and the way to get it.
"""

import contextlib
import dataclasses
import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go

from sweep.errors import NothingToShowError
from sweep.reporting.advice import CHECKS
from sweep.reporting.advice.configurations import ranked_configurations
from sweep.reporting.confirm_text import sentences
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.plots import PLOTS
from sweep.reporting.figures.slices import plot_slice, slices
from sweep.reporting.files import write_text
from sweep.reporting.lr_finder_page import REPORTS
from sweep.reporting.page.headline import Headline
from sweep.reporting.page.html_page import definition_list, escape, figure_place, render_page
from sweep.reporting.page.provenance import commands, facts
from sweep.reporting.page.report_table import confirmation_table, report_table

_IN_HEADLINE = ("baselines", "seeds")
"""Checks whose findings stand there."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of the page."""

    markup: str
    figures: Mapping[str, go.Figure] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of the report."""

    title: str
    build: Callable[[Evidence], Part]
    """Raises ``NothingToShowError`` where there is nothing to show."""


def write_report(evidence: Evidence, *, reports: Path | str = REPORTS) -> Path:
    """Write ``<reports>/<study>/report.html``.

    Raises:
        MachineError: If it cannot be written, or would end up outside ``reports``.
    """
    return write_text(
        Path(reports) / evidence.study.name / "report.html", report_html(evidence), within=reports
    )


def report_html(evidence: Evidence) -> str:
    """Return the page as text."""
    study = evidence.study
    built: dict[str, Part] = {}
    missing: dict[str, str] = {}
    for name, section in SECTIONS.items():
        try:
            built[name] = section.build(evidence)
        except NothingToShowError as error:
            missing[section.title] = str(error)
    body = "\n".join(
        [
            _masthead(evidence, evidence.headline),
            _contents(list(built)),
            *(
                f'<section id="{name}" class="{name}"><h2>{SECTIONS[name].title}</h2>\n'
                f"{part.markup}\n</section>"
                for name, part in built.items()
            ),
            _missing(missing),
            _footer(),
        ]
    )
    figures = {name: figure for part in built.values() for name, figure in part.figures.items()}
    return render_page(f"{study.name}: sweep report", body, figures, kind="report", scripts=("report.js",))


# The page around the sections.


def _masthead(evidence: Evidence, headline: Headline) -> str:
    study = evidence.study
    asked = f" · {study.goal}" if study.goal else ""
    lead, *others = headline.sentences
    return (
        '<header class="masthead">'
        '<button type="button" id="theme" class="quiet">Dark</button>'
        f'<p class="eyebrow"><b>{escape(study.name)}</b>{escape(asked)}</p>'
        f"<h1>{escape(headline.title)}</h1>"
        f'<p class="lead">{_prose(lead)}</p>'
        f"<p>{' '.join(_prose(sentence) for sentence in others)}</p>"
        f"{definition_list(headline.tiles, 'tiles') if headline.tiles else ''}</header>"
    )


def _contents(names: Sequence[str]) -> str:
    links = "".join(f'<li><a href="#{name}">{SECTIONS[name].title}</a></li>' for name in names)
    return f'<nav aria-label="Sections"><ul>{links}</ul></nav>'


def _missing(missing: Mapping[str, str]) -> str:
    if not missing:
        return ""
    items = "".join(f"<div><dt>{title}</dt><dd>{_prose(why)}</dd></div>" for title, why in missing.items())
    return f'<section id="missing"><h2>Not in this report</h2><dl class="reasons">{items}</dl></section>'


def _footer() -> str:
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    says = f"Written by sweep on {now}. Losses are in nats per character."
    return f'<footer><p class="note">{escape(says)}</p></footer>'


def _prose(text: str) -> str:
    """Return a sentence as markup; what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


# Sections.


def _winner(evidence: Evidence) -> int | None:
    try:
        return evidence.winner.number
    except NothingToShowError:
        return None


def _table(evidence: Evidence) -> Part:
    if evidence.rows.empty:
        raise NothingToShowError(f"no trial yet; `sweep run {evidence.study.name}` trains them")
    return Part(markup=report_table(evidence.rows, evidence.study, _winner(evidence)))


def _advice(evidence: Evidence) -> Part:
    """Return what a good colleague would say, without what the headline says already."""
    ranked = ranked_configurations(evidence.study)
    checks = [check for name, check in CHECKS.items() if name not in _IN_HEADLINE]
    found = [(check, check.find(evidence.study, ranked)) for check in checks]
    items = "".join(f"<li>{_prose(check.say(what))}</li>" for check, what in found if what is not None)
    if not items:
        raise NothingToShowError("nothing in this study asks for another one")
    return Part(markup=f'<ul class="findings">{items}</ul>')


def _confirmation(evidence: Evidence) -> Part:
    if evidence.confirmation is None or evidence.verdict is None:
        name = evidence.study.name
        raise NothingToShowError(
            f"nothing was confirmed; `sweep confirm {name}` trains the best on fresh seeds"
        )
    found = sentences(evidence.study, evidence.confirmation, evidence.verdict, evidence.unit_report)
    items = "".join(f"<li>{escape(sentence.strip())}</li>" for sentence in found)
    if evidence.verdict.is_empty:
        return Part(markup=f'<ul class="findings">{items}</ul>')
    table = confirmation_table(evidence.verdict.rows, evidence.study)
    reading = (
        "Each candidate on the same fresh seeds, lowest mean first. One whose difference might be 0 is tied "
        "with the best: the seeds do not tell the two apart."
    )
    return Part(markup=f'<p class="note">{reading}</p>{table}<ul class="findings">{items}</ul>')


_KEY = (
    '<p class="key" aria-hidden="true"><span class="dot grey"></span>trial <span class="dot blue"></span>'
    'best tenth <span class="dot diamond"></span>winner</p>'
)


def _figures(*names: str, key: bool = False, titled: bool = False) -> Callable[[Evidence], Part]:
    """Return a section of plots; those that lack what they are made of are left out, unless all do.

    Args:
        names: Of the plots.
        key: Whether colours are explained on top.
        titled: Whether a single plot has a title of its own.
    """

    def build(evidence: Evidence) -> Part:
        figures, reasons = {}, []
        for name in names:
            try:
                figures[name] = PLOTS[name].figure(PLOTS[name].numbers(evidence))
            except NothingToShowError as error:
                reasons.append(str(error))
        if not figures:
            raise NothingToShowError(" ".join(dict.fromkeys(reasons)))
        places = "".join(
            _placed(name, figure, titled=titled or len(names) > 1) for name, figure in figures.items()
        )
        kind = "pair" if len(figures) > 1 else "single"
        return Part(markup=f'{_KEY if key else ""}<div class="{kind}">{places}</div>', figures=figures)

    return build


def _placed(name: str, figure: go.Figure, *, titled: bool) -> str:
    plot = PLOTS[name]
    title = f"<h3>{plot.title}</h3>" if titled else ""
    return (
        f'<figure class="{name}"><figcaption>{title}<p>{plot.reading}</p></figcaption>'
        f"{figure_place(name, f'{plot.title}. {plot.reading}', height=figure.layout.height)}</figure>"
    )


def _slices(evidence: Evidence) -> Part:
    """Return one panel a hyperparameter, which a narrow screen stacks."""
    plot, panels = PLOTS["slices"], slices(evidence).slices
    figures = {f"slice-{place}": plot_slice(panel) for place, panel in enumerate(panels)}
    places = "".join(
        figure_place(name, f"Dev loss over {panel.name}", kind="panel")
        for name, panel in zip(figures, panels, strict=True)
    )
    head = f"<figcaption><h3>{plot.title}</h3><p>{plot.reading}</p></figcaption>"
    markup = f'<figure>{head}<div class="panels">{places}</div></figure>'
    return Part(markup=markup, figures=figures)


def _search(evidence: Evidence) -> Part:
    parts = [_figures("history", "history-seconds")(evidence)]
    with contextlib.suppress(NothingToShowError):
        parts.append(_figures("expected-best", titled=True)(evidence))
    return _joined(parts, _KEY)


def _mattered(evidence: Evidence) -> Part:
    """Return importances, as far as they can be told, slices and combinations."""
    parts = [_slices(evidence), _figures("parallel", titled=True)(evidence)]
    try:
        parts.insert(0, _figures("importances", titled=True)(evidence))
    except NothingToShowError as error:
        parts.append(Part(markup=f'<p class="note">{_prose(f"Not shown: {error}.")}</p>'))
    return _joined(parts, _KEY)


def _joined(parts: Sequence[Part], before: str = "") -> Part:
    figures = {name: figure for part in parts for name, figure in part.figures.items()}
    return Part(markup=before + "\n".join(part.markup for part in parts), figures=figures)


def _learning_rate(evidence: Evidence) -> Part:
    part = _figures("lr-finder")(evidence)
    link = '<a href="lr_finder.html">lr_finder.html</a>'
    return dataclasses.replace(part, markup=f'{part.markup}<p class="note">How it was measured: {link}.</p>')


def _embedding(evidence: Evidence) -> Part:
    numbers = PLOTS["embedding"].numbers(evidence)
    part = _figures("embedding")(evidence)
    shown = (
        f"The embedding has {numbers.dimensions} dimensions; these two principal components hold "
        f"{numbers.explained:.0%} of its variance, so characters far apart here are far apart, and near ones "
        "may still differ."
        if numbers.dimensions > 2
        else "The embedding has no more dimensions than these."
    )
    return dataclasses.replace(part, markup=f'{part.markup}<p class="note">{shown}</p>')


def _words(evidence: Evidence) -> Part:
    words = evidence.sampled_words
    known = sum(is_known for _, is_known in words)
    items = "".join(
        f"<li{' class=known' if is_known else ''}>{escape(word) or '<i>empty</i>'}"
        f"{'<small>in the training words</small>' if is_known else ''}</li>"
        for word, is_known in words
    )
    says = f"{len(words)} words drawn from the winner, {known} of them known from training (dotted)."
    return Part(markup=f'<p class="note">{says}</p><ol class="words">{items}</ol>')


def _test_record(evidence: Evidence) -> Part:
    if not evidence.looks:
        text = "Nobody has looked at the test split of these words. `sweep test best.toml` does it once, "
        return Part(markup=f"<p>{_prose(text)}and records it.</p>")
    items = "".join(f"<li>{escape(look.describe())}</li>" for look in evidence.looks)
    says = (
        "Every look at the test split of these words; only the first is at words that nothing was chosen by."
    )
    return Part(markup=f'<p class="note">{says}</p><ol class="looks">{items}</ol>')


def _provenance(evidence: Evidence) -> Part:
    lines = "\n".join(escape(line) for line in commands(evidence))
    lists = "".join(
        f"<h3>{title}</h3>{definition_list(entries, 'wide' if title in ('Hashes', 'Data') else '')}"
        for title, entries in facts(evidence).items()
    )
    return Part(markup=f"{lists}<h3>Commands</h3><pre><code>{lines}</code></pre>")


SECTIONS: dict[str, Section] = {
    "table": Section(title="Ranking", build=_table),
    "advice": Section(title="What next", build=_advice),
    "confirmation": Section(title="Confirmed?", build=_confirmation),
    "search": Section(title="Search", build=_search),
    "mattered": Section(title="What mattered", build=_mattered),
    "rungs": Section(title="Rungs", build=_figures("rungs")),
    "cost": Section(title="Cost", build=_figures("cost-parameters", "cost-seconds", key=True)),
    "learning-rate": Section(title="Learning rate", build=_learning_rate),
    "learned": Section(title="Learning curve", build=_figures("training-curve")),
    "embedding": Section(title="Embedding", build=_embedding),
    "words": Section(title="Words it makes up", build=_words),
    "weak": Section(title="Weak spots", build=_figures("loss-by-position", "loss-by-character")),
    "test": Section(title="Test record", build=_test_record),
    "provenance": Section(title="Provenance", build=_provenance),
}
"""Anchor -> section, in the order of the page. To add one, write one function and one entry."""
