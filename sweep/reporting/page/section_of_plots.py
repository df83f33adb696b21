"""Make sections of the report from plots, for all studies and for trainers' own sections."""

from collections.abc import Callable, Sequence

from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Part, Plot
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.plots import draw_plot, plots_of
from sweep.reporting.page.html_page import escape, figure_place
from sweep.reporting.units import winner_name


def key_of(study: StudyRecord) -> str:
    """Return the legend of the colours of trials."""
    return (
        '<p class="key" aria-hidden="true"><span class="dot grey"></span>trial <span class="dot blue"></span>'
        f'best tenth <span class="dot diamond"></span>{escape(winner_name(study))}</p>'
    )


def figures_section(*names: str, key: bool = False, titled: bool = False) -> Callable[[Evidence], Part]:
    """Return a section of plots without those that cannot be drawn; if none can, it has nothing to show.

    Args:
        names: Names of the plots.
        key: Whether the legend of the colours is above them.
        titled: Whether a single plot has a title of its own.
    """

    def build(evidence: Evidence) -> Part:
        plots, figures, reasons = plots_of(evidence.study), {}, []
        for name in filter(plots.__contains__, names):
            try:
                figures[name] = draw_plot(plots[name], evidence)
            except NothingToShowError as error:
                reasons.append(str(error))
        if not figures:
            raise NothingToShowError(" ".join(dict.fromkeys(reasons)))
        places = "".join(
            _placed(name, plots[name], figure, titled=titled or len(names) > 1)
            for name, figure in figures.items()
        )
        kind = "pair" if len(figures) > 1 else "single"
        return Part(
            markup=f'{key_of(evidence.study) if key else ""}<div class="{kind}">{places}</div>',
            figures=figures,
        )

    return build


def _placed(name: str, plot: Plot, figure: Figure, *, titled: bool) -> str:
    title = f"<h3>{escape(plot.title)}</h3>" if titled else ""
    return (
        f'<figure class="{name}"><figcaption>{title}<p>{escape(plot.reading)}</p></figcaption>'
        f"{figure_place(name, f'{plot.title}. {plot.reading}', height=figure.height)}</figure>"
    )


def joined(parts: Sequence[Part], before: str = "") -> Part:
    """Join parts, with some markup before them."""
    figures = {name: figure for part in parts for name, figure in part.figures.items()}
    return Part(markup=before + "\n".join(part.markup for part in parts), figures=figures)
