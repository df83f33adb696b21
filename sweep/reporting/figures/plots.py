"""Which figures are there?

Every plot is made in two steps: first plain numbers from what is known of a study, which are tested
without drawing, then a Figure from these numbers alone. Figures use plain scatter, bar and heatmap
traces with lists as data, so that the old plotly.js of the Optuna dashboard draws them as well.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from sweep.errors import NotFoundError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.cost import loss_by_objective, loss_by_parameters, loss_by_seconds, plot_cost
from sweep.reporting.figures.embedding import embedding_map, plot_embedding_map
from sweep.reporting.figures.expected_best import expected_best_curve, plot_expected_best
from sweep.reporting.figures.history import (
    history_by_seconds,
    history_by_trial,
    plot_history_by_seconds,
    plot_history_by_trial,
)
from sweep.reporting.figures.importances import importances, plot_importances
from sweep.reporting.figures.lr_finder import lr_finder_curve, plot_lr_finder
from sweep.reporting.figures.parallel import parallel_coordinates, plot_parallel_coordinates
from sweep.reporting.figures.rungs import plot_rung_curves, rung_curves
from sweep.reporting.figures.slices import plot_slices, slices
from sweep.reporting.figures.training_curve import plot_training_curve, training_curve
from sweep.reporting.figures.weak_spots import (
    loss_by_character,
    loss_by_position,
    plot_loss_by_character,
    plot_loss_by_position,
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """How one plot is made, and how it is read."""

    title: str
    reading: str
    """How to read it, in one sentence."""
    numbers: Callable[[Evidence], Any]
    """What is known of a study -> plain numbers; raises ``NothingToShowError``."""
    figure: Callable[[Any], go.Figure]
    """Plain numbers -> Figure."""


def draw(name: str, evidence: Evidence) -> go.Figure:
    """Return one plot of a study.

    Args:
        name: One of ``PLOTS``.
        evidence: What is known of the study.

    Raises:
        NotFoundError: If there is no such plot.
        NothingToShowError: If the study lacks what it is made of.
    """
    if name not in PLOTS:
        raise NotFoundError(f"no plot {name!r}; known: {', '.join(PLOTS)}")
    plot = PLOTS[name]
    return plot.figure(plot.numbers(evidence))


PLOTS: dict[str, Plot] = {
    "history": Plot(
        title="Dev loss, trial by trial",
        reading="Each dot is a trial in the order of the search; the line is the lowest loss so far. "
        "A line that has long been flat says that more trials of this kind would find little.",
        numbers=history_by_trial,
        figure=plot_history_by_trial,
    ),
    "history-seconds": Plot(
        title="Dev loss over training time",
        reading="The same trials, each where its training ended when all training so far is added up.",
        numbers=history_by_seconds,
        figure=plot_history_by_seconds,
    ),
    "expected-best": Plot(
        title="What more trials may bring",
        reading="The lowest loss that so many trials are expected to reach, taken as independent draws: "
        "right for random and qmc, a rough guide for tpe and gp. Where the line is flat, more bring little.",
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
        title="Loss along each hyperparameter",
        reading="Each dot is a trial. Where blue dots crowd, losses are low; if they crowd at an edge, widen "
        "the range there. Short lines are medians of a choice.",
        numbers=slices,
        figure=plot_slices,
    ),
    "parallel": Plot(
        title="Combinations",
        reading="Each line is a trial that crosses every axis at its value. Blue lines that run together "
        "show values that go well with each other.",
        numbers=parallel_coordinates,
        figure=plot_parallel_coordinates,
    ),
    "rungs": Plot(
        title="Loss on the way",
        reading="Each line is a trial, measured at 10, 30 and 90 % of its own steps and at its end. A cross "
        "ends a trial that was given up; if it lies below lines that ended well, pruning was too strict.",
        numbers=rung_curves,
        figure=plot_rung_curves,
    ),
    "cost-parameters": Plot(
        title="Loss against size",
        reading="Left is small, low is good. On the green line lie the trials that no other beats in both.",
        numbers=loss_by_parameters,
        figure=plot_cost,
    ),
    "cost-seconds": Plot(
        title="Loss against training time",
        reading="Left is fast, low is good. Seconds depend on the machine and on what else it was doing.",
        numbers=loss_by_seconds,
        figure=plot_cost,
    ),
    "pareto": Plot(
        title="Pareto front",
        reading="To the right runs what the study minimises beside the loss, or the parameters. On the green "
        "line lie the configurations that no other beats in both; past the knee a lower loss costs much.",
        numbers=loss_by_objective,
        figure=plot_cost,
    ),
    "lr-finder": Plot(
        title="Learning-rate finder",
        reading="The learning rate grows from left to right while fresh models train: a good one lies where "
        "the blue line falls steadily, well before it turns up.",
        numbers=lambda evidence: lr_finder_curve(evidence.range_test),
        figure=plot_lr_finder,
    ),
    "training-curve": Plot(
        title="How it learned",
        reading="Grey is the loss of single minibatches, blue their moving average, diamonds the exact dev "
        "loss. A widening gap between blue and diamonds would be overfitting.",
        numbers=training_curve,
        figure=plot_training_curve,
    ),
    "embedding": Plot(
        title="Its characters",
        reading="Characters that lie close to each other mean much the same to the model; vowels often "
        "gather.",
        numbers=embedding_map,
        figure=plot_embedding_map,
    ),
    "loss-by-position": Plot(
        title="Loss by place in the word",
        reading="How hard the first character of a word is, the second, and so on; a word's end counts as "
        "a character. Long words are few, so the bars on the right rest on little.",
        numbers=loss_by_position,
        figure=plot_loss_by_position,
    ),
    "loss-by-character": Plot(
        title="Loss by the next character",
        reading="How hard each character is when it comes next, hardest first: rare characters are hard, "
        "and seldom matter.",
        numbers=loss_by_character,
        figure=plot_loss_by_character,
    ),
}
"""Name -> how the plot is made, in the order of the report. To add one, write a module with two
functions and one entry."""
