import dataclasses
import math

import pytest

from sweep.certify.confirm_plan import Job
from sweep.definition.ranking import rank_trials
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.headline import headline_of, state_counts, write_headline
from tests.support.study_evidence import made_confirmation, made_study, made_trial

BASELINES = {"uniform distribution": 3.2, "bigram count table": 2.45}


def headline(*trials, baselines=BASELINES, confirmed=None, **changes):
    study = made_study(*trials, **changes)
    return write_headline(study, rank_trials(study), baselines, confirmed)


def text(found):
    return " ".join(found.sentences)


def test_says_what_won_what_it_means_and_what_it_gains():
    found = headline(made_trial(0, 2.2), made_trial(1, 2.1))
    assert found.title == "Trial 1 is best so far: dev loss 2.1000 nats per character"
    assert "hidden neurons\N{NO-BREAK SPACE}8" in found.sentences[0]
    assert f"{math.exp(2.1):.1f} equally likely characters" in text(found)
    assert "1.10 nats below the uniform distribution and 0.35 nats below the bigram count table" in text(
        found
    )
    assert found.tiles["vs bigram count table"] == "\N{MINUS SIGN}0.3500"
    assert found.tiles["confirmed"] == "not yet"


def test_names_the_ranks_that_another_seed_could_put_first():
    """One seed each: what lies within the 0.01 nats that seeds commonly change."""
    found = headline(made_trial(0, 2.1), made_trial(1, 2.108), made_trial(2, 2.13))
    assert "ranks 1 and 2 are within 0.010 of the first, so their order may be luck" in text(found)
    assert "`sweep confirm made`" in text(found)


def test_replicates_bring_their_own_spread():
    """Two standard errors of a difference of two and one seed: 2 x 0.0141 x sqrt(1/2 + 1) = 0.035."""
    params = made_trial(0).params
    found = headline(
        made_trial(0, 2.10, params=params),
        made_trial(1, 2.12, params=params),
        made_trial(2, 2.14),
        made_trial(5, 2.2),
    )
    assert "mean over 2 seeds, with a spread of 0.0141" in text(found)
    assert "ranks 1 and 2 are within 0.035" in text(found)


def test_a_worse_loss_than_a_baseline_is_called_above():
    assert "0.15 nats above the bigram count table" in text(headline(made_trial(0, 2.6)))


def test_without_its_words_it_says_nothing_of_baselines():
    found = headline(made_trial(0, 2.6), baselines={})
    assert "nats below" not in text(found)
    assert "vs bigram count table" not in found.tiles


@pytest.mark.parametrize(
    ("trials", "title"),
    [
        ([], "No trial yet"),
        ([made_trial(0), made_trial(1)], "No trial has a final loss"),
        ([made_trial(0, state="failed", reason="out of memory")], "No trial has a final loss"),
        ([made_trial(0, math.nan)], "No trial has a final loss"),
    ],
    ids=["no trial", "only pruned", "only failed", "stored NaN"],
)
def test_without_a_winner_it_says_so(trials, title):
    found = headline(*trials)
    assert found.title == title
    assert found.tiles == {}
    assert found.sentences


def test_an_unfinished_study_says_how_to_go_on():
    assert "1 of 60 trials are done; `sweep run made` trains the others" in text(
        headline(made_trial(0, 2.1), total_trials=60)
    )


def test_counts_trials_by_state():
    study = made_study(made_trial(0, 2.1), made_trial(1), made_trial(2), made_trial(3, state="failed"))
    assert state_counts(rank_trials(study)) == "2 pruned, 1 complete, 1 failed"


def test_a_finished_confirmation_decides_whatever_the_table_says():
    """The certified loss, its seeds, what is tied, and how much lower the search had it (by hand)."""
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    losses = {0: [2.11, 2.13, 2.12], 1: [2.10, 2.13, 2.11]}
    evidence = Evidence(study, confirmation=made_confirmation(losses, [2.11, 2.12, 2.13]))
    found = write_headline(study, evidence.rows, BASELINES, evidence.confirmed)
    assert found.title == "Trial 1 is best: certified dev loss 2.1200 nats per character"
    assert (found.tiles["certified dev loss"], found.tiles["confirmed"]) == ("2.1200", "3 seeds")
    assert "chosen among 2 candidates on 3 fresh seeds each; trial 0 is tied with it" in text(found)
    assert "(standard deviation) of 0.0100; in the search, its dev loss was 0.1200 lower" in text(found)
    assert evidence.winner.number == 1


def test_a_single_candidate_is_not_chosen_among_others():
    study = made_study(made_trial(0, 2.00))
    evidence = Evidence(study, confirmation=made_confirmation({0: [2.1, 2.2]}, [2.11, 2.12, 2.13]))
    found = write_headline(study, evidence.rows, BASELINES, evidence.confirmed)
    assert "It was the only candidate, trained on 2 fresh seeds." in found.sentences


def test_an_unfinished_confirmation_decides_nothing():
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    evidence = Evidence(study, confirmation=made_confirmation({0: [2.11, 2.13], 1: [2.1, 2.1]}, []))
    assert evidence.confirmed is None
    assert evidence.winner.number == 0


def test_a_seed_that_diverged_is_told_beside_the_certified_mean():
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    losses = {0: [2.11, 2.13, 2.12], 1: [2.10, 2.13, 2.11]}
    evidence = Evidence(study, confirmation=made_confirmation(losses, [2.11, None, 2.13]))
    found = headline_of(evidence)
    assert (found.tiles["certified dev loss"], found.tiles["confirmed"]) == ("2.1200", "2 seeds")
    assert "On 1 of 3 certifying seeds it diverged or failed; the mean leaves them out" in text(found)


@pytest.mark.parametrize("certified", [[None, None], [2.1, None], [None, 2.1, None]])
def test_a_confirmation_without_a_certificate_is_not_proposed_again(certified):
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    evidence = Evidence(study, confirmation=made_confirmation({0: [2.1, 2.2], 1: [2.2, 2.3]}, certified))
    found = headline_of(evidence)
    assert evidence.is_uncertified
    assert "Its confirmation ended without a certificate: too few of its trainings have a value." in text(
        found
    )
    assert "sweep confirm" not in text(found)


def test_a_chosen_one_that_is_shown_to_be_worse_is_not_called_tied():
    """The cheaper candidate is 0.001 worse on every seed, which does not matter to the user."""
    study = made_study(made_trial(0, 2.00), made_trial(1, 2.1))
    losses = {0: [2.100, 2.110, 2.120, 2.130], 1: [2.101, 2.111, 2.121, 2.1311]}
    made = made_confirmation(losses, [2.11, 2.12])
    costs = {0: 9.0, 1: 1.0}
    candidates = tuple(dataclasses.replace(c, seconds=costs[c.trial]) for c in made.plan.candidates)
    jobs = {
        Job(1, job.phase, job.round) if job.phase == "certify" else job: t for job, t in made.trials.items()
    }
    plan = dataclasses.replace(made.plan, candidates=candidates)
    evidence = Evidence(study, confirmation=dataclasses.replace(made, plan=plan, trials=jobs))
    assert evidence.verdict.chosen.trial == 1
    assert evidence.verdict.tied == (0,)
    found = write_headline(study, evidence.rows, BASELINES, evidence.confirmed)
    assert "tied" not in text(found)
    assert evidence.verdict.choice.reason in text(found)
