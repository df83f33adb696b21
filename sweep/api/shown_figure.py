"""A plotly figure that is visible in exported notebooks too."""

import json
from typing import Any

import plotly.graph_objects as go
import plotly.io

_NOTEBOOK = "plotly_mimetype"
"""Plotly's default renderer in a Jupyter notebook."""


class ShownFigure(go.Figure):  # type: ignore[misc]  # plotly has no types
    """A figure that a notebook stores as HTML beside plotly's own form.

    In a Jupyter notebook, plotly stores its own form alone, which ``nbconvert --to html`` leaves out. The
    HTML loads plotly.js from its address when it is opened.
    """

    def show(self, *args: Any, **kwargs: Any) -> Any:
        """Show the figure; a renderer that is named, or was set as plotly's default, is used as it is."""
        if args or kwargs or plotly.io.renderers.default != _NOTEBOOK:
            return super().show(*args, **kwargs)
        return self._display()

    def _ipython_display_(self) -> None:
        if plotly.io.renderers.default == _NOTEBOOK:
            self._display()
        else:
            super()._ipython_display_()

    def _display(self) -> None:
        from IPython.display import display  # noqa: PLC0415  a notebook has it

        shown = {"application/vnd.plotly.v1+json": json.loads(self.to_json())}
        html = self.to_html(full_html=False, include_plotlyjs="cdn")
        display({**shown, "text/html": html}, raw=True)  # type: ignore[no-untyped-call]
