"""What do all figures share: colours, axes, and text that is shown as it stands.

Colours are those of Okabe and Ito, told apart by people with any colour vision; purple is darkened
so that each has a contrast of at least 3 to 1 on a white and on a black ground (WCAG 2.2, 1.4.11).
What a colour says, a shape or a label says too: blue circles are the best trials, a vermilion
diamond is the winner, grey is everything else. The page sets fonts and the colours of text and
axes, since these follow its light or dark ground.
"""

import html
import math
from collections.abc import Iterable
from typing import Any

from sweep.results.printable import printable

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#B8578E"
GREY = "#8A8A8A"

BLUE_BAND = "rgba(0, 114, 178, 0.18)"

MAX_POINTS = 300
"""Points of a curve: the dashboard fetches every saved figure at each poll."""

_AXIS = {
    "gridcolor": "rgba(128, 128, 128, 0.18)",
    "zeroline": False,
    "automargin": True,
    "tickfont": {"size": 12},
}


def axis(title: str, **settings: Any) -> dict[str, Any]:
    """Return an axis with its title."""
    return {"title": {"text": title, "standoff": 8}, **_AXIS, **settings}


def log_axis(title: str, **settings: Any) -> dict[str, Any]:
    """Return a logarithmic axis, labelled 1, 2 and 5 times the powers of ten."""
    return axis(title, type="log", dtick="D2", **settings)


def layout(x: dict[str, Any], y: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Return the layout of a figure with two axes; further settings win."""
    return {
        "xaxis": x,
        "yaxis": y,
        "template": "none",
        "hovermode": "closest",
        "showlegend": False,
        "legend": LEGEND,
        "margin": {"l": 60, "r": 20, "t": 20, "b": 48},
        **settings,
    }


LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}
"""Below the plot, from its left edge."""


def shown(text: str) -> str:
    """Return text so that plotly shows it: it reads a part of HTML in every label.

    Examples:
        >>> shown("<b>x</b> & y")
        '&lt;b&gt;x&lt;/b&gt; &amp; y'
    """
    return html.escape(printable(text), quote=False)


def spoken(name: str) -> str:
    """Return the name of a hyperparameter as words.

    Examples:
        >>> spoken("hidden_neurons")
        'hidden neurons'
    """
    return shown(name).replace("_", " ")


def value_text(value: Any) -> str:
    """Return a hyperparameter's value as a person reads it.

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
