"""The sampler sees the same study whether it was followed from the start or rebuilt."""

import dataclasses
import itertools
import math
from typing import Any

import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from sweep.definition.dimension import Choices, Range
from sweep.definition.records import SegmentRecord, TrialRecord
from sweep.definition.registries import SAMPLERS
from sweep.definition.space import Space
from sweep.samplers.mirror import Mirror

SPACE = Space(
    {
        "rate": Range(1e-3, 1.0, log=True),
        "width": Range(4, 64),
        "batch": Choices((16, 32, 64)),
    }
)
CEILING = math.log(27)
ENDS = ["complete", "diverged", "pruned", "complete", "failed", "timeout", "complete"]


def record(number: int, state: str, params: dict[str, Any], rungs: dict[int, float]) -> TrialRecord:
    segments = tuple(
        SegmentRecord(step=percent * 30, percent=percent, dev_loss=loss, seconds=1.0, state_sha256="")
        for percent, loss in rungs.items()
    )
    return TrialRecord(
        number=number,
        state=state,
        params=params,
        seed=number,
        dev_loss=rungs[100] if state == "complete" else None,
        segments=segments,
        reason=None if state == "complete" else state,
        facts={"n_params": n_params(params)},
        engine="toy",
        device="cpu",
        started=None,
        ended=None,
    )


def n_params(params: dict[str, Any]) -> int:
    """A cost that falls with the loss."""
    return 100 - int(params["width"])


def rungs_of(number: int, state: str, params: dict[str, Any]) -> dict[int, float]:
    """Losses with one best point; trials that end early stand at fewer rungs, some at none."""
    loss = 2 + abs(math.log10(params["rate"]) + 1) + params["width"] / 100
    percents = {"complete": (10, 30, 90, 100), "timeout": ()}.get(state, (10, 30)[: 1 + number % 2])
    return {percent: loss + 10 / percent for percent in percents}


class Looking(BaseSampler):
    """Remembers what a sampler is shown."""

    def __init__(self) -> None:
        self.seen: list[FrozenTrial] = []

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, Any]:
        self.seen = study.get_trials(deepcopy=True)[:-1]  # all but the one asked for
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, Any]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any
    ) -> Any:
        return distribution.choices[0] if hasattr(distribution, "choices") else distribution.low


def shown(mirror: Mirror, number: int) -> list[tuple[Any, ...]]:
    """What a sampler is shown when trial ``number`` is asked for."""
    looking = Looking()
    mirror.ask(number, looking)
    return [(t.number, t.state, t.values, t.params, t.intermediate_values) for t in looking.seen]


def follow(name: str, n: int, cost: str | None = None) -> tuple[Mirror, list[TrialRecord]]:
    """Ask, report and end ``n`` trials one after the other, as a run without interruption does."""
    mirror, records = Mirror(SPACE, CEILING, [], cost), []
    for number in range(n):
        params = mirror.ask(number, SAMPLERS[name](SPACE, 0, number))
        state = ENDS[number % len(ENDS)]
        rungs = rungs_of(number, state, params)
        for percent, loss in rungs.items():
            mirror.report(number, percent, loss)
        records.append(record(number, state, params, rungs))
        mirror.end(number, state, records[-1].dev_loss, cost and records[-1].cost(cost))
    return mirror, records


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        *itertools.product(["tpe", "random", "qmc", "gp_cost"], [None, "n_params", "train_seconds"]),
    ],
)
def test_a_resumed_mirror_proposes_what_an_undisturbed_one_does(name: str, cost: str | None) -> None:
    """Rebuilt after any number of trials, of every state, the next proposals are bitwise the same."""
    _, whole = follow(name, 24, cost)
    for n in (0, 1, 5, 12, 20):
        mirror = Mirror(SPACE, CEILING, whole[:n], cost)
        for number in range(n, 24):
            assert mirror.ask(number, SAMPLERS[name](SPACE, 0, number)) == whole[number].params
            for percent, loss in whole[number].rungs.items():
                mirror.report(number, percent, loss)
            record = whole[number]
            mirror.end(number, record.state, record.dev_loss, cost and record.cost(cost))


@pytest.mark.parametrize("cost", [None, "n_params", "train_seconds"])
def test_a_rebuilt_mirror_shows_what_a_followed_one_does(cost: str | None) -> None:
    """State, values, parameters and rungs of every trial are equal, whichever way they came in."""
    mirror, records = follow("random", 14, cost)
    assert shown(Mirror(SPACE, CEILING, records, cost), 14) == shown(mirror, 14)


@pytest.mark.parametrize("name", ["tpe", "gp", "gp_cost"])
def test_a_sampler_that_learns_takes_two_objectives(name: str) -> None:
    """Past its start-up draws it proposes other points for two objectives than for one."""
    assert [r.params for r in follow(name, 20, "n_params")[1]] != [r.params for r in follow(name, 20)[1]]


@pytest.mark.parametrize(
    ("cost", "costs"), [("n_params", [92, 60, 84, 60]), ("train_seconds", [1.0, 2.0, 2.0, 1.0])]
)
@pytest.mark.parametrize("how", ["followed", "rebuilt"])
def test_what_a_diverged_trial_costs(how: str, cost: str, costs: list[float]) -> None:
    """Its own parameters; but the seconds of the slowest, since its clock stopped early."""
    ends = [
        ("complete", 8, (10,)),
        ("complete", 40, (10, 100)),
        ("diverged", 16, (10,)),
        ("complete", 40, (10,)),
    ]
    records = [
        dataclasses.replace(
            record(number, "", {"rate": 0.1, "width": width, "batch": 16}, dict.fromkeys(percents, 2.0)),
            state=state,
            dev_loss=2.0 if state == "complete" else None,
        )
        for number, (state, width, percents) in enumerate(ends)
    ]
    mirror = Mirror(SPACE, CEILING, records if how == "rebuilt" else [], cost)
    for trial in records if how == "followed" else []:
        mirror.ask(trial.number, SAMPLERS["random"](SPACE, 0, trial.number))
        mirror.end(trial.number, trial.state, trial.dev_loss, trial.cost(cost))
    losses = [2.0, 2.0, CEILING, 2.0]
    seen = [values for _, _, values, *_ in shown(mirror, 4)]
    assert seen == [list(pair) for pair in zip(losses, costs, strict=True)]


@pytest.mark.parametrize("bad", ["diverged", "infeasible"])
@pytest.mark.parametrize("how", ["followed", "rebuilt"])
def test_a_diverged_or_infeasible_trial_is_as_bad_as_the_worst(how: str, bad: str) -> None:
    """It appears as complete at the loss of knowing nothing, or at the worst loss so far if that is worse."""
    ends = [(bad, None), ("complete", 2.0), (bad, None), ("complete", 9.5), (bad, None)]
    params = {"rate": 0.1, "width": 8, "batch": 16}
    records = [
        dataclasses.replace(record(number, "diverged", params, {10: 7.0}), state=state, dev_loss=loss)
        for number, (state, loss) in enumerate(ends)
    ]
    mirror = Mirror(SPACE, CEILING, records if how == "rebuilt" else [])
    for number, (state, loss) in enumerate(ends if how == "followed" else []):
        mirror.ask(number, SAMPLERS["random"](SPACE, 0, number))
        mirror.report(number, 10, 7.0)
        mirror.end(number, state, loss)
    seen = shown(mirror, 5)
    assert {state for _, state, *_ in seen} == {TrialState.COMPLETE}
    assert [values for _, _, values, *_ in seen] == [[CEILING], [2.0], [CEILING], [9.5], [9.5]]


@pytest.mark.parametrize("state", ["running", "waiting"])
def test_an_unfinished_trial_runs_and_may_report_its_rungs_again(state: str) -> None:
    """A trial that starts again tells the same losses; they are taken once, and no warning is given."""
    params = {"rate": 0.1, "width": 8, "batch": 16}
    mirror = Mirror(SPACE, CEILING, [record(0, state, params, {10: 3.0})])
    mirror.report(0, 10, 3.0)
    mirror.report(0, 30, 2.5)
    assert shown(mirror, 1) == [(0, TrialState.RUNNING, None, params, {10: 3.0, 30: 2.5})]
    mirror.end(0, "complete", 2.25)


def test_without_a_ceiling_a_diverged_trial_looks_like_the_worst_so_far() -> None:
    """The trainer may not know the loss of knowing nothing; before the first loss the trial has failed."""
    mirror, states = Mirror(SPACE, None, []), ["diverged", "complete", "diverged"]
    for number, (state, loss) in enumerate(zip(states, (None, 7.5, None), strict=True)):
        mirror.ask(number, Looking())
        mirror.end(number, state, loss)
    outcomes = [(state, values) for _, state, values, *_ in shown(mirror, 3)][:3]
    assert outcomes == [
        (TrialState.FAIL, None),
        (TrialState.COMPLETE, [7.5]),
        (TrialState.COMPLETE, [7.5]),
    ]


def test_optuna_logs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Otherwise `sweep plan`, which opens no storage, would show a line for each study that it makes."""
    optuna.logging.set_verbosity(optuna.logging.INFO)
    Mirror(SPACE, CEILING, []).ask(0, Looking())
    assert capfd.readouterr() == ("", "")


STOPPED = ["failed", "diverged", "infeasible"]


def ended_early(state: str, *, ceiling: float | None, rungs: dict[int, float]) -> tuple[Mirror, Mirror]:
    """Return a followed and a rebuilt mirror of trials, some pruned, half of which stopped in ``state``."""
    states = [state, *["complete"] * 4, "pruned", *[state] * 4]
    followed, records = Mirror(SPACE, ceiling, []), []
    for number, each in enumerate(states):
        params = followed.ask(number, SAMPLERS["random"](SPACE, 0, number))
        reached = rungs if each == state else rungs_of(number, each, params)
        records.append(record(number, each, params, reached))
        for percent, loss in reached.items():
            followed.report(number, percent, loss)
        followed.end(number, each, records[-1].dev_loss)
    return followed, Mirror(SPACE, ceiling, records)


@pytest.mark.parametrize("ceiling", [None, CEILING])
@pytest.mark.parametrize("state", STOPPED)
def test_gp_cost_learns_nothing_from_the_rungs_of_a_trial_without_a_loss_of_its_own(
    state: str, ceiling: float | None
) -> None:
    """Good losses before a crash, before NaN or of an infeasible model change no proposal."""
    promising = {10: 0.5, 30: 0.25}

    def proposals(rungs: dict[int, float]) -> list[dict[str, Any]]:
        mirrors = ended_early(state, ceiling=ceiling, rungs=rungs)
        return [mirror.ask(10, SAMPLERS["gp_cost"](SPACE, 0, 10)) for mirror in mirrors]

    with_rungs, without = proposals(promising), proposals({})
    assert with_rungs == without
    assert with_rungs[0] == with_rungs[1]


def test_gp_cost_learns_the_rungs_of_a_pruned_trial() -> None:
    """Otherwise the test above would prove nothing."""
    with_rungs, without = (
        ended_early("pruned", ceiling=CEILING, rungs=rungs)[0] for rungs in ({10: 0.5, 30: 0.25}, {})
    )
    sampler = SAMPLERS["gp_cost"]
    assert with_rungs.ask(10, sampler(SPACE, 0, 10)) != without.ask(10, sampler(SPACE, 0, 10))
