"""Write a plot of a study to a file.

The file is a page that works offline, or a picture from plotly's own exporter, which is an extra.
"""

from collections.abc import Callable
from pathlib import Path

from sweep.errors import MachineError, NothingToShowError, SweepError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Plot
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.plots import draw, plot_of, plots_of
from sweep.reporting.figures.theme import shown
from sweep.reporting.files import REPORTS, write_bytes
from sweep.reporting.page.html_page import escape, figure_place, render_page

PICTURE_SIZE = (900, 560)
"""Width and height of a picture, in CSS pixels; a PNG has two pixels for each."""


TITLE_ROOM = 48
"""Height of a picture's title, in CSS pixels."""


def write_figure(
    name: str,
    evidence: Evidence,
    path: Path | str | None = None,
    *,
    force: bool = False,
    reports: Path | str = REPORTS,
    suffix: str = ".html",
) -> Path:
    """Draw one plot of a study into a file, whose suffix says the format.

    Args:
        name: One of ``plots_of``.
        evidence: What is known of the study.
        path: Where to; None is ``<reports>/<study>/<name><suffix>``, which is replaced if it exists.
        force: Whether another file may be replaced.
        reports: Folder of all reports.
        suffix: Of a file without a path, one of ``FORMATS``.

    Returns:
        Where it was written.

    Raises:
        NotFoundError: If there is no such plot.
        NothingToShowError: If the study lacks what it is made of.
        SweepError: If the suffix is unknown, or the file exists.
        MachineError: If it cannot be written, or the exporter of pictures is missing.
    """
    target = Path(path) if path is not None else Path(reports) / evidence.folder_name / f"{name}{suffix}"
    if target.suffix.lower() not in FORMATS:
        raise SweepError(f"{target} must end in {', '.join(FORMATS)}")
    if path is not None and target.exists() and not force:
        raise SweepError(f"{target} exists and is not overwritten; name another with -o, or pass --force")
    figure = draw(name, evidence)
    content = FORMATS[target.suffix.lower()](plot_of(name, evidence.study), figure, evidence.study.name)
    return write_bytes(target, content, within=reports if path is None else None)


def write_all_figures(
    evidence: Evidence,
    folder: Path | str | None = None,
    *,
    suffix: str = ".html",
    force: bool = False,
    reports: Path | str = REPORTS,
) -> tuple[list[Path], dict[str, str]]:
    """Draw every plot of a study into a file of its name.

    Args:
        evidence: What is known of the study.
        folder: Where to; None is ``<reports>/<study>``, whose files are replaced.
        suffix: One of ``FORMATS``.
        force: As in ``write_figure``.
        reports: Folder of all reports.

    Returns:
        The files, and the plots that the study lacks the data for: name -> reason.

    Raises:
        SweepError: If a file in ``folder`` exists and ``force`` is False.
        MachineError: As ``write_figure``.
    """
    written, missing = [], {}
    for name in plots_of(evidence.study):
        path = None if folder is None else Path(folder) / f"{name}{suffix}"
        try:
            written.append(write_figure(name, evidence, path, force=force, reports=reports, suffix=suffix))
        except NothingToShowError as error:
            missing[name] = str(error)
    return written, missing


def _page(plot: Plot, figure: Figure, study: str) -> bytes:
    body = "\n".join(
        [
            f'<p class="eyebrow">{escape(study)}</p>',
            f"<h1>{escape(plot.title)}</h1>",
            f'<p class="lead">{escape(plot.reading)}</p>',
            figure_place("figure", f"{plot.title}. {plot.reading}", height=figure.height),
        ]
    )
    return render_page(f"{plot.title}: {study}", body, {"figure": figure}).encode()


def _picture(form: str) -> Callable[[Plot, Figure, str], bytes]:
    def export(plot: Plot, figure: Figure, study: str) -> bytes:
        width, height = PICTURE_SIZE
        height = (figure.height or height) + TITLE_ROOM
        _add_title(figure, plot, study)
        try:
            picture: bytes = figure.to_plotly().to_image(format=form, width=width, height=height, scale=2)
        except (RuntimeError, ValueError) as error:
            raise MachineError(f"no {form} without {_missing(error)}; or write .html") from error
        return picture

    return export


def _add_title(figure: Figure, plot: Plot, study: str) -> None:
    """Write the plot's title and the study's name above a picture, which has no page around it."""
    text = f"{shown(plot.title)}<br><span style='font-size: 12px; color: #63636b'>{shown(study)}</span>"
    top = figure.layout["margin"]["t"] + TITLE_ROOM
    title = {"text": text, "x": 0.02, "y": 0.98, "yanchor": "top", "font": {"size": 16}}
    figure.update_layout(title=title, margin={"t": top})


def _missing(error: Exception) -> str:
    """Return the missing part of plotly's exporter, and how to install it."""
    if "pip install" in str(error):
        return "kaleido: pip install kaleido"
    if "Chrome" in str(error):
        return "a browser: install chromium, or name one in BROWSER_PATH"
    return f"plotly's exporter: {str(error).strip().partition(chr(10))[0]}"


FORMATS: dict[str, Callable[[Plot, Figure, str], bytes]] = {
    ".html": _page,
    ".png": _picture("png"),
    ".svg": _picture("svg"),
}
"""Suffix -> how a figure is written."""
