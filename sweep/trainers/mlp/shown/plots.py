"""List the plots of the MLP; ``reporting.figures.plots`` lists those of every study."""

import functools

from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Plot
from sweep.reporting.figures.cost import loss_by_cost, loss_by_objective, plot_cost
from sweep.reporting.figures.training_curve import plot_training_curve, training_curve
from sweep.trainers.mlp.shown.embedding import embedding_map, plot_embedding_map
from sweep.trainers.mlp.shown.learned import Learned
from sweep.trainers.mlp.shown.lr_finder_figure import LrFinderCurve, lr_finder_curve, plot_lr_finder
from sweep.trainers.mlp.shown.weak_spots import (
    loss_by_character,
    loss_by_position,
    plot_loss_by_character,
    plot_loss_by_position,
)


def _lr_finder(evidence: Evidence) -> LrFinderCurve:
    """Return the last range test with the winner's own rate; a study without a winner has the test alone."""
    test = evidence.more(Learned).range_test
    try:
        own = evidence.study.config_values(evidence.winner).get("learning_rate")
    except NothingToShowError:
        own = None
    return lr_finder_curve(test, own)


PLOTS: dict[str, Plot] = {
    "cost-parameters": Plot(
        title="Loss against size",
        reading="Left is small, low is good. No other trial beats those on the green line in both.",
        numbers=functools.partial(loss_by_cost, cost="n_params"),
        figure=plot_cost,
    ),
    "pareto": Plot(
        title="Pareto front",
        reading="Across: the second objective, or the number of parameters. No other configuration beats "
        "those on the green line in both; past the knee, a lower loss costs much.",
        numbers=loss_by_objective,
        figure=plot_cost,
    ),
    "training-curve": Plot(
        title="How it learned",
        reading="Grey: loss of single minibatches; blue: their moving average; diamonds: exact dev loss. "
        "A growing gap between blue and diamonds would be overfitting.",
        numbers=training_curve,
        figure=functools.partial(plot_training_curve, raw="minibatch loss"),
    ),
    "lr-finder": Plot(
        title="Learning-rate finder",
        reading="The learning rate grows from left to right while fresh models train. Recommended is the "
        "rate at which the blue line is lowest: schedules lower it later. Dashed is the winner's rate.",
        numbers=_lr_finder,
        figure=plot_lr_finder,
        before="training-curve",
    ),
    "embedding": Plot(
        title="Embedding of the characters",
        reading="Characters close to each other are similar to the model; vowels often form a group.",
        numbers=embedding_map,
        figure=plot_embedding_map,
    ),
    "loss-by-position": Plot(
        title="Loss by position in the word",
        reading="Loss of the first character of a word, the second, and so on; a word's end counts as a "
        "character. Long words are rare, so the bars on the right are uncertain.",
        numbers=loss_by_position,
        figure=plot_loss_by_position,
    ),
    "loss-by-character": Plot(
        title="Loss by the next character",
        reading="Loss of each character when it is the next one, highest first: rare characters have high "
        "losses but contribute little.",
        numbers=loss_by_character,
        figure=plot_loss_by_character,
    ),
}
"""Name -> plot; a plot with the name of a generic one replaces it."""
