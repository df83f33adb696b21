"""List the plots of every study, and draw one.

Every plot is made in two steps: first plain numbers from what is known of a study, which are tested
without drawing, then a Figure from these numbers alone. Figures use plain scatter, bar and heatmap
traces with lists as data, so that the old plotly.js of the Optuna dashboard draws them as well.
"""

import dataclasses
import functools
import re
from collections.abc import Mapping

from sweep.certify.ablation.stored_ablation import is_ablation
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
from sweep.reporting.units import words_of
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
    return Figure.of(plot.figure(plot.numbers(evidence)))


def _generic(study: StudyRecord) -> dict[str, Plot]:
    """Return the plots of every study; an ablation has one more, and each cost of the trainer another."""
    plots: dict[str, Plot] = {"ablation": _ABLATION} if is_ablation(study) else {}
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
    good = "Right is much" if fact.direction == MAXIMIZE else "Left is little"
    return Plot(
        title=f"{{Noun}} against {label}",
        reading=f"{good}, {{low}} is good. On the green line lie the trials that no other beats in both.",
        numbers=functools.partial(loss_by_cost, cost=cost),
        figure=plot_cost,
    )


def _worded(plot: Plot, words: Mapping[str, str]) -> Plot:
    """Return a generic plot whose texts name the metric."""
    return dataclasses.replace(plot, title=plot.title.format(**words), reading=plot.reading.format(**words))


_ABLATION = Plot(
    title="What each change brings",
    reading="Each bar goes from the mean {noun} before a step to the one after it, blue where that is "
    "{lower}; the line at its end is the 95 % interval of the difference. Other seeds chose the order.",
    numbers=waterfall,
    figure=plot_waterfall,
)

PLOTS: dict[str, Plot] = {
    "history": Plot(
        title="{Label}, trial by trial",
        reading="Each dot is a trial in the order of the search; the line is the {lowest} {noun} so far. "
        "A line that has long been flat says that more trials of this kind would find little.",
        numbers=history_by_trial,
        figure=plot_history_by_trial,
    ),
    "history-seconds": Plot(
        title="{Label} over training time",
        reading="The same trials, each where its training ended when all training so far is added up.",
        numbers=history_by_seconds,
        figure=plot_history_by_seconds,
    ),
    "expected-best": Plot(
        title="What more trials may bring",
        reading="Blue is the {lowest} {noun} that so many of the trials made reach on average, in any "
        "order. The dashed line goes on from the {lowest} so far: so many further trials, if they are like "
        "the latest of this sampler. Where it is flat, more bring little.",
        numbers=expected_best_curve,
        figure=plot_expected_best,
    ),
    "importances": Plot(
        title="What decided",
        reading="The longer the bar, the more the best tenth of the trials differ from all trials in this "
        "hyperparameter (PED-ANOVA); with few trials the order of short bars is chance.",
        numbers=importances,
        figure=plot_importances,
    ),
    "slices": Plot(
        title="{Noun} along each hyperparameter",
        reading="Each dot is a trial. Where blue dots crowd, {nouns} are {low}; if they crowd at an edge, "
        "widen the range there. Short lines are medians of a choice.",
        numbers=slices,
        figure=plot_slices,
    ),
    "contour": Plot(
        title="The two that decided most",
        reading="The darker the ground, the {lower} the mean {noun} of the trials near by; it is empty where "
        "there are none. If the dark part leans, the two must be chosen together.",
        numbers=contour,
        figure=plot_contour,
    ),
    "parallel": Plot(
        title="Combinations",
        reading="Each line is a trial that crosses every axis at its value. Blue lines that run together "
        "show values that go well with each other.",
        numbers=parallel_coordinates,
        figure=plot_parallel_coordinates,
    ),
    "rungs": Plot(
        title="{Noun} on the way",
        reading="Each line is a trial, measured at 10, 30 and 90 % of its own steps and at its end. A cross "
        "ends a trial that was given up; if it lies {below} lines that ended well, pruning was too strict.",
        numbers=rung_curves,
        figure=plot_rung_curves,
    ),
    "cost-seconds": Plot(
        title="{Noun} against training time",
        reading="Left is fast, {low} is good. Seconds depend on the machine and on what else it was doing.",
        numbers=loss_by_seconds,
        figure=plot_cost,
    ),
    "pareto": Plot(
        title="Pareto front",
        reading="To the right runs what the study minimises beside the {noun}, or else a cost. On the green "
        "line lie the configurations that no other beats in both; past the knee a {lower} {noun} costs much.",
        numbers=loss_by_objective,
        figure=plot_cost,
    ),
    "training-curve": Plot(
        title="How it learned",
        reading="Grey is the training loss of single steps, blue its moving average; diamonds are the "
        "{label} where it was measured.",
        numbers=training_curve,
        figure=plot_training_curve,
    ),
    "learning-curves": Plot(
        title="The best trials side by side",
        reading="Lines with dots are the {label} of the winner and the next best trials over their own "
        "steps, thin lines their training loss. A line that still falls at its end would gain by more steps.",
        numbers=learning_curves,
        figure=plot_learning_curves,
    ),
}
"""Name -> how a plot of every study is made, in the order of the report. Its texts name the metric and its
direction by the fields of ``words_of``. To add one, write a module with two functions and one entry."""
