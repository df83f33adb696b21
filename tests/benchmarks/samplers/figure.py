"""Draw quantiles over trials, one panel per task, as an SVG that follows the reader's light or dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from tests.benchmarks.samplers.judge import Results, on_every_task
from tests.benchmarks.samplers.results import Result

LINES: Mapping[str, str] = {
    "gp_cost": "own",
    "tpe": "two",
    "Optuna TPE": "three",
    "Optuna GP": "four",
    "SMAC3": "five",
    "random": "base",
}
"""Search -> class of its line."""

TRIALS = (5, 100)
QUANTILES = (0.0003, 0.3)
COLUMNS, WIDTH, HEIGHT = 3, 220, 150
LEFT, TOP, GAP_X, GAP_Y = 56, 76, 24, 56
TITLE = "Share of the configurations that are better than the best one found, median over seeds, two workers"
STYLE = """
text { font: 11px sans-serif; fill: #57606a } text.name { font-weight: bold }
.grid { stroke: #d0d7de; stroke-width: 1 }
path { fill: none; stroke-width: 2 }
path.own { stroke: #1f883d } text.own { fill: #1f883d }
path.two { stroke: #8250df } text.two { fill: #8250df }
path.three { stroke: #bc4c00 } text.three { fill: #bc4c00 }
path.four { stroke: #0969da } text.four { fill: #0969da }
path.five { stroke: #bf3989 } text.five { fill: #bf3989 }
path.base { stroke: #8c959f } text.base { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 } .grid { stroke: #30363d }
  path.own { stroke: #3fb950 } path.two { stroke: #a371f7 } path.three { stroke: #f0883e }
  path.four { stroke: #58a6ff } path.five { stroke: #db61a2 }
}
"""


def write_figure(path: Path, results: Results) -> None:
    """Write the median quantiles of those of ``LINES`` that have results on every task."""
    names = [name for name in LINES if name in on_every_task(results)]
    rows = math.ceil(len(results) / COLUMNS)
    width = LEFT + COLUMNS * (WIDTH + GAP_X)
    height = TOP + rows * (HEIGHT + GAP_Y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{TITLE}">',
        f"<style>{STYLE}</style>",
        f'<text x="8" y="20">{TITLE}</text>',
        *_legend(names),
    ]
    for place, (task, found) in enumerate(results.items()):
        searches = {name: found[name] for name in names}
        row, column = divmod(place, COLUMNS)
        left, top = LEFT + column * (WIDTH + GAP_X), TOP + row * (HEIGHT + GAP_Y)
        parts += [f'<g transform="translate({left} {top})">', *_panel(task, searches, column == 0), "</g>"]
    path.write_text("\n".join([*parts, "</svg>", ""]))


def median_curve(found: Sequence[Result], counts: Sequence[int]) -> list[float]:
    """Return the median quantile over seeds after each number of trials that all seeds reach."""
    last = min(result.trials for result in found)
    return [
        float(np.median([result.at(count).quantile for result in found])) for count in counts if count <= last
    ]


def _legend(names: Sequence[str]) -> list[str]:
    return [
        f'<text class="{LINES[name]}" x="{LEFT + 110 * place}" y="44">{escape(name)}</text>'
        for place, name in enumerate(names)
    ]


def _panel(task: str, searches: Mapping[str, Sequence[Result]], has_scale: bool) -> list[str]:
    counts = range(TRIALS[0], TRIALS[1] + 1)
    parts = [f'<text class="name" x="0" y="-8">{escape(task)}</text>', *_axes(has_scale)]
    for name, found in searches.items():
        curve = median_curve(found, counts)
        points = " ".join(f"{_x(c):.1f},{_y(q):.1f}" for c, q in zip(counts, curve, strict=False))
        parts.append(f'<path class="{LINES[name]}" d="M{points}"/>')
    return parts


def _axes(has_scale: bool) -> list[str]:
    parts = []
    for value in (5, 10, 20, 50, 100):
        x = _x(value)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{HEIGHT}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT + 16}" text-anchor="middle">{value}</text>')
    parts.append(f'<text x="{WIDTH}" y="{HEIGHT + 30}" text-anchor="end">trials</text>')
    for value in (0.001, 0.01, 0.1):
        y = _y(value)
        parts.append(f'<line class="grid" x1="0" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>')
        if has_scale:
            parts.append(f'<text x="-8" y="{y + 4:.1f}" text-anchor="end">{value:.1%}</text>')
    return parts


def _x(trials: float) -> float:
    return WIDTH * math.log(trials / TRIALS[0]) / math.log(TRIALS[1] / TRIALS[0])


def _y(quantile: float) -> float:
    inside = min(max(quantile, QUANTILES[0]), QUANTILES[1])
    return HEIGHT * math.log(QUANTILES[1] / inside) / math.log(QUANTILES[1] / QUANTILES[0])
