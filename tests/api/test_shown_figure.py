"""Figures of a stored study in a notebook, and in what is exported from it."""

from typing import Any

import plotly.graph_objects as go
import plotly.io
import pytest

from sweep.api.shown_figure import ShownFigure

FIGURE = {"data": [{"type": "scatter", "x": [1, 2], "y": [3, 4]}], "layout": {}}


def test_a_notebook_stores_html_beside_plotly_s_own_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the last line of a cell and by ``show``: what nbconvert can write is there."""
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(display, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(plotly.io.renderers, "default", "plotly_mimetype")
    ShownFigure(FIGURE)._ipython_display_()
    ShownFigure(FIGURE).show()
    assert [sorted(bundle) for bundle in bundles] == [["application/vnd.plotly.v1+json", "text/html"]] * 2
    assert len(bundles[0]["text/html"]) < 100_000  # plotly.js is not in it
    assert '"y":[3,4]' in bundles[0]["text/html"].replace(" ", "")


def test_a_renderer_of_the_user_s_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Named at the call, or set as plotly's default."""
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(go.Figure, "show", lambda self, *args: asked.append(args))
    monkeypatch.setattr(plotly.io.renderers, "default", "browser")
    ShownFigure(FIGURE).show()
    ShownFigure(FIGURE).show("svg")
    assert asked == [(), ("svg",)]
