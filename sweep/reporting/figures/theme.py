"""Define what all figures share: colours, axes and literal text.

The colours are those of Okabe and Ito, which people with any colour vision can distinguish. Purple is
darkened so that each colour has a contrast of at least 3 to 1 on white and on black (WCAG 2.2, 1.4.11). A
shape or a label repeats the meaning of each colour: blue circles are the best trials, a vermilion diamond is
the winner, grey is everything else. The page sets fonts and the colours of text and axes, which depend on its
light or dark background.
"""

import dataclasses
import html
import math
from collections.abc import Iterable, Sequence

from sweep.metric import Metric
from sweep.reporting.printable import printable
from sweep.values import Json

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#B8578E"
GREY = "#8A8A8A"

_BANDS = {BLUE: "rgba(0, 114, 178, 0.18)", ORANGE: "rgba(213, 94, 0, 0.18)"}
"""Colour of a line -> colour of the band around it."""

_DECADES_WITH_STEPS = 2.2
"""A longer axis is labelled at powers of ten only."""

MAX_POINTS = 300
"""Points of a curve: the dashboard fetches every saved figure at each poll."""

TEMPLATE = {"data": {"scatter": [{"type": "scatter"}]}}
"""What plotly calls ``none``: no colours, grounds and lines but those of the figure."""

_AXIS = {
    "gridcolor": "rgba(128, 128, 128, 0.18)",
    "zeroline": False,
    "automargin": True,
    "tickfont": {"size": 11},
}


def axis(title: str, **settings: Json) -> dict[str, Json]:
    """Return an axis with its title."""
    return {"title": {"text": title, "standoff": 10, "font": {"size": 12}}, **_AXIS, **settings}


def log_axis(title: str, low: float, high: float) -> dict[str, Json]:
    """Return a logarithmic axis that shows the values from ``low`` to ``high``, both above 0."""
    margin = 0.04 * (math.log10(high) - math.log10(low)) or 0.1
    ticks = log_ticks(low, high)
    return axis(
        title,
        type="log",
        range=plain([math.log10(low) - margin, math.log10(high) + margin]),
        tickvals=ticks,
        ticktext=[tick_text(tick) for tick in ticks],
    )


def log_ticks(low: float, high: float) -> list[float]:
    """Return round values from ``low`` to ``high``, evenly spaced in the logarithm.

    Examples:
        >>> log_ticks(20, 300), log_ticks(0.001, 1)
        ([20.0, 50.0, 100.0, 200.0], [0.001, 0.01, 0.1, 1.0])
    """
    wide = math.log10(high / low) > _DECADES_WITH_STEPS
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{step}e{power}") for power in powers for step in ((1,) if wide else (1, 2, 5))]
    inside = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
    return inside if len(inside) > 1 else sorted({float(low), float(high)})


def even_ticks(low: float, high: float) -> list[float]:
    """Return round values from ``low`` to ``high``, evenly spaced, four to nine of them.

    Examples:
        >>> even_ticks(2, 24), even_ticks(2.03, 2.31)
        ([5.0, 10.0, 15.0, 20.0], [2.05, 2.1, 2.15, 2.2, 2.25, 2.3])
        >>> even_ticks(0.3, 0.7)
        [0.3, 0.4, 0.5, 0.6, 0.7]
    """
    if not high > low:
        return [float(low)]
    widest = (high - low) / 4 * (1 + 1e-9)  # (0.7 - 0.3) / 4 is below 0.1
    power = 10.0 ** math.floor(math.log10(widest))
    step = max(s for s in (power, 2 * power, 5 * power) if s <= widest)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return plain(step * k for k in range(first, last + 1))


def tick_text(value: float) -> str:
    """Return a number as a tick label.

    Examples:
        >>> tick_text(20_000.0), tick_text(0.05)
        ('20,000', '0.05')
    """
    return f"{value:,.0f}" if value.is_integer() else f"{value:.4g}"


def layout(x: dict[str, Json], y: dict[str, Json], **settings: Json) -> dict[str, Json]:
    """Return the layout of a figure with two axes; further settings win."""
    return {
        "xaxis": x,
        "yaxis": y,
        "template": TEMPLATE,
        "hovermode": "closest",
        "showlegend": False,
        "legend": LEGEND,
        "margin": {"l": 56, "r": 16, "t": 16, "b": 44},
        **settings,
    }


LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
"""Below the plot, from its left edge."""


def band(
    name: str, x: Sequence[float], lower: Sequence[float], upper: Sequence[float | None], colour: str
) -> dict[str, Json]:
    """Return the trace of a band: along its lower edge and back along the upper one, where there is one."""
    whole = [point for point in zip(x, lower, upper, strict=True) if point[2] is not None]
    return {
        "x": [*(x for x, _, _ in whole), *(x for x, _, _ in reversed(whole))],
        "y": [*(low for _, low, _ in whole), *(high for _, _, high in reversed(whole))],
        "name": name,
        "mode": "lines",
        "line": {"color": colour, "width": 0},
        "fill": "toself",
        "fillcolor": _BANDS[colour],
        "hoverinfo": "skip",
    }


def shown(text: str) -> str:
    """Return text so that plotly shows it: it reads a part of HTML in every label.

    Examples:
        >>> shown("<b>x</b> & y")
        '&lt;b&gt;x&lt;/b&gt; &amp; y'
    """
    return html.escape(printable(text), quote=False)


def shown_metric(metric: Metric) -> Metric:
    """Return a metric whose name plotly shows as it is; one of ``%{…}`` would stand for a number.

    Examples:
        >>> shown_metric(Metric(name="a", label="<i>%{x}")).label
        '&lt;i&gt;&#37;{x}'
    """
    return dataclasses.replace(metric, label=shown(metric.label).replace("%{", "&#37;{"))


def spoken(name: str) -> str:
    """Return the name of a hyperparameter as words.

    Examples:
        >>> spoken("hidden_neurons")
        'hidden neurons'
    """
    return shown(name).replace("_", " ")


def value_text(value: object) -> str:
    """Return the text of a hyperparameter's value.

    Examples:
        >>> value_text(200_000), value_text(0.0123456), value_text("<b>")
        ('200,000', '0.01235', '&lt;b&gt;')
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return shown(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def plain(values: Iterable[float]) -> list[float]:
    """Return plain numbers with six digits, enough for a screen."""
    return [float(f"{value:.6g}") for value in values]


def gaps(values: Iterable[float]) -> list[float | None]:
    """Return plain numbers with six digits, None for what is not finite."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values]
