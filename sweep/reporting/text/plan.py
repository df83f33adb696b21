"""Write a plan as text for a terminal, or as JSON; the numbers come from ``execution.planning``."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping

from sweep.definition.dimension import spoken_value
from sweep.execution.planning.knobs import Knob
from sweep.execution.planning.planned import PlannedStudy
from sweep.execution.planning.program_plan import ProgramPlan
from sweep.execution.planning.study_plan import StudyPlan
from sweep.values import Json

_LABEL_WIDTH = 12


def format_plan_text(plan: StudyPlan, baselines: Mapping[str, float]) -> str:
    """Write a plan as labelled lines.

    Args:
        plan: The numbers.
        baselines: Name -> value of a baseline, which needs no training; may be empty.
    """
    spread = plan.trial_seconds
    lines = [
        *study_lines(plan.study),
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
        **_in_place_of_costs(plain_plan(plan), costs),
        "timings": [_in_place_of_costs(dataclasses.asdict(each), each.costs) for each in plan.timings],
        "baselines": dict(baselines),
    }
    return json.dumps(plain, indent=2, allow_nan=False)


def _in_place_of_costs(plain: Mapping[str, Json], costs: Mapping[str, Json]) -> dict[str, Json]:
    """Return an object in which each cost has a key of its own."""
    entries = [costs.items() if key == "costs" else [(key, value)] for key, value in plain.items()]
    return {key: value for pairs in entries for key, value in pairs}


PLAN_FORMATS: dict[str, Callable[[StudyPlan, Mapping[str, float]], str]] = {
    "text": format_plan_text,
    "json": format_plan_json,
}
"""Name on the command line -> function."""


def plain_plan(plan: StudyPlan | ProgramPlan) -> dict[str, Json]:
    """Return the numbers of a plan in one object, those of its study first."""
    plain = dataclasses.asdict(plan)
    return {**plain.pop("study"), "knobs": list(map(_plain_knob, plan.study.knobs)), **plain}


def study_lines(study: PlannedStudy) -> Iterator[tuple[str, str]]:
    """Yield what is left to do and the search space, as labelled lines."""
    yield "will do", _work(study)
    yield "space", _size(study)
    yield from (("", _knob(knob)) for knob in study.knobs)


def _size(study: PlannedStudy) -> str:
    """Return the size of the space: its configurations, or else its hyperparameters."""
    if study.size is not None:
        return f"{study.size:,} configurations"
    return f"{len(study.knobs):,} hyperparameter{'' if len(study.knobs) == 1 else 's'}"


def _work(study: PlannedStudy) -> str:
    """Return the number of trials left, the search settings and the workers."""
    first = f"{study.listed:,} listed first, then " if study.listed and study.sampler != "listed" else ""
    seeds = f", {study.replicates} seeds each" if study.replicates > 1 else ""
    stored = f"; {study.trials - study.left:,} are stored" if study.left < study.trials else ""
    workers = f"{study.workers} worker{'' if study.workers == 1 else 's'}"
    return (
        f"{study.left:,} of {study.trials:,} trials{stored}: {first}sampler {study.sampler}{seeds}, "
        f"pruner {study.pruner}, {workers}"
    )


def _knob(knob: Knob) -> str:
    """Return a searched hyperparameter in words."""
    count = "continuous" if knob.values is None else f"{knob.values:,} values"
    condition = f", if {knob.when}" if knob.when else ""
    return f"{knob.name}: {knob.dimension.spoken()} ({count}){condition}"


def _plain_knob(knob: Knob) -> dict[str, Json]:
    """Return a searched hyperparameter with the same keys for a range and for choices."""
    shape = {"choices": (), "low": None, "high": None, "log": False} | dataclasses.asdict(knob.dimension)
    shape.pop("step", None)
    return {"name": knob.name, "values": knob.values, **shape, "when": knob.when}


def _wall(plan: StudyPlan) -> str:
    if not plan.study.left:
        return "nothing is left to train"
    text = f"{duration(plan.wall_seconds.middle)} ({_band(plan)})"
    if plan.study.timeout is None:
        return text
    limit = duration(plan.study.timeout)
    if plan.fit >= plan.study.left:
        return f"{text}; within the timeout of {limit}"
    some = f"one run of {limit} trains about {plan.fit:,} of {plan.study.left:,}"
    return f"{text}; {some}, the next run the others"


def _band(plan: StudyPlan) -> str:
    seconds = plan.wall_seconds
    if seconds.low == seconds.high:
        return "each one was timed"
    ends = f"{duration(seconds.low)} to {duration(seconds.high)}"
    if plan.longest_wall_seconds is None:
        return f"{ends} in 9 of 10 random draws of configurations, without pruning"
    return f"{ends} in 9 of 10 rehearsals of {plan.study.sampler} on made-up losses, without pruning"


def _longest(plan: StudyPlan) -> Iterator[str]:
    """Yield the longest time, if a sampler that learns preferred the slowest trials."""
    if plan.study.left and plan.longest_wall_seconds is not None:
        yield f"{duration(plan.longest_wall_seconds)} if every trial were as slow as the slowest timed"


def _too_long(plan: StudyPlan) -> str:
    if not plan.too_long or plan.study.trial_timeout is None:
        return ""
    limit = duration(plan.study.trial_timeout)
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
