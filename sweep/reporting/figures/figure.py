"""A figure as plotly.js draws it: traces and a layout of plain values.

plotly's own graph objects check and copy every value, which takes longer than everything else in a report;
they are made only for whoever asks for one. The tests show that plotly accepts each figure as it is.
"""

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from sweep.values import Json

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Figure:
    """Traces and a layout; its methods are those of plotly's class of the same name."""

    def __init__(self, data: list[dict[str, Json]] | None = None, layout: Mapping[str, Json] | None = None):
        """Take traces and a layout as plotly's documentation names their parts."""
        self.data = data or []
        self.layout = dict(layout or {})

    @classmethod
    def of(cls, made: Any) -> "Figure":
        """Return a figure that a trainer has made with this class or with plotly."""
        return made if isinstance(made, cls) else cls(**json.loads(made.to_json()))

    @property
    def height(self) -> int | None:
        """Height in pixels; None if the page decides."""
        return self.layout.get("height")

    def add_scatter(self, **settings: Any) -> Self:
        """Add a trace of points or lines."""
        return self.add_trace({"type": "scatter", **settings})

    def add_bar(self, **settings: Any) -> Self:
        """Add a trace of bars."""
        return self.add_trace({"type": "bar", **settings})

    def add_trace(self, trace: dict[str, Json]) -> Self:
        """Add a trace."""
        self.data.append(trace)
        return self

    def update_layout(self, **settings: Any) -> Self:
        """Change parts of the layout; parts of these parts that are not named stay."""
        _merge(self.layout, settings)
        return self

    def renamed(self, name: str, shown: str) -> Self:
        """Give the traces of a name another one."""
        for trace in self.data:
            trace["name"] = shown if trace.get("name") == name else trace.get("name")
        return self

    def to_dict(self) -> dict[str, Json]:
        """Return it as plain values of JSON; a number that is not finite is None."""
        plain: dict[str, Json] = _plain({"data": self.data, "layout": self.layout})
        return plain

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False)

    def to_plotly(self) -> "go.Figure":
        """Return it as plotly's graph object, which checks every value."""
        import plotly.graph_objects as go

        return go.Figure(self.to_dict())


def _merge(old: dict[str, Json], new: Mapping[str, Json]) -> None:
    for name, value in new.items():
        if isinstance(value, Mapping) and isinstance(old.get(name), dict):
            _merge(old[name], value)
        else:
            old[name] = dict(value) if isinstance(value, Mapping) else value


def _plain(value: Json) -> Json:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value
