"""How is a page made that works offline, from one file, and runs nothing but its own scripts?

plotly.js is inlined once, whatever the number of figures. The page's Content-Security-Policy
names its scripts by hash and allows no remote load of any kind, so text that slips through as
markup still cannot run or call home. Styles may be inline: plotly.js makes them.
"""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib import resources

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from sweep.results.printable import printable


def render_page(title: str, body: str, figures: Mapping[str, go.Figure]) -> str:
    """Return a whole HTML document.

    Args:
        title: Plain text.
        body: Markup whose text went through ``escape``. ``figure_place`` is where a figure
            goes.
        figures: Name -> figure.
    """
    scripts = [get_plotlyjs(), _asset("page.js")]
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {' '.join(_source_hash(script) for script in scripts)}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="figures">{_figures_json(figures)}</script>
<script>{scripts[0]}</script>
<script>{scripts[1]}</script>
</body>
</html>
"""


def figure_place(name: str, label: str) -> str:
    """Return the markup where a figure of the page is drawn; ``label`` says what it shows."""
    without = "The figure needs JavaScript; the numbers below do not."
    return (
        f'<div class="figure" data-figure="{escape(name)}" role="img" aria-label="{escape(label)}">'
        f"<noscript>{without}</noscript></div>"
    )


def escape(text: str) -> str:
    """Return text as markup that shows it, whatever it holds."""
    return html.escape(printable(text))


def definition_list(entries: Mapping[str, str], kind: str = "") -> str:
    """Return terms with their values, as markup."""
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in entries.items())
    return f'<dl class="{kind}">{items}</dl>'


def _figures_json(figures: Mapping[str, go.Figure]) -> str:
    """Return the figures as JSON that no text inside can end early."""
    plain = {name: json.loads(figure.to_json()) for name, figure in figures.items()}
    return json.dumps(plain, allow_nan=False).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return resources.files("sweep.results").joinpath(name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
