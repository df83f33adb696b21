"""Draw the effect of each change on the path from one configuration to another."""

import dataclasses
import itertools

from sweep.certify.ablation.steps import AblationResult, judge_ablation
from sweep.certify.ablation.stored_ablation import stored_ablation
from sweep.errors import NothingToShowError
from sweep.metric import Metric
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.theme import BLUE, GREY, ORANGE, axis, layout, plain, shown
from sweep.reporting.units import axis_title


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The steps of an ablation, in order; the first configuration is not among them."""

    metric: Metric
    first: float
    """Mean of the first configuration."""
    changes: list[list[str]]
    """The changes of each step in words."""
    starts: list[float]
    """Mean of the configuration before each step."""
    differences: list[float]
    errors: list[float]
    """Half the width of each difference's interval; 0 if there is none."""


def ablation_result(evidence: Evidence) -> AblationResult:
    """Return the result of an ablation so far.

    Raises:
        NothingToShowError: If the study is no ablation, or no step is finished.
    """
    stored = stored_ablation(evidence.study)
    if stored is None:
        raise NothingToShowError("this study is no ablation; `sweep ablate FROM.toml TO.toml` makes one")
    result = judge_ablation(stored)
    if not result.steps:
        raise NothingToShowError("no step is measured yet; run the same `sweep ablate` command to resume")
    return result


def waterfall(evidence: Evidence) -> Waterfall:
    """Return the steps that have a difference; raises ``NothingToShowError`` if none has."""
    steps = evidence.more(ablation_result).steps
    pairs = [(old, new) for old, new in itertools.pairwise(steps) if new.difference is not None]
    if not pairs or steps[0].mean is None:
        raise NothingToShowError("no step has a value before and after it")
    found = [new.difference for _, new in pairs if new.difference is not None]
    return Waterfall(
        metric=evidence.study.metric,
        first=float(f"{steps[0].mean:.6g}"),
        changes=[list(new.changes) for _, new in pairs],
        starts=plain(old.mean for old, _ in pairs if old.mean is not None),
        differences=plain(each.mean for each in found),
        errors=plain(0.0 if each.high is None else each.high - each.mean for each in found),
    )


def plot_waterfall(numbers: Waterfall) -> Figure:
    """Draw a bar from the mean before each step to the mean after it, with its interval at the end."""
    figure = Figure()
    worse = [numbers.metric.as_loss(difference) > 0 for difference in numbers.differences]
    figure.add_bar(
        x=numbers.differences,
        base=numbers.starts,
        y=[_label(change) for change in numbers.changes],
        orientation="h",
        width=0.55,
        marker={"color": [ORANGE if is_worse else BLUE for is_worse in worse]},
        error_x={"type": "data", "array": numbers.errors, "color": GREY, "thickness": 1.5, "width": 4},
        customdata=[f"{difference:+.4f}" for difference in numbers.differences],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
    )
    figure.add_scatter(
        x=_range(numbers),
        y=[_label(numbers.changes[0])] * 2,
        mode="markers",
        marker={"color": "rgba(0, 0, 0, 0)"},
        hoverinfo="skip",
    )
    value = axis(axis_title(numbers.metric), range=_range(numbers))
    names = axis("", autorange="reversed", showgrid=False, ticklabelstandoff=8)
    figure.update_layout(**layout(value, names, height=110 + 40 * len(numbers.changes)))
    return figure


def _label(changes: list[str]) -> str:
    """Return the changes of a step as a tick label, one on each line."""
    return "<br>".join(map(shown, changes))


def _range(numbers: Waterfall) -> list[float]:
    """Return a range that holds all bars with their intervals; bars alone would make it begin at 0."""
    ends = [s + d for s, d in zip(numbers.starts, numbers.differences, strict=True)]
    spread = [(end - error, end + error) for end, error in zip(ends, numbers.errors, strict=True)]
    values = [numbers.first, *numbers.starts, *(value for pair in spread for value in pair)]
    margin = 0.05 * (max(values) - min(values)) or 0.1
    return plain([min(values) - margin, max(values) + margin])
