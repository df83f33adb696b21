"""Build the sections of the report of every study.

A section is a function from ``Evidence`` to markup and figures, and one entry of ``SECTIONS``. A trainer may
contribute further sections.
"""

import contextlib

from sweep.certify.choice import comparison_alpha
from sweep.definition.identity import is_ablation
from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.advice.checks import advise
from sweep.reporting.contributions import merged
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Part, Section, exhibits_of
from sweep.reporting.figures.ablation import ablation_result
from sweep.reporting.figures.plots import cost_plots, plot_of
from sweep.reporting.figures.slices import plot_slice, slices
from sweep.reporting.page.configuration import configuration_section
from sweep.reporting.page.html_page import definition_list, escape, figure_place, prose
from sweep.reporting.page.provenance import commands, facts
from sweep.reporting.page.report_table import confirmation_table, plain_table, report_table
from sweep.reporting.page.section_of_plots import figures_section, joined, key_of
from sweep.reporting.table.pareto_summary import describe_front
from sweep.reporting.text.ablation import COLUMNS, ablation_sentences, step_rows
from sweep.reporting.text.confirmation import sentences
from sweep.reporting.units import words_of
from sweep.task import why_untested


def sections_of(study: StudyRecord) -> dict[str, Section]:
    """Return the sections of a study's report in order, with those that its trainer contributes."""
    own = {"ablation": Section(title="What each change brings", build=_ablation)}
    exhibits = exhibits_of(study)
    return merged(
        {**(own if is_ablation(study.identity) else {}), **SECTIONS}, exhibits.sections, exhibits.without
    )


def _winner(evidence: Evidence) -> int | None:
    try:
        return evidence.winner.number
    except NothingToShowError:
        return None


def _table(evidence: Evidence) -> Part:
    if not len(evidence.rows):
        more = "" if evidence.study.is_guest else f"; `sweep run {evidence.study.name}` trains them"
        raise NothingToShowError(f"no trial yet{more}")
    return Part(markup=report_table(evidence.rows, evidence.study, _winner(evidence)))


def _advice(evidence: Evidence) -> Part:
    """Return the advice, without the findings that the headline states."""
    found = advise(evidence.study, below_headline=True)
    items = "".join(f"<li>{prose(text)}</li>" for text in found)
    if not items:
        raise NothingToShowError("no check of this study found anything to improve")
    return Part(markup=f'<ul class="findings">{items}</ul>')


def _confirmation(evidence: Evidence) -> Part:
    if evidence.confirmation is None or evidence.verdict is None:
        name = evidence.study.name
        raise NothingToShowError(
            f"not confirmed yet; `sweep confirm {name}` trains the best configurations on fresh seeds"
        )
    found = sentences(evidence.study, evidence.confirmation, evidence.verdict, evidence.unit_report)
    items = "".join(f"<li>{escape(sentence.strip())}</li>" for sentence in found)
    if evidence.verdict.is_empty:
        return Part(markup=f'<ul class="findings">{items}</ul>')
    table = confirmation_table(evidence.verdict.rows, evidence.study)
    reading = (
        "Each candidate was trained on the same fresh seeds; {lowest} mean {label} first. A candidate is "
        "tied with the best if the seeds do not show that it is worse."
    ).format(**words_of(evidence.study.metric))
    if evidence.verdict.rows.says("ci_low"):
        alpha = comparison_alpha(evidence.confirmation.plan, len(evidence.verdict.standing))
        reading += (
            f" From and to: {100 * (1 - alpha):.3g} % limits of the difference from the best other one."
        )
    if evidence.verdict.is_deterministic:
        reading = (
            "Each candidate has one value: the seed makes no difference, so there is nothing to compare."
        )
    return Part(markup=f'<p class="note">{reading}</p>{table}<ul class="findings">{items}</ul>')


def _ablation(evidence: Evidence) -> Part:
    """Return the steps of an ablation as a table, in words and as a figure."""
    study, result = evidence.study, evidence.more(ablation_result)
    rows = step_rows(result)
    table = plain_table(rows, study, [name for name in COLUMNS if rows.says(name)])
    items = "".join(f"<li>{escape(text)}</li>" for text in ablation_sentences(study.metric, result))
    part = Part(markup=f'{table}<ul class="findings">{items}</ul>')
    with contextlib.suppress(NothingToShowError):
        return joined([part, figures_section("ablation")(evidence)])
    return part


def _slices(evidence: Evidence) -> Part:
    """Return one panel for each hyperparameter; a narrow screen stacks them."""
    plot, panels = plot_of("slices", evidence.study), slices(evidence).slices
    figures = {f"slice-{place}": plot_slice(panel) for place, panel in enumerate(panels)}
    places = "".join(
        figure_place(name, f"{plot.title}: {panel.name}", kind="panel")
        for name, panel in zip(figures, panels, strict=True)
    )
    head = f"<figcaption><h3>{escape(plot.title)}</h3><p>{escape(plot.reading)}</p></figcaption>"
    markup = f'<figure>{head}<div class="panels">{places}</div></figure>'
    return Part(markup=markup, figures=figures)


def _search(evidence: Evidence) -> Part:
    parts = [figures_section("history", "history-seconds")(evidence)]
    with contextlib.suppress(NothingToShowError):
        parts.append(figures_section("expected-best", titled=True)(evidence))
    return joined(parts, key_of(evidence.study))


def _mattered(evidence: Evidence) -> Part:
    """Return importances, if they can be computed, slices and combinations."""
    parts = [_slices(evidence), figures_section("parallel", titled=True)(evidence)]
    with contextlib.suppress(NothingToShowError):
        parts.insert(1, figures_section("contour", titled=True)(evidence))
    try:
        parts.insert(0, figures_section("importances", titled=True)(evidence))
    except NothingToShowError as error:
        parts.append(Part(markup=f'<p class="note">{prose(f"Not shown: {error}.")}</p>'))
    return joined(parts, key_of(evidence.study))


def _cost(evidence: Evidence) -> Part:
    """Return the metric over each cost, below the Pareto front in words if the study has two objectives."""
    lines = describe_front(evidence.rows, evidence.study, evidence.loss_ceiling)
    plots = figures_section(*cost_plots(evidence.study), key=True)(evidence)
    if not lines:
        return plots
    lines.append(
        "hypervolume is the area between the front and the reference point: larger is better; compare it "
        "only between studies with the same reference point"
    )
    items = "".join(f"<li>{escape(line[0].upper() + line[1:])}.</li>" for line in lines)
    return joined([plots], f'<ul class="findings">{items}</ul>')


def _test_record(evidence: Evidence) -> Part:
    if why_untested(evidence.study.task) is not None:
        raise NothingToShowError("this trainer has no test split")
    if not evidence.looks:
        text = "The test split of these data has not been used. `sweep test best.toml` evaluates on it once, "
        return Part(markup=f"<p>{prose(text)}and records that.</p>")
    items = "".join(
        f"<li>{escape(look.describe(evidence.study.metric.noun))}</li>" for look in evidence.looks
    )
    says = "Every use of the test split of these data. Only the first used data that no choice depended on."
    return Part(markup=f'<p class="note">{says}</p><ol class="looks">{items}</ol>')


def _provenance(evidence: Evidence) -> Part:
    lines = "\n".join(escape(line) for line in commands(evidence))
    lists = "".join(
        f"<h3>{title}</h3>{definition_list(entries, 'wide' if title in ('Hashes', 'Data') else '')}"
        for title, entries in facts(evidence).items()
    )
    return Part(markup=f"{lists}<h3>Commands</h3><pre><code>{lines}</code></pre>")


SECTIONS: dict[str, Section] = {
    "table": Section(title="Ranking", build=_table),
    "advice": Section(title="Advice", build=_advice),
    "confirmation": Section(title="Confirmation", build=_confirmation),
    "configuration": Section(title="Configuration and search space", build=configuration_section),
    "search": Section(title="Search", build=_search),
    "mattered": Section(title="Hyperparameters", build=_mattered),
    "rungs": Section(title="Rungs", build=figures_section("rungs")),
    "cost": Section(title="Cost", build=_cost),
    "learned": Section(title="Learning curves", build=figures_section("training-curve", "learning-curves")),
    "test": Section(title="Test record", build=_test_record),
    "provenance": Section(title="Provenance", build=_provenance),
}
"""Anchor -> section of every report, in order. To add a section, write one function and one entry."""
