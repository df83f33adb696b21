"""Draws regret over simulated seconds, as a small SVG that follows the reader's light or dark page."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

LINES = {
    "gp_cost": "own",
    "tpe + asha": "two",
    "Optuna's defaults": "three",
    "random": "base",
}
"""Search -> class of its line."""

SECONDS = (2, 250)
REGRETS = (0.003, 0.3)
LEFT, TOP, WIDTH, HEIGHT = 64, 44, 580, 330
TITLE = "Regret of the best configuration found, nats: median and quartiles of 50 searches, two workers"
STYLE = """
text { font: 12px sans-serif; fill: #57606a }
.grid { stroke: #d0d7de; stroke-width: 1 }
path { fill: none; stroke-width: 2 } polygon { opacity: 0.15 }
path.own { stroke: #1f883d } polygon.own, text.own { fill: #1f883d }
path.two { stroke: #8250df } polygon.two, text.two { fill: #8250df }
path.three { stroke: #bc4c00 } polygon.three, text.three { fill: #bc4c00 }
path.base { stroke: #8c959f } polygon.base, text.base { fill: #6e7781 }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 } .grid { stroke: #30363d }
  path.own { stroke: #3fb950 } polygon.own, text.own { fill: #3fb950 }
  path.two { stroke: #a371f7 } polygon.two, text.two { fill: #a371f7 }
  path.three { stroke: #f0883e } polygon.three, text.three { fill: #f0883e }
}
"""


def write_chart(path: Path, results: Mapping[str, Sequence[Any]]) -> None:
    """Write the regret curves of ``LINES``."""
    seconds = np.geomspace(*SECONDS, 120)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 670 430" role="img" aria-label="{TITLE}">',
        f"<style>{STYLE}</style>",
        f'<text x="8" y="20">{TITLE}</text>',
        *_axes(),
    ]
    shown = {name: _quartiles(results[name], seconds) for name in LINES if name in results}
    parts += [_band(LINES[name], seconds, q) for name, q in shown.items()]
    for place, (name, quartiles) in enumerate(shown.items()):
        parts.append(_line(LINES[name], seconds, quartiles[1]))
        parts.append(
            f'<text class="{LINES[name]}" x="{LEFT + 12}" y="{TOP + HEIGHT - 66 + 17 * place}">'
            f"{escape(name)}</text>"
        )
    path.write_text("\n".join([*parts, "</svg>", ""]))


def _quartiles(found: Sequence[Any], seconds: np.ndarray) -> np.ndarray:
    """Return the quartiles of the regret at each moment, shape (3, moments)."""
    regrets = np.full((len(found), len(seconds)), REGRETS[1])
    for row, result in zip(regrets, found, strict=True):
        for start, regret in result.curve:
            row[seconds >= start] = regret
    return np.clip(np.quantile(regrets, [0.25, 0.5, 0.75], axis=0), *REGRETS)


def _x(seconds: float) -> float:
    return LEFT + WIDTH * math.log(seconds / SECONDS[0]) / math.log(SECONDS[1] / SECONDS[0])


def _y(regret: float) -> float:
    return TOP + HEIGHT * math.log(REGRETS[1] / regret) / math.log(REGRETS[1] / REGRETS[0])


def _axes() -> list[str]:
    parts = []
    for value in (2, 5, 10, 20, 50, 100, 200):
        x = _x(value)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + HEIGHT}"/>')
        parts.append(f'<text x="{x:.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{value}</text>')
    for value in (0.003, 0.01, 0.03, 0.1, 0.3):
        y = _y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    parts.append(
        f'<text x="{LEFT + WIDTH}" y="{TOP + HEIGHT + 36}" text-anchor="end">simulated seconds</text>'
    )
    return parts


def _line(style: str, seconds: np.ndarray, regrets: np.ndarray) -> str:
    points = " ".join(f"{_x(s):.1f},{_y(r):.1f}" for s, r in zip(seconds, regrets, strict=True))
    return f'<path class="{style}" d="M{points}"/>'


def _band(style: str, seconds: np.ndarray, quartiles: np.ndarray) -> str:
    there = [f"{_x(s):.1f},{_y(r):.1f}" for s, r in zip(seconds, quartiles[0], strict=True)]
    back = [f"{_x(s):.1f},{_y(r):.1f}" for s, r in zip(seconds, quartiles[2], strict=True)][::-1]
    return f'<polygon class="{style}" points="{" ".join(there + back)}"/>'
