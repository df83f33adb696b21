"""What a confirmation trains next, as a function of what is finished."""

import numpy as np
import pytest

from sweep.certify.confirm_plan import (
    Candidate,
    ConfirmPlan,
    ConfirmSettings,
    Job,
    chosen_candidate,
    last_standing,
    next_jobs,
    round_seed,
)
from sweep.definition.seeds import PARTS, part_seed
from sweep.definition.spec import StudySpec
from sweep.errors import ConfigError
from sweep.trainers.mlp.config import TrainConfig


def plan(*costs: float, **settings: object) -> ConfirmPlan:
    """Return a plan with one candidate for each cost; its trial is ten times its place."""
    candidates = tuple(
        Candidate(trial=10 * place, estimate=2.0, search_loss=2.0, seconds=cost)
        for place, cost in enumerate(costs)
    )
    return ConfirmPlan(
        made="2026-01-01T00:00:00+00:00",
        fingerprint="5" * 64,
        trials_seen=60,
        candidates=candidates,
        settings=ConfirmSettings(**{"delta": 0.003, **settings}),  # type: ignore[arg-type]
    )


def play(plan: ConfirmPlan, means: dict[int, float], spread: float = 0.001) -> dict[Job, float | None]:
    """Train what the plan asks for until it asks for nothing; a mean of NaN never gives a loss."""
    draw, losses = np.random.default_rng(7), dict[Job, float | None]()
    while jobs := next_jobs(plan, losses):
        for job in jobs:
            assert job not in losses
            mean = means[job.candidate]
            losses[job] = None if np.isnan(mean) else float(mean + spread * draw.normal())
    return losses


WIDE = 3 * 2**32
"""The bound of the MLP's seeds."""


def test_no_round_has_a_seed_that_a_search_can_have() -> None:
    """The search's seeds are below 2**32, choice and certificate each have 2**32 of their own above."""
    ranges = {"choice": range(2**32, 2**33), "certify": range(2**33, 3 * 2**32)}
    seeds = {
        (phase, number): round_seed(fingerprint, phase, number, WIDE)
        for phase in ranges
        for number in range(500)
        for fingerprint in ("5" * 64,)
    }
    assert len(set(seeds.values())) == 1_000
    assert all(seed in ranges[phase] for (phase, _), seed in seeds.items())
    for seed in seeds.values():
        TrainConfig(seed=seed)  # a seed that the trainer takes
    spec = StudySpec(name="s", objectives=("dev_loss",), data={}, fixed={}, space={})
    assert all(0 <= spec.trial_seed(number) < 2**32 for number in range(1_000))


def test_three_parts_share_a_narrow_range_of_seeds() -> None:
    """Below 2**31, which every library takes, search, choice and certificate have a third each."""
    third = 2**31 // 3
    for place, part in enumerate(PARTS):
        seeds = {part_seed(2**31, part, "study", number) for number in range(2_000)}
        assert all(place * third <= seed < (place + 1) * third for seed in seeds)
        assert len(seeds) == 2_000


def test_another_study_has_other_seeds() -> None:
    """The fingerprint of the study goes into every seed."""
    assert round_seed("a" * 64, "choice", 0, WIDE) != round_seed("b" * 64, "choice", 0, WIDE)


def test_every_candidate_has_the_same_rounds_then_the_chosen_one_more() -> None:
    """First all candidates on all rounds, round by round; then the best alone on further seeds."""
    asked = plan(1.0, 1.0, 1.0, seeds=3, certify=2)
    first = next_jobs(asked, {})
    assert first == [Job(trial, "choice", number) for number in range(3) for trial in (0, 10, 20)]
    losses = play(asked, {0: 2.1, 10: 2.0, 20: 2.2})
    assert [job for job in losses if job.phase == "certify"] == [Job(10, "certify", 0), Job(10, "certify", 1)]
    assert chosen_candidate(asked, losses) == asked.candidates[1]


def test_what_is_finished_is_not_asked_for_again() -> None:
    """After a part of the jobs only the others are left, in the same order."""
    asked = plan(1.0, 1.0, seeds=2, certify=2)
    jobs = next_jobs(asked, {})
    assert next_jobs(asked, {jobs[0]: 2.0, jobs[2]: 2.1}) == [jobs[1], jobs[3]]


def test_a_candidate_without_a_loss_is_out() -> None:
    """A round that diverged puts its candidate out: it gets no more rounds and is never chosen."""
    asked = plan(1.0, 1.0, seeds=3, certify=2)
    losses = play(asked, {0: float("nan"), 10: 2.5})
    assert last_standing(asked, losses) == [asked.candidates[1]]
    assert chosen_candidate(asked, losses) == asked.candidates[1]
    nobody = play(asked, {0: float("nan"), 10: float("nan")})
    assert chosen_candidate(asked, nobody) is None
    assert {job.phase for job in nobody} == {"choice"}


def test_a_race_stops_giving_seeds_to_the_worse() -> None:
    """Candidates that are clearly worse end after five rounds; a close one stays longer."""
    asked = plan(1.0, 1.0, 1.0, seeds=30, certify=2, method="race")
    losses = play(asked, {0: 2.000, 10: 2.004, 20: 2.3}, spread=0.006)
    rounds = {trial: sum(job[:2] == (trial, "choice") for job in losses) for trial in (0, 10, 20)}
    assert rounds[20] == 5
    assert 5 < rounds[10] <= 30
    assert chosen_candidate(asked, losses) == asked.candidates[0]


def test_a_cheaper_one_must_be_shown_to_be_as_good() -> None:
    """With equal means and little spread the cheaper one is chosen; with a large spread the best mean."""
    asked = plan(9.0, 1.0, seeds=8, certify=2)
    assert chosen_candidate(asked, play(asked, {0: 2.0, 10: 2.0005}, spread=0.0001)) == asked.candidates[1]
    noisy = play(asked, {0: 2.0, 10: 2.0005}, spread=0.05)
    means = {trial: np.mean([noisy[Job(trial, "choice", r)] for r in range(8)]) for trial in (0, 10)}
    chosen = chosen_candidate(asked, noisy)
    assert chosen is not None
    assert chosen.trial == min(means, key=means.__getitem__)


def test_a_plan_survives_json() -> None:
    """A stored plan reads back as it was."""
    asked = plan(1.0, 2.0, seeds=6, method="race")
    assert ConfirmPlan.from_dict(asked.to_dict()) == asked
    assert plan(3.0, 5.0, seeds=4, certify=3).expected_seconds == 4 * 8 + 3 * 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"seeds": 1}, "--seeds must be 2 or more with method fixed, got 1"),
        ({"seeds": 4, "method": "race"}, "--seeds must be 5 or more with method race, got 4"),
        ({"certify": 1}, "--certify must be 2 or more"),
        ({"delta": 0.0}, "--delta must be above 0"),
        ({"delta": float("nan")}, "--delta must be above 0"),
        ({"alpha": 0.5}, "--alpha must be above 0 and below 0.5"),
        ({"top": 0}, "--top must be 1 or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, object], words: str) -> None:
    """Each names the option, the rule and the value."""
    with pytest.raises(ConfigError, match=words):
        ConfirmSettings(**{"delta": 0.003, **settings})  # type: ignore[arg-type]


def test_other_cuts_come_after_the_certificate() -> None:
    """The chosen one trains on ten cuts too, on seeds of the certificate's third that it did not have."""
    asked = plan(1.0, 2.0, seeds=2, certify=3, resplit=10)
    losses = play(asked, {0: 2.0, 10: 2.5})
    jobs = list(losses)
    assert jobs[-10:] == [Job(0, "resplit", r) for r in range(10)]
    assert [job.phase for job in jobs[4:7]] == ["certify"] * 3
    seeds = {
        round_seed("5", phase, r, WIDE) for phase, n in (("certify", 3), ("resplit", 10)) for r in range(n)
    }
    assert len(seeds) == 13
    assert all(2**33 <= seed < 3 * 2**32 for seed in seeds)
    assert asked.expected_seconds == 2 * 3.0 + 13 * 2.0
    assert ConfirmPlan.from_dict(asked.to_dict()) == asked


def test_a_plan_without_cuts_is_that_of_earlier_releases() -> None:
    """It has no key of theirs, so that a stored plan stays the latest one."""
    plain = plan(1.0).to_dict()
    assert plain.keys() == {"made", "fingerprint", "trials_seen", "candidates", "settings"}
    assert plain["settings"].keys() == {"top", "seeds", "certify", "method", "delta", "alpha"}
    assert ConfirmPlan.from_dict(plain) == plan(1.0)


@pytest.mark.parametrize("resplit", [-1, 1, 9])
def test_fewer_than_ten_cuts_are_refused(resplit: int) -> None:
    """Their spread is not reliable."""
    with pytest.raises(ConfigError, match=f"--resplit must be 10 or more.*got {resplit}"):
        plan(1.0, resplit=resplit)
