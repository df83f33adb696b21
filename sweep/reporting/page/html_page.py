"""How is a page made that works offline, from one file, and runs nothing but its own scripts?

plotly.js is inlined once, whatever the number of figures. The page's Content-Security-Policy
names its scripts by hash and allows no remote load of any kind, so text that slips through as
markup still cannot run or call home. Styles may be inline: plotly.js makes them.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping, Sequence
from importlib import resources

from sweep.reporting.figures.figure import Figure
from sweep.reporting.printable import printable


def render_page(
    title: str, body: str, figures: Mapping[str, Figure], *, kind: str = "", scripts: Sequence[str] = ()
) -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text.
        body: Markup whose text went through ``escape``. ``figure_place`` is where a figure
            goes.
        figures: Name -> figure.
        kind: Class of the page's main element.
        scripts: Names of further scripts beside this module.
    """
    sources = [_plotly_js(), *(_asset(name) for name in ("page.js", *scripts))]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(sources)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<main class="{kind}">
{body}
</main>
<script type="application/json" id="figures">{_figures_json(figures)}</script>
{"".join(f"<script>{source}</script>" for source in sources)}
</body>
</html>
"""


def _policy(scripts: Sequence[str]) -> str:
    """Return the Content-Security-Policy of a page that runs these scripts and loads nothing."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(_source_hash(script) for script in scripts)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def figure_place(name: str, label: str, *, kind: str = "", height: int | None = None) -> str:
    """Return the markup where a figure of the page is drawn.

    Args:
        name: Of the figure.
        label: What it shows, for those who do not see it.
        kind: A further class.
        height: In pixels; None leaves it to the style sheet.
    """
    style = f' style="height: {height}px"' if height else ""
    without = "<noscript>The figure needs JavaScript; the text does not.</noscript>"
    return (
        f'<div class="figure {kind}"{style} data-figure="{escape(name)}" role="img" '
        f'aria-label="{escape(label)}">{without}</div>'
    )


def escape(text: str) -> str:
    """Return text as markup that shows it, whatever it holds."""
    return html.escape(printable(text))


def prose(text: str) -> str:
    """Return a sentence as markup; what is between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def definition_list(entries: Mapping[str, str], kind: str = "") -> str:
    """Return terms with their values, as markup."""
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in entries.items())
    return f'<dl class="{kind}">{items}</dl>'


def _figures_json(figures: Mapping[str, Figure]) -> str:
    """Return the figures as JSON that no text inside can end early."""
    plain = {name: figure.to_dict() for name, figure in figures.items()}
    return json.dumps(plain, allow_nan=False).replace("<", "\\u003c")


def _plotly_js() -> str:
    """Return plotly.js as plotly brings it; none of its Python is loaded."""
    return resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def _asset(name: str) -> str:
    return resources.files("sweep.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
