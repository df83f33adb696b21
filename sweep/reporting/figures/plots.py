"""List the plots of every study, and draw one.

Every plot is made in two steps: first plain numbers from a study's ``Evidence``, which are tested
without drawing, then a Figure from these numbers alone. Figures use plain scatter, bar and heatmap
traces with lists as data, so that the old plotly.js of the Optuna dashboard draws them as well.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping

from sweep.definition.identity import is_ablation
from sweep.definition.records import StudyRecord
from sweep.errors import NotFoundError
from sweep.metric import MAXIMIZE, Fact
from sweep.reporting.contributions import merged
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Plot, exhibits_of
from sweep.reporting.figures.ablation import plot_waterfall, waterfall
from sweep.reporting.figures.contour import contour, plot_contour
from sweep.reporting.figures.cost import loss_by_cost, loss_by_objective, loss_by_seconds, plot_cost
from sweep.reporting.figures.expected_best import expected_best_curve, plot_expected_best
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.history import (
    history_by_seconds,
    history_by_trial,
    plot_history_by_seconds,
    plot_history_by_trial,
)
from sweep.reporting.figures.importances import importances, plot_importances
from sweep.reporting.figures.learning_curves import learning_curves, plot_learning_curves
from sweep.reporting.figures.parallel import parallel_coordinates, plot_parallel_coordinates
from sweep.reporting.figures.rungs import plot_rung_curves, rung_curves
from sweep.reporting.figures.slices import plot_slices, slices
from sweep.reporting.figures.training_curve import plot_training_curve, training_curve
from sweep.reporting.units import winner_name, words_of
from sweep.task import TRAIN_SECONDS, costs_of


def plots_of(study: StudyRecord) -> dict[str, Plot]:
    """Return the plots of a study in order, with those that its trainer contributes."""
    words, exhibits = words_of(study.metric), exhibits_of(study)
    plots = {name: _worded(plot, words) for name, plot in _generic(study).items()}
    return merged(plots, exhibits.plots, exhibits.without)


def plot_of(name: str, study: StudyRecord) -> Plot:
    """Return one plot of a study; raises ``NotFoundError`` if there is none of that name."""
    plots = plots_of(study)
    if name not in plots:
        raise NotFoundError(f"no plot {name!r}; known: {', '.join(plots)}")
    return plots[name]


def draw(name: str, evidence: Evidence) -> Figure:
    """Return one plot of a study.

    Args:
        name: One of ``plots_of``.
        evidence: What is known of the study.

    Raises:
        NotFoundError: If there is no such plot.
        NothingToShowError: If the study lacks what it is made of.
    """
    return draw_plot(plot_of(name, evidence.study), evidence)


def draw_plot(plot: Plot, evidence: Evidence) -> Figure:
    """Return a plot of what is known of a study; raises ``NothingToShowError``."""
    made = Figure.of(plot.figure(plot.numbers(evidence)))
    return made if evidence.study.cost is None else made.renamed("winner", winner_name(evidence.study))


def _generic(study: StudyRecord) -> dict[str, Plot]:
    """Return the plots of every study; an ablation has one more, and each cost of the trainer another."""
    plots: dict[str, Plot] = {"ablation": _ABLATION} if is_ablation(study.identity) else {}
    for name, plot in PLOTS.items():
        if name == "cost-seconds":
            plots |= {cost_plot(cost, fact): _plot_of_cost(cost, fact) for cost, fact in _costs(study)}
        plots[name] = plot
    return plots


def cost_plots(study: StudyRecord) -> list[str]:
    """Return the names of the plots of the metric over a cost; seconds come last."""
    return [*(cost_plot(cost, fact) for cost, fact in _costs(study)), "cost-seconds"]


def cost_plot(cost: str, fact: Fact) -> str:
    """Return the name of the plot of the metric over one of the trainer's costs."""
    return f"cost-{re.sub(r'[^A-Za-z0-9_.]+', '-', fact.unit or cost).strip('-')}"


def _costs(study: StudyRecord) -> list[tuple[str, Fact]]:
    return [(cost, fact) for cost, fact in costs_of(study.task).items() if cost != TRAIN_SECONDS]


def _plot_of_cost(cost: str, fact: Fact) -> Plot:
    label = fact.label.replace("{", "{{").replace("}", "}}")
    good = "Right" if fact.direction == MAXIMIZE else "Left"
    return Plot(
        title=f"{{Noun}} against {label}",
        reading=f"{good} and {{low}} is good. No other configuration beats those on the green line in both.",
        numbers=functools.partial(loss_by_cost, cost=cost),
        figure=plot_cost,
    )


def _worded(plot: Plot, words: Mapping[str, str]) -> Plot:
    """Return a generic plot whose texts name the metric."""
    return dataclasses.replace(plot, title=plot.title.format(**words), reading=plot.reading.format(**words))


_ABLATION = Plot(
    title="What each change brings",
    reading="Each bar goes from the mean {noun} before a step to the one after it, blue where that is "
    "{lower}; the line at its end is the 95 % interval of the difference. Other seeds decided the order.",
    numbers=waterfall,
    figure=plot_waterfall,
)

PLOTS: dict[str, Plot] = {
    "history": Plot(
        title="{Label}, trial by trial",
        reading="Each dot is a trial in the order of the search; the line is the {lowest} {noun} so far. "
        "If the line has been flat for long, more such trials would find little.",
        numbers=history_by_trial,
        figure=plot_history_by_trial,
    ),
    "history-seconds": Plot(
        title="{Label} over training time",
        reading="The same trials; each dot is at the total training time of all trials up to its end.",
        numbers=history_by_seconds,
        figure=plot_history_by_seconds,
    ),
    "expected-best": Plot(
        title="What more trials may bring",
        reading="Blue: the {lowest} {noun} expected after as many trials, averaged over all orders of the "
        "trials so far. Dashed: the forecast for further trials, if they resemble the sampler's latest. "
        "Where it is flat, more trials bring little.",
        numbers=expected_best_curve,
        figure=plot_expected_best,
    ),
    "importances": Plot(
        title="Importance of each hyperparameter",
        reading="The longer the bar, the more the best tenth of the trials differ from all trials in this "
        "hyperparameter (PED-ANOVA). With few trials, the order of short bars is chance.",
        numbers=importances,
        figure=plot_importances,
    ),
    "slices": Plot(
        title="{Noun} along each hyperparameter",
        reading="Each dot is a trial, blue the best tenth. If blue dots crowd at an edge, widen the range "
        "there. Short lines are the medians of the choices.",
        numbers=slices,
        figure=plot_slices,
    ),
    "contour": Plot(
        title="The two most important hyperparameters",
        reading="The darker the area, the {lower} the mean {noun} of the trials nearby; it is empty where "
        "there are none. If the dark area is diagonal, choose the two values together.",
        numbers=contour,
        figure=plot_contour,
    ),
    "parallel": Plot(
        title="Combinations",
        reading="Each line is a trial and crosses every axis at the trial's value. Where blue lines run "
        "together, the best trials share a combination of values.",
        numbers=parallel_coordinates,
        figure=plot_parallel_coordinates,
    ),
    "rungs": Plot(
        title="{Noun} at the rungs",
        reading="Each line is a trial, measured at 10, 30 and 90 % of its own steps and at its end. A cross "
        "ends a trial that was stopped. If a cross is {below} lines that ended well, pruning was too strict.",
        numbers=rung_curves,
        figure=plot_rung_curves,
    ),
    "cost-seconds": Plot(
        title="{Noun} against training time",
        reading="Left is fast, {low} is good. Seconds depend on the machine and on its other work.",
        numbers=loss_by_seconds,
        figure=plot_cost,
    ),
    "pareto": Plot(
        title="Pareto front",
        reading="Across: the study's second objective, or a cost. No other configuration beats those on the "
        "green line in both; past the knee (square), a {lower} {noun} costs much.",
        numbers=loss_by_objective,
        figure=plot_cost,
    ),
    "training-curve": Plot(
        title="How it learned",
        reading="Grey: the training loss of single steps; blue: its moving average; diamonds: the {label}, "
        "where it was measured.",
        numbers=training_curve,
        figure=plot_training_curve,
    ),
    "learning-curves": Plot(
        title="Learning curves of the best trials",
        reading="Lines with dots are the {label} of the winner and the next best trials over their own "
        "steps, thin lines their training loss. A line that still improves at its end needs more steps.",
        numbers=learning_curves,
        figure=plot_learning_curves,
    ),
}
"""Name -> plot of every study, in the order of the report. ``words_of`` fills in the fields of its texts: the
metric, and words of its direction. To add a plot, write a module with two functions, and one entry."""
