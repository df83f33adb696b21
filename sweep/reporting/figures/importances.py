"""Draw the importance of each searched hyperparameter."""

import dataclasses

from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, axis, layout, plain, spoken


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """Shares that sum to 1, highest first."""

    names: list[str]
    shares: list[float]


def importances(evidence: Evidence) -> Importances:
    """Return the share of each searched hyperparameter."""
    found = evidence.importances
    return Importances(names=list(found), shares=plain(found.values()))


def plot_importances(numbers: Importances) -> Figure:
    """Draw a bar with its share for each hyperparameter, the highest on top."""
    figure = Figure()
    figure.add_bar(
        x=numbers.shares,
        y=[spoken(name) for name in numbers.names],
        orientation="h",
        marker={"color": BLUE},
        width=0.55,
        text=[f"{share:.0%}" for share in numbers.shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{x:.1%}<extra></extra>",
    )
    shares = axis("share of the importance", range=[0, 1.1 * max(numbers.shares)], showgrid=False)
    shares["showticklabels"] = False
    names = axis("", autorange="reversed", showgrid=False, ticklabelstandoff=8)
    figure.update_layout(**layout(shares, names, height=90 + 36 * len(numbers.names)))
    return figure
