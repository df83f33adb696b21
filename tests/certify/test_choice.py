"""Whom a confirmation chooses and what it trains next, as functions of what is finished."""

import numpy as np
import pytest

from sweep.certify.choice import chosen_candidate, exploded_jobs, last_standing, next_jobs
from sweep.certify.confirm_plan import ConfirmPlan, Job, round_seed
from tests.support.made_plan import WIDE, plan


def play(
    plan: ConfirmPlan, means: dict[int, float], spread: float = 0.001, explode: Job | None = None
) -> dict[Job, float | None]:
    """Train what the plan asks for until it asks for nothing; a mean of NaN never gives a loss."""
    draw, losses = np.random.default_rng(7), dict[Job, float | None]()
    while jobs := next_jobs(plan, losses):
        for job in jobs:
            assert job not in losses
            mean = means[job.candidate]
            losses[job] = None if np.isnan(mean) else float(mean + spread * draw.normal())
            losses[job] = 2.7e10 if job == explode else losses[job]
    return losses


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


@pytest.mark.parametrize("method", ["fixed", "race"])
def test_a_candidate_that_exploded_on_one_seed_is_out_after_the_first_rounds(method: str) -> None:
    """It costs no further seed, and the others are compared as if it had never been a candidate."""
    asked = plan(1.0, 1.0, 1.0, seeds=8, certify=2, method=method)
    losses = play(asked, {0: 2.0, 10: 2.1, 20: 2.0}, explode=Job(20, "choice", 3))
    assert exploded_jobs(asked, losses) == {Job(20, "choice", 3): 2.7e10}
    assert last_standing(asked, losses) == [asked.candidates[0]] if method == "race" else asked.candidates[:2]
    assert sum(job[:2] == (20, "choice") for job in losses) == (5 if method == "race" else 8)
    assert chosen_candidate(asked, losses) == asked.candidates[0]


def test_an_exploded_cheap_candidate_does_not_prevent_a_cheaper_choice() -> None:
    """Candidate 10 is as good as the best within delta at a ninth of its cost; 20 exploded once."""
    asked = plan(9.0, 1.0, 1.0, seeds=8, certify=2)
    losses = play(asked, {0: 2.0, 10: 2.0005, 20: 2.0}, spread=0.0001, explode=Job(20, "choice", 0))
    assert chosen_candidate(asked, losses) == asked.candidates[1]


def test_candidates_that_all_exploded_are_compared_as_they_are() -> None:
    """Nothing better is known, and a single candidate is still certified."""
    asked = plan(1.0, seeds=5, certify=2)
    losses = play(asked, {0: 2.0}, explode=Job(0, "choice", 1))
    assert chosen_candidate(asked, losses) == asked.candidates[0]
    assert list(exploded_jobs(asked, losses)) == [Job(0, "choice", 1)]


def test_no_candidate_is_out_before_all_have_their_first_rounds() -> None:
    """Few losses have no reliable scale."""
    asked = plan(1.0, 1.0, seeds=5, certify=2)
    assert exploded_jobs(asked, {Job(0, "choice", 0): 2.0, Job(10, "choice", 0): 2.7e10}) == {}


def interrupted(
    plan: ConfirmPlan, means: dict[int, float], stored: dict[Job, float | None], seed: int
) -> dict[Job, float | None]:
    """Train what the plan asks for, where each time only some jobs of a batch end, in any order."""
    draw, losses = np.random.default_rng(seed), dict(stored)
    while jobs := next_jobs(plan, losses):
        chosen_candidate(plan, losses) if not any(job.phase == "choice" for job in jobs) else None
        for place in draw.permutation(len(jobs))[: draw.integers(1, len(jobs) + 1)]:
            losses[jobs[place]] = float(means[jobs[place].candidate] + 0.006 * draw.normal())
    return losses


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("first", [(), (0,), (10,), (0, 20)])
def test_a_race_leaves_out_no_round(seed: int, first: tuple[int, ...]) -> None:
    """However it is interrupted, and whoever has rounds of an earlier plan, the last ones have them all."""
    asked = plan(1.0, 1.0, 1.0, seeds=14, certify=2, method="race")
    stored = {Job(trial, "choice", r): 2.0 + 0.001 * r for trial in first for r in range(12)}
    losses = interrupted(asked, {0: 2.0, 10: 2.001, 20: 2.002}, stored, seed)
    standing = last_standing(asked, losses)
    rounds = {c.trial: {job.round for job in losses if job[:2] == (c.trial, "choice")} for c in standing}
    assert len(standing) == 1 or all(found == set(range(14)) for found in rounds.values())
    chosen = chosen_candidate(asked, losses)
    assert chosen is not None
    assert Job(chosen.trial, "certify", 1) in losses
