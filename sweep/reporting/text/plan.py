"""Write a plan as text for a terminal, or as JSON; the numbers come from ``execution.planning``."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sweep.definition.dimension import spoken_value
from sweep.execution.planning.knobs import Knob
from sweep.execution.planning.planned import Planned
from sweep.execution.planning.study_plan import StudyPlan

_LABEL_WIDTH = 12


def format_plan_text(plan: StudyPlan, baselines: Mapping[str, float]) -> str:
    """Write a plan as labelled lines.

    Args:
        plan: The numbers.
        baselines: Name -> value of a baseline, which needs no training; may be empty.
    """
    spread = plan.trial_seconds
    lines = [
        ("will do", work_text(plan)),
        ("space", f"{plan.size:,} configurations" if plan.size is not None else "continuous"),
        *(("", knob_text(knob)) for knob in plan.knobs),
        *((cost.unit or cost.name, _span(cost.fewest, cost.most)) for cost in plan.costs),
        (
            "one trial",
            f"{duration(spread.middle)} (median of {len(plan.timings)} timed, {duration(spread.low)} to "
            f"{duration(spread.high)}){_too_long(plan)}",
        ),
        ("all of it", _wall(plan)),
        *(("", text) for text in _longest(plan)),
        ("disk", f"{bytes_text(plan.disk_bytes)} of states and loss curves after the last trial"),
        ("memory", plan.memory.removeprefix("memory: ")),
    ]
    if baselines:
        lines.append(("to beat", ", ".join(f"{name} {loss:.4f}" for name, loss in baselines.items())))
    return labelled(lines)


def labelled(lines: Iterable[tuple[str, str]]) -> str:
    """Write lines with a label each, in one column."""
    return "\n".join(f"{label:<{_LABEL_WIDTH}}{text}" for label, text in lines)


def format_plan_json(plan: StudyPlan, baselines: Mapping[str, float]) -> str:
    """Write all numbers of a plan as one object."""
    costs = {cost.name: (cost.fewest, cost.most) for cost in plan.costs}
    plain = {
        **_in_place_of_costs(dataclasses.asdict(plan), costs),
        "timings": [_in_place_of_costs(dataclasses.asdict(each), each.costs) for each in plan.timings],
        "knobs": list(map(plain_knob, plan.knobs)),
        "baselines": dict(baselines),
    }
    return json.dumps(plain, indent=2, allow_nan=False)


def _in_place_of_costs(plain: Mapping[str, Any], costs: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object in which each cost has a key of its own."""
    entries = [costs.items() if key == "costs" else [(key, value)] for key, value in plain.items()]
    return {key: value for pairs in entries for key, value in pairs}


PLAN_FORMATS: dict[str, Callable[[StudyPlan, Mapping[str, float]], str]] = {
    "text": format_plan_text,
    "json": format_plan_json,
}
"""Name on the command line -> function."""


def work_text(plan: Planned) -> str:
    """Return the number of trials left, the search settings and the workers."""
    first = f"{plan.listed:,} listed first, then " if plan.listed and plan.sampler != "listed" else ""
    seeds = f", {plan.replicates} seeds each" if plan.replicates > 1 else ""
    stored = f"; {plan.trials - plan.left:,} are stored" if plan.left < plan.trials else ""
    workers = f"{plan.workers} worker{'' if plan.workers == 1 else 's'}"
    return (
        f"{plan.left:,} of {plan.trials:,} trials{stored}: {first}sampler {plan.sampler}{seeds}, "
        f"pruner {plan.pruner}, {workers}"
    )


def knob_text(knob: Knob) -> str:
    """Return a searched hyperparameter in words."""
    count = "continuous" if knob.values is None else f"{knob.values:,} values"
    condition = f", if {knob.when}" if knob.when else ""
    return f"{knob.name}: {knob.dimension.spoken()} ({count}){condition}"


def plain_knob(knob: Knob) -> dict[str, Any]:
    """Return a searched hyperparameter with the same keys for a range and for choices."""
    shape = {"choices": (), "low": None, "high": None, "log": False} | dataclasses.asdict(knob.dimension)
    shape.pop("step", None)
    return {"name": knob.name, "values": knob.values, **shape, "when": knob.when}


def _wall(plan: StudyPlan) -> str:
    if not plan.left:
        return "nothing is left to train"
    text = f"{duration(plan.wall_seconds.middle)} ({_band(plan)})"
    if plan.timeout is None:
        return text
    limit = duration(plan.timeout)
    if plan.fit >= plan.left:
        return f"{text}; within the timeout of {limit}"
    return f"{text}; one run of {limit} trains about {plan.fit:,} of {plan.left:,}, the next run the others"


def _band(plan: StudyPlan) -> str:
    seconds = plan.wall_seconds
    if seconds.low == seconds.high:
        return "each one was timed"
    ends = f"{duration(seconds.low)} to {duration(seconds.high)}"
    if plan.longest_wall_seconds is None:
        return f"{ends} in 9 of 10 random draws of configurations, without pruning"
    return f"{ends} in 9 of 10 rehearsals of {plan.sampler} on made-up losses, without pruning"


def _longest(plan: StudyPlan) -> Iterator[str]:
    """Yield the longest time, if a sampler that learns preferred the slowest trials."""
    if plan.left and plan.longest_wall_seconds is not None:
        yield f"{duration(plan.longest_wall_seconds)} if every trial were as slow as the slowest timed"


def _too_long(plan: StudyPlan) -> str:
    if not plan.too_long or plan.trial_timeout is None:
        return ""
    limit = duration(plan.trial_timeout)
    return f"; {plan.too_long} of {len(plan.timings)} take longer than the trial_timeout of {limit}"


def _span(low: int, high: int) -> str:
    return " to ".join(dict.fromkeys(map(spoken_value, (low, high))))


def duration(seconds: float) -> str:
    """Return a duration with about two significant digits.

    Examples:
        >>> duration(0.031), duration(7.42), duration(95), duration(4_000)
        ('0.03 s', '7.4 s', '1 min 35 s', '1 h 6 min')
    """
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def bytes_text(count: float) -> str:
    """Return a number of bytes with its unit.

    Examples:
        >>> bytes_text(900), bytes_text(12_345_678)
        ('1 kB', '12.3 MB')
    """
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"
