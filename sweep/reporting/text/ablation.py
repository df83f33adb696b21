"""Write an ablation for a terminal and for programs: one row for each step, then the result in words."""

import json
from collections.abc import Iterator

from sweep.certify.ablation.ablation_plan import Ablation
from sweep.certify.ablation.steps import AblationResult, Difference, Step
from sweep.definition.ranking import Rows
from sweep.definition.records import StudyRecord
from sweep.metric import Metric
from sweep.reporting.table.text_table import draw_rows
from sweep.reporting.units import words_of

FIRST, TOTAL = "the first configuration", "all changes"
"""Texts of the column of changes in the first and the last row."""

COLUMNS = ("step", "change", "mean", "sd", "n", "diff", "ci_low", "ci_high", "reason")


def describe_ablation(
    ablation: Ablation, metric: Metric, *, done: int, workers: int, seconds: float | None
) -> Iterator[str]:
    """Yield the plan as lines, to be printed before anything is trained.

    Args:
        ablation: The changes and the number of seeds.
        metric: Metric of the trainer.
        done: Number of finished trainings of earlier runs.
        workers: Number of trainings at a time.
        seconds: Seconds of one training; None if unknown.
    """
    order, path = ablation.most_trainings
    stored = f", {done:,} of them stored" if done else ""
    changes = _plural(len(ablation.changes), "change")
    yield (
        f"{changes}, {ablation.seeds} seeds: at most {order + path:,} trainings{stored}; "
        f"{order:,} decide the order, {path:,} on other seeds measure the steps"
    )
    yield from groups(ablation)
    if len(ablation.changes) > 1:
        lowest = words_of(metric)["lowest"]
        yield f"each step makes the change that gives the {lowest} mean"
    if seconds is not None:
        minutes = (order + path - done) * seconds / workers / 60
        yield f"about {minutes:,.0f} min on {_plural(workers, 'worker')}, from the stored trials of both"


def groups(ablation: Ablation) -> Iterator[str]:
    """Yield a line for each group of hyperparameters that change together."""
    for change in ablation.changes:
        if change.why:
            yield f"{', '.join(change.names)} change together: {'; '.join(change.why)}"


def step_rows(result: AblationResult) -> Rows:
    """Return a row for each step, and one for all changes at the end."""
    rows = [
        {
            "step": number,
            "change": ", ".join(step.changes) or FIRST,
            **_measured(step),
            **_of(step.difference),
        }
        for number, step in enumerate(result.steps)
    ]
    if result.total is not None and len(rows) > 2:
        rows.append({"change": TOTAL, **_of(result.total)})
    return Rows(COLUMNS, [{name: row.get(name) for name in COLUMNS} for row in rows])


def _measured(step: Step) -> dict[str, object]:
    return {"mean": step.mean, "sd": step.sd, "n": len(step.values), "reason": step.reason}


def _of(difference: Difference | None) -> dict[str, float | None]:
    if difference is None:
        return {}
    return {"diff": difference.mean, "ci_low": difference.low, "ci_high": difference.high}


def format_ablation(
    study: StudyRecord, result: AblationResult, *, width: int | None = None, colour: bool = False
) -> str:
    """Write the steps as a table and what follows below it."""
    rows = step_rows(result)
    told = ablation_sentences(study.metric, result)
    if not len(rows):
        return "\n".join(told)
    shown = [name for name in COLUMNS if rows.says(name)]
    table = draw_rows(rows, study, shown, ["n", "sd"], width=width, colour=colour, best=0)
    return "\n".join([table, "", *told])


def ablation_sentences(metric: Metric, result: AblationResult) -> Iterator[str]:
    """Yield the result in words."""
    if result.remaining:
        left = _plural(result.remaining, "training")
        yield f"not finished: at least {left} left; run the same command to resume"
    yield from groups(result.ablation)
    if not result.steps or result.total is None:
        return
    yield (
        f"diff: {metric.label} minus that of the step before, on the same seeds, which did not decide the "
        "order; each 95 % interval holds for its step alone"
    )
    differences = [step.difference for step in result.steps if step.difference is not None]
    if not differences:
        yield "no step has a difference: a configuration between them has no value on some seed"
        return
    if all(each.low is None for each in differences):
        yield "no interval: the seed makes no difference"
        return
    named = ", ".join(str(number) for number, step in enumerate(result.steps) if step in result.shown)
    yield f"steps with a shown effect (the interval does not contain 0): {named or 'none'}"


def ablation_json(study: StudyRecord, result: AblationResult) -> str:
    """Write the steps as an object for programs."""
    steps = [
        {
            "step": number,
            "names": list(step.names),
            "change": ", ".join(step.changes) or None,
            "values": list(step.values),
            "seeds": list(step.seeds),
            **_measured(step),
            "diff": None,
            "ci_low": None,
            "ci_high": None,
            **_of(step.difference),
        }
        for number, step in enumerate(result.steps)
    ]
    total = _of(result.total) or None
    known = {"study": study.name, "metric": study.metric.name, "remaining": result.remaining}
    grouped = [{"names": list(c.names), "why": list(c.why)} for c in result.ablation.changes]
    return json.dumps(
        {**known, "changes": grouped, "steps": steps, "total": total}, indent=2, allow_nan=False
    )


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
