"""Write the plan of a user's own program as text for a terminal, or as JSON."""

import json
from collections.abc import Iterator

from sweep.execution.planning.program_plan import ProgramPlan
from sweep.reporting.text.plan import bytes_text, duration, labelled, plain_plan, study_lines


def format_program_plan(plan: ProgramPlan, *, is_checked: bool) -> str:
    """Write a plan as labelled lines.

    Args:
        plan: The numbers.
        is_checked: Whether the program is tried out after this is printed.
    """
    return labelled(_lines(plan, is_checked=is_checked))


def program_plan_as_json(plan: ProgramPlan, findings: list[str] | None) -> str:
    """Write a plan as one object; ``findings`` are those of a check of the program, None without one."""
    return json.dumps(plain_plan(plan) | ({} if findings is None else {"findings": findings}), indent=2)


def _lines(plan: ProgramPlan, *, is_checked: bool) -> Iterator[tuple[str, str]]:
    yield from study_lines(plan.study)
    yield from (("lacks" if place == 0 else "", text) for place, text in enumerate(plan.limits))
    yield "one trial", _trial(plan, is_checked=is_checked)
    if plan.wall_seconds is not None:
        yield "all of it", _rest(plan)
    if plan.trial_bytes is not None and plan.disk_bytes is not None:
        size = f"{bytes_text(plan.trial_bytes.middle)} a trial (up to {bytes_text(plan.trial_bytes.high)})"
        yield "disk", f"{size}, about {bytes_text(plan.disk_bytes)} for what is left"
    else:
        yield "disk", "not known before the first trial"


def _trial(plan: ProgramPlan, *, is_checked: bool) -> str:
    seconds = plan.trial_seconds
    if seconds is None:
        trains = "the check below" if is_checked else "`sweep plan --check`"
        return f"unknown: no trial has ended yet; {trains} trains some short ones"
    ends = f"{duration(seconds.low)} to {duration(seconds.high)}"
    return f"{duration(seconds.middle)} (median of {plan.timed} stored, {ends})"


def _rest(plan: ProgramPlan) -> str:
    if not plan.study.left or plan.wall_seconds is None:
        return "nothing is left to train"
    text = (
        f"about {duration(plan.wall_seconds)}, if the other trials take as long on average, without pruning"
    )
    if plan.study.timeout is not None and plan.wall_seconds > plan.study.timeout:
        limit = duration(plan.study.timeout)
        text += f"; one run of {limit} trains a part of them, the next run the others"
    return text
