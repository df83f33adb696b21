"""Assemble the report: the headline and the sections on one page.

A section that cannot be built is listed at the end, with the reason and the command that helps. The sections
are in ``page.sections``.
"""

import datetime
from collections.abc import Mapping
from pathlib import Path

from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Part
from sweep.reporting.files import REPORTS, write_text
from sweep.reporting.page.headline import Headline, headline_of
from sweep.reporting.page.html_page import definition_list, escape, prose, render_page
from sweep.reporting.page.sections import sections_of
from sweep.reporting.units import words_of
from sweep.task import Metric


def write_report(evidence: Evidence, *, reports: Path | str = REPORTS) -> Path:
    """Write ``<reports>/<study>/report.html``.

    Raises:
        MachineError: If it cannot be written, or its path leads outside ``reports``.
    """
    return write_text(
        Path(reports) / evidence.folder_name / "report.html", report_html(evidence), within=reports
    )


def report_html(evidence: Evidence) -> str:
    """Return the page as text."""
    study = evidence.study
    sections = sections_of(study)
    built: dict[str, Part] = {}
    missing: dict[str, str] = {}
    for name, section in sections.items():
        try:
            built[name] = section.build(evidence)
        except NothingToShowError as error:
            missing[section.title] = str(error)
    body = "\n".join(
        [
            _masthead(evidence, headline_of(evidence)),
            _contents({name: sections[name].title for name in built}),
            *(
                f'<section id="{name}" class="{name}"><h2>{sections[name].title}</h2>\n'
                f"{part.markup}\n</section>"
                for name, part in built.items()
            ),
            _missing(missing),
            _footer(study.metric),
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
        f'<p class="lead">{prose(lead)}</p>'
        f"<p>{' '.join(prose(sentence) for sentence in others)}</p>"
        f"{definition_list(headline.tiles, 'tiles') if headline.tiles else ''}</header>"
    )


def _contents(titles: Mapping[str, str]) -> str:
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in titles.items())
    return f'<nav aria-label="Sections"><ul>{links}</ul></nav>'


def _missing(missing: Mapping[str, str]) -> str:
    if not missing:
        return ""
    items = "".join(f"<div><dt>{title}</dt><dd>{prose(why)}</dd></div>" for title, why in missing.items())
    return f'<section id="missing"><h2>Not in this report</h2><dl class="reasons">{items}</dl></section>'


def _footer(metric: Metric) -> str:
    now = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    unit = f" {words_of(metric)['nouns'].capitalize()} are in {metric.unit}." if metric.unit else ""
    says = f"Written by sweep on {now}.{unit}"
    return f'<footer><p class="note">{escape(says)}</p></footer>'
