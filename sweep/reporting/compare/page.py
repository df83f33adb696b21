"""Draw a comparison of studies: the best value so far over trials and over training seconds, on one page."""

from collections.abc import Sequence
from itertools import cycle

from sweep.definition.ranking import Rows
from sweep.reporting.compare.comparison import StudyComparison
from sweep.reporting.compare.formats import explanations, shown_columns, space_lines
from sweep.reporting.compare.progress import Progress
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, axis, gaps, layout, plain, shown
from sweep.reporting.page.html_page import escape, figure_place, render_page
from sweep.reporting.table.columns import cell, heading, is_text
from sweep.reporting.units import axis_title, words_of

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, GREY)
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
"""A line is told from the others by its colour and its dashes."""


def comparison_page(comparison: StudyComparison) -> str:
    """Return an HTML document with the table, two figures and what the search spaces share."""
    metric = comparison.studies[0].metric
    names = " and ".join(study.name for study in comparison.studies)
    title = "{Lowest} {noun} so far".format(
        Lowest=words_of(metric)["lowest"].capitalize(), **words_of(metric)
    )
    figures = {
        "trials": progress_figure(
            comparison, [list(map(float, each.trials)) for each in comparison.progress]
        ),
        "seconds": progress_figure(
            comparison,
            [each.seconds for each in comparison.progress],
            "training seconds, all trials together",
        ),
    }
    captions = {
        "trials": "Over finished trials.",
        "seconds": "Over the training seconds of all trials so far.",
    }
    places = "".join(
        f"<figure><figcaption><h3>{title}</h3><p>{captions[name]}</p></figcaption>"
        f"{figure_place(name, f'{title}. {captions[name]}')}</figure>"
        for name in figures
    )
    body = "\n".join(
        [
            f'<p class="eyebrow">sweep compare</p><h1>{escape(names)}</h1>',
            f"<section>{_table(comparison)}{_list(explanations(comparison))}</section>",
            f'<section><h2>Progress</h2><div class="pair">{places}</div></section>',
            f"<section><h2>Search spaces</h2>{_list(space_lines(comparison))}</section>",
        ]
    )
    return render_page(f"{names}: sweep comparison", body, figures, kind="report")


def progress_figure(
    comparison: StudyComparison, xs: Sequence[Sequence[float]], title: str = "trials"
) -> Figure:
    """Draw one line of steps for each study.

    Args:
        comparison: The studies.
        xs: For each study, where its trials are drawn.
        title: Of the horizontal axis.
    """
    metric, unit, figure = comparison.studies[0].metric, title.partition(",")[0], Figure()
    styles = zip(cycle(_COLOURS), cycle(_DASHES), strict=False)
    for study, x, progress, (colour, dash) in zip(
        comparison.studies, xs, comparison.progress, styles, strict=False
    ):
        figure.add_scatter(
            x=plain(x),
            y=_values(progress),
            name=shown(study.name),
            mode="lines",
            line={"color": colour, "width": 2, "shape": "hv", "dash": dash},
            hovertemplate=f"{shown(study.name)}<br>%{{x:,.4~r}} {unit}<br>%{{y:.4f}}<extra></extra>",
        )
    x_axis = axis(title, rangemode="tozero")
    figure.update_layout(**layout(x_axis, axis(axis_title(metric)), showlegend=True))
    return figure


def _values(progress: Progress) -> list[float | None]:
    return gaps(float("nan") if value is None else value for value in progress.best)


def _table(comparison: StudyComparison) -> str:
    rows, columns = comparison.rows, shown_columns(comparison)
    study = comparison.studies[0]
    kinds = {name: " class=t" if is_text(name, rows[name]) else "" for name in columns}
    head = "".join(
        f"<th scope=col{kinds[name]}>{escape(heading(name, study).replace('_', ' '))}" for name in columns
    )
    body = "\n".join(_row(rows, place, kinds) for place in range(len(rows)))
    table = f"<table class=ranking><thead><tr>{head}</thead><tbody>\n{body}\n</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _row(rows: Rows, place: int, kinds: dict[str, str]) -> str:
    record = rows.records[place]
    return "<tr>" + "".join(f"<td{kind}>{escape(cell(name, record[name]))}" for name, kind in kinds.items())


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="findings">{items}</ul>'
