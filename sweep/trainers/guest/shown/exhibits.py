"""Figures and sections of a guest's report."""

from sweep.reporting.exhibits import Exhibits, Plot, Section
from sweep.reporting.figures.cost import loss_by_objective, plot_cost
from sweep.reporting.page.section_of_plots import figures_section
from sweep.trainers.guest.shown.intermediate import intermediate_values, plot_intermediate_values

EXHIBITS = Exhibits(
    plots={
        "rungs": Plot(
            title="Intermediate values",
            reading="Each line is a trial with its intermediate values. A cross ends a trial that was "
            "pruned, failed, or has not ended.",
            numbers=intermediate_values,
            figure=plot_intermediate_values,
        ),
        "pareto": Plot(
            title="Pareto front",
            reading="The study's first two objectives, or its objective and the seconds that a trial took. "
            "No other trial beats those on the green line in both.",
            numbers=loss_by_objective,
            figure=plot_cost,
        ),
    },
    sections={"rungs": Section(title="Intermediate values", build=figures_section("rungs"))},
    without=frozenset({"history-seconds", "training-curve", "confirmation", "learned", "test"}),
)
