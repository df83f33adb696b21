"""A plan in words and as JSON."""

import dataclasses
import json
from typing import Any

from sweep.definition import dimension
from sweep.execution.planning.knobs import Knob
from sweep.execution.planning.planned import PlannedStudy
from sweep.execution.planning.study_plan import StudyPlan
from sweep.execution.planning.timing import Timing
from sweep.execution.planning.wall_clock import Range
from sweep.execution.workload import CostSpan
from sweep.reporting.text.plan import PLAN_FORMATS

PLAN = StudyPlan(
    study=PlannedStudy(
        name="names",
        sampler="tpe",
        pruner="none",
        replicates=1,
        knobs=(
            Knob(name="block_size", values=7, dimension=dimension.Range(2, 8), when=""),
            Knob(name="decay_at", values=None, dimension=dimension.Range(0.3, 0.9), when="schedule = 'step'"),
            Knob(name="schedule", values=2, dimension=dimension.Choices(("step", "cosine")), when=""),
        ),
        size=None,
        trials=60,
        left=48,
        listed=1,
        workers=2,
        timeout=600.0,
        trial_timeout=60.0,
    ),
    timings=(
        Timing(params={}, num_steps=10, costs={"n_params": 5}, step_us=1.0, seconds=90.0, state_bytes=9),
    ),
    trial_seconds=Range(low=1.5, middle=10.0, high=90.0),
    wall_seconds=Range(low=500.0, middle=700.0, high=900.0),
    longest_wall_seconds=2160.0,
    fit=40,
    too_long=1,
    costs=(CostSpan(name="n_params", unit="parameters", fewest=401, most=142_891),),
    disk_bytes=24_500_000,
    memory_bytes=520_000_000,
    memory="memory: a worker needs about 0.5 GB at most",
)


def _changed(**study: Any) -> StudyPlan:
    return dataclasses.replace(PLAN, study=dataclasses.replace(PLAN.study, **study))


def test_text_says_what_will_be_done_and_what_it_costs() -> None:
    """Every number of a person's decision, each on its line."""
    text = PLAN_FORMATS["text"](PLAN, {"uniform": 3.2958, "bigram count table": 2.4716})
    for words in (
        "48 of 60 trials; 12 are stored: 1 listed first, then sampler tpe, pruner none, 2 workers",
        "space       3 hyperparameters",
        "decay_at: 0.3 to 0.9 (continuous), if schedule = 'step'",
        "schedule: step, cosine (2 values)",
        "401 to 142,891",
        "1 of 1 take longer than the trial_timeout of 1 min 0 s",
        "11 min 40 s (8 min 20 s to 15 min 0 s in 9 of 10 rehearsals of tpe on made-up losses",
        "            36 min 0 s if every trial were as slow as the slowest timed\n",
        "one run of 10 min 0 s trains about 40 of 48",
        "24.5 MB",
        "memory      a worker needs about 0.5 GB at most\n",
        "uniform 3.2958, bigram count table 2.4716",
    ):
        assert words in text


def test_large_numbers_are_grouped() -> None:
    """As in every other text; what is no number stays as it is."""
    knobs = (Knob(name="num_steps", values=3, dimension=dimension.Choices((20_000, True, "x")), when=""),)
    text = PLAN_FORMATS["text"](_changed(knobs=knobs, trials=20_000, left=20_000), {})
    assert "20,000 of 20,000 trials" in text
    assert "num_steps: 20,000, true, x (3 values)" in text


def test_json_holds_every_number() -> None:
    """One object, the plan's fields and the baselines."""
    found = json.loads(PLAN_FORMATS["json"](PLAN, {"uniform": 3.3}))
    fields = {field.name for each in (PlannedStudy, StudyPlan) for field in dataclasses.fields(each)}
    fields -= {"study", "costs"}
    assert found.keys() == fields | {"n_params", "baselines"}
    assert found["n_params"] == [401, 142_891]
    assert found["timings"][0]["n_params"] == 5
    assert (found["wall_seconds"]["middle"], found["size"]) == (700.0, None)
    shape = {"choices": [], "low": 2, "high": 8, "log": False}
    assert found["knobs"][0] == {"name": "block_size", "values": 7, **shape, "when": ""}
    none = {"low": None, "high": None, "log": False}
    assert found["knobs"][2] == {
        "name": "schedule",
        "values": 2,
        "choices": ["step", "cosine"],
        **none,
        "when": "",
    }


def test_a_finished_study_needs_nothing() -> None:
    """No times are given where nothing is left."""
    text = PLAN_FORMATS["text"](_changed(left=0), {})
    assert "nothing is left" in text
    assert "up to" not in text
