"""Render a page that is one file, works offline and runs only its own scripts.

plotly.js is inlined once for all figures. The page's Content-Security-Policy allows its scripts by hash and
no remote load, so text that is taken for markup by mistake cannot run or load anything. Inline styles are
allowed, because plotly.js creates them.
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
        body: Markup whose text went through ``escape``; ``figure_place`` marks the place of a figure.
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
    """Return the Content-Security-Policy that allows these scripts and no load."""
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
    """Return the element in which the page's script draws a figure.

    Args:
        name: Name of the figure.
        label: Description for screen readers.
        kind: Further class of the element.
        height: Height in pixels; None leaves it to the style sheet.
    """
    style = f' style="height: {height}px"' if height else ""
    without = "<noscript>The figure needs JavaScript; the text does not.</noscript>"
    return (
        f'<div class="figure {kind}"{style} data-figure="{escape(name)}" role="img" '
        f'aria-label="{escape(label)}">{without}</div>'
    )


def escape(text: str) -> str:
    """Return any text as markup that shows it."""
    return html.escape(printable(text))


def prose(text: str) -> str:
    """Return a sentence as markup; text between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))


def definition_list(entries: Mapping[str, str], kind: str = "") -> str:
    """Return terms with their values, as markup."""
    items = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in entries.items())
    return f'<dl class="{kind}">{items}</dl>'


def _figures_json(figures: Mapping[str, Figure]) -> str:
    """Return the figures as JSON in which no text can close the script element."""
    plain = {name: figure.to_dict() for name, figure in figures.items()}
    return json.dumps(plain, allow_nan=False).replace("<", "\\u003c")


def _plotly_js() -> str:
    """Return plotly.js from the plotly package, without importing the package."""
    return resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def _asset(name: str) -> str:
    return resources.files("sweep.reporting.page").joinpath(name).read_text(encoding="utf-8")


def _source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
