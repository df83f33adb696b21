"""What a confirmation shows: rows, choice, certificate, and the words for them."""

import dataclasses
import json
import math
import statistics

import numpy as np
import pytest

from sweep.certify.confirm_plan import Candidate, ConfirmPlan, ConfirmSettings, Job, round_seed
from sweep.certify.statistics.selection import mcb_intervals
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.verdict import certificate_of, confirmation_columns, judge
from sweep.definition.records import StudyRecord
from sweep.reporting.text.confirmation import describe_plan, format_confirmation, format_json
from tests.support.study_records import study, trial

FINGERPRINT = "5" * 64
LOSSES = {
    0: [2.010, 2.012, 2.011, 2.013],
    1: [2.001, 2.003, 2.002, 2.004],
    2: [2.100, 2.099, 2.102, 2.101],
}
CERTIFIED = [2.004, 2.006, 2.002]


def searched() -> StudyRecord:
    """A study of three configurations whose search losses are lower than what they are worth."""
    return study(*(trial(n, 1.99, params={"hidden_neurons": 100 + n}) for n in LOSSES))


def confirmation(
    losses: dict[int, list[float | None]],
    certified: list[float] | None = None,
    costs: tuple[float, ...] = (10.0, 10.0, 10.0),
    **settings: object,
) -> Confirmation:
    """A confirmation of trials 0 to 2 with these losses by round."""
    asked = {"top": 3, "seeds": 4, "certify": 3, **settings}
    plan = ConfirmPlan(
        made="2026-01-01T12:00:00+00:00",
        fingerprint=FINGERPRINT,
        trials_seen=3,
        candidates=tuple(
            Candidate(trial=n, estimate=2.0, search_loss=1.99, seconds=cost) for n, cost in enumerate(costs)
        ),
        settings=ConfirmSettings(**{"delta": 0.003, **asked}),  # type: ignore[arg-type]
    )
    jobs = {Job(n, "choice", r): loss for n, row in losses.items() for r, loss in enumerate(row)}
    if certified:
        best = min(losses, key=lambda n: statistics.fmean(loss or 9 for loss in losses[n]))
        jobs |= {Job(best, "certify", r): loss for r, loss in enumerate(certified)}
    trials = {
        job: trial(
            number,
            loss,
            seed=round_seed(FINGERPRINT, job.phase, job.round, 3 * 2**32),
            params={"hidden_neurons": 100 + job.candidate},
            labels=job._asdict(),
            **({} if loss is not None else {"state": "diverged", "reason": "diverged: it was inf"}),
        )
        for number, (job, loss) in enumerate(jobs.items())
    }
    return Confirmation(plan=plan, number=1, trials=trials, name="names/confirm")


def test_the_rows_are_ranked_by_the_mean_over_fresh_seeds() -> None:
    """Means and spreads by hand; the best one's difference is its lead, the others' their distance."""
    rows = judge(searched(), confirmation(LOSSES, CERTIFIED)).rows.records
    assert [(row["rank"], row["trial"]) for row in rows] == [(1, 1), (2, 0), (3, 2)]
    assert [row["mean"] for row in rows] == pytest.approx([2.0025, 2.0115, 2.1005])
    assert rows[0]["sd"] == pytest.approx(math.sqrt(5 / 3) / 1000)
    assert [row["diff"] for row in rows] == pytest.approx([-0.009, 0.009, 0.098])
    assert [row["tied"] for row in rows] == [True, False, False]
    assert rows[1]["ci_low"] == 0.0
    assert rows[1]["ci_high"] >= rows[1]["diff"]
    assert all(row["n"] == 4 and row["search_loss"] == 1.99 for row in rows)
    assert len({tuple(row["seeds"]) for row in rows}) == 1


def test_the_chosen_one_is_certified_on_other_seeds() -> None:
    """The certificate has the mean of the last seeds alone; optimism is that less the search's loss."""
    stored = confirmation(LOSSES, CERTIFIED)
    verdict = judge(searched(), stored)
    row = verdict.rows.records[0]
    assert (row["certified_mean"], row["certified_n"]) == (pytest.approx(2.004), 3)
    assert row["certified_sd"] == pytest.approx(0.002)
    assert row["optimism"] == pytest.approx(0.014)
    assert all(r["certified_mean"] is None and r["optimism"] is None for r in verdict.rows.records[1:])
    certificate = certificate_of(stored, verdict)
    assert certificate is not None
    assert certificate.dev_losses == tuple(CERTIFIED)
    assert set(certificate.seeds).isdisjoint(row["seeds"])


def test_an_unfinished_confirmation_has_no_certificate() -> None:
    """While rounds are missing nothing is chosen; while certifying seeds are missing nothing is certified."""
    half = confirmation({n: row[: 4 - n] for n, row in LOSSES.items()})
    verdict = judge(searched(), half)
    assert verdict.chosen is None
    assert certificate_of(half, verdict) is None
    nearly = confirmation(LOSSES, CERTIFIED[:2])
    verdict = judge(searched(), nearly)
    assert verdict.chosen is not None
    assert certificate_of(nearly, verdict) is None
    assert "not finished: at least 1 training left" in format_confirmation(searched(), nearly, verdict, None)


def test_a_candidate_that_diverged_is_shown_with_its_reason() -> None:
    """It has no rank and takes no part in the comparison."""
    stored = confirmation({**LOSSES, 1: [2.0, None]}, None)
    verdict = judge(searched(), stored)
    last = verdict.rows.records[-1]
    assert (last["trial"], last["rank"], last["reason"]) == (1, None, "diverged: it was inf")
    assert [c.trial for c in verdict.standing] == [0, 2]


def test_a_candidate_that_exploded_does_not_decide_the_intervals_of_the_others() -> None:
    """They are those of a comparison without it, to the last bit; one line names trial, seed and value."""
    exploding = [2.0, 2.001, 2.7e10, 2.002]
    stored = confirmation({**LOSSES, 2: exploding}, CERTIFIED)
    verdict = judge(searched(), stored)
    rows = {row["trial"]: row for row in verdict.rows.records}
    without = mcb_intervals(np.array([LOSSES[0], LOSSES[1]]))
    assert [rows[n]["ci_low"] for n in (0, 1)] == without.low.tolist()
    assert [rows[n]["ci_high"] for n in (0, 1)] == without.high.tolist()
    assert verdict.tied == (1,)
    seed = rows[2]["seeds"][2]
    assert (rows[2]["rank"], rows[2]["reason"]) == (None, f"exploded: 2.7e+10 on seed {seed}")
    assert rows[2]["losses"] == exploding
    text = format_confirmation(searched(), stored, verdict, None)
    warning = (
        f"warning: trial 2 exploded on seed {seed}: dev loss 2.7e+10, far higher than all others; it is left"
    )
    assert [warning in line for line in text.splitlines()].count(True) == 1


def test_all_seeds_on_which_a_candidate_exploded_are_in_one_line() -> None:
    """With the least and the greatest of the values."""
    stored = confirmation({**LOSSES, 2: [2.0, 2.7e10, 1e9, 2.002]}, CERTIFIED)
    verdict = judge(searched(), stored)
    seeds = next(row["seeds"] for row in verdict.rows.records if row["trial"] == 2)
    text = format_confirmation(searched(), stored, verdict, None)
    warning = (
        f"warning: trial 2 exploded on seeds {seeds[1]}, {seeds[2]}: dev loss 1e+09 to 2.7e+10, far higher"
    )
    assert text.count("warning: trial 2") == 1
    assert warning in text


def test_a_certifying_seed_that_exploded_is_named() -> None:
    """The certificate keeps its value, since nothing may be chosen after the choice."""
    stored = confirmation(LOSSES, [2.0, 2.7e10, 2.0])
    verdict = judge(searched(), stored)
    certificate = certificate_of(stored, verdict)
    assert certificate is not None
    assert certificate.dev_losses == (2.0, 2.7e10, 2.0)
    text = format_confirmation(searched(), stored, verdict, None)
    warning = f"warning: trial 1 exploded on seed {certificate.seeds[1]}: dev loss 2.7e+10"
    assert warning in text
    assert "decides the certified mean and spread" in text


@pytest.mark.parametrize(
    ("losses", "tied"),
    [
        ({0: [2.010], 1: [], 2: []}, [None, None, None]),
        ({0: [2.010, 2.012], 1: [None], 2: [2.100, 2.099]}, [True, False, None]),
    ],
    ids=["one seed of one", "one without a loss"],
)
def test_nobody_is_called_tied_or_not_before_there_is_a_comparison(
    losses: dict[int, list[float | None]], tied: list[bool | None]
) -> None:
    """The cell of a candidate that was not compared is empty."""
    rows = judge(searched(), confirmation(losses)).rows
    assert rows["tied"] == tied


def test_an_interruption_before_the_first_loss_leaves_one_sentence() -> None:
    """There is nothing to tabulate."""
    found = confirmation({0: [], 1: [], 2: []})
    text = format_confirmation(searched(), found, judge(searched(), found), None)
    assert text == "not finished: at least 12 trainings left; run the same command to resume"


def test_intervals_are_printed_only_where_all_have_as_many_seeds() -> None:
    """After a race the seeds differ, and fixed-n intervals would not hold."""
    losses = {n: [row[r % 4] for r in range(8 if n < 2 else 5)] for n, row in LOSSES.items()}
    losses[0] = [loss - 0.0085 for loss in losses[0]]
    verdict = judge(searched(), confirmation(losses, None, seeds=8, method="race"))
    assert set(verdict.rows["n"]) == {5, 8}
    assert not verdict.rows.says("ci_low")


def test_the_json_has_the_promised_keys() -> None:
    """A list of objects; every hyperparameter of the space and every measure, plain JSON."""
    study = searched()
    rows = json.loads(format_json(study, judge(study, confirmation(LOSSES, CERTIFIED)), None))
    promised = (
        "rank trial mean sd n diff ci_low ci_high tied search_loss optimism certified_mean certified_sd "
        "certified_n block_size hidden_neurons embedding_dim num_steps batch_size"
    )
    assert set(promised.split()) <= set(rows[0])
    assert list(rows[0]) == confirmation_columns(searched())


def test_the_verdict_reads_as_sentences() -> None:
    """Chosen, tied, what the seeds can show, and the certified loss with its seeds."""
    stored = confirmation(LOSSES, CERTIFIED)
    text = format_confirmation(searched(), stored, judge(searched(), stored), None)
    assert "chosen: trial 1, the lowest mean" in text
    assert "no other candidate is tied with the best" in text
    assert "certified dev loss 2.0040, spread 0.0020 over 3 seeds" in text
    assert "optimism +0.0140" in text
    plan = " ".join(describe_plan(searched(), stored.plan, workers=2))
    assert "trials 0, 1, 2 4 seeds each" in plan
    assert "about 75 s on 2 workers, at most" in plan  # (4 * 30 + 3 * 10) / 2
    assert "chance of an error 0.05 about" in plan


def test_the_cell_of_an_inactive_hyperparameter_is_empty() -> None:
    """A candidate without the hyperparameter has no value of it, whatever the default is."""
    found = study(
        trial(0, 1.99, params={"hidden_neurons": 100, "decay_at": 0.3}),
        *(trial(n, 1.99, params={"hidden_neurons": 100 + n}) for n in (1, 2)),
        search=("hidden_neurons", "decay_at"),
    )
    verdict = judge(found, confirmation(LOSSES, CERTIFIED))
    assert {row["trial"]: row["decay_at"] for row in verdict.rows.records} == {0: 0.3, 1: None, 2: None}
    line = format_confirmation(found, confirmation(LOSSES, CERTIFIED), verdict, None).splitlines()[3]
    assert line.split()[:4] == ["1", "1", "101", "2.0025"]


def test_eighty_columns_keep_the_hyperparameters_that_differ_among_candidates() -> None:
    """Those on which all candidates agree go first, then the figures that others follow from."""
    same = {"block_size": 3, "embedding_dim": 10, "num_steps": 200_000, "batch_size": 32}
    names = ("learning_rate", "weight_decay", "momentum")
    differing = [{"hidden_neurons": 100 + n, **dict.fromkeys(names, 0.1234 + n)} for n in LOSSES]
    found = study(
        *(trial(n, 1.99, params={**same, **differing[n]}) for n in LOSSES),
        search=(*same, "hidden_neurons", *names),
    )
    stored = confirmation(LOSSES, CERTIFIED)
    text = format_confirmation(found, stored, judge(found, stored), None, width=80)
    head, left_out = text.splitlines()[1], next(line for line in text.splitlines() if "left out" in line)
    assert max(map(len, text.split("\n\n")[0].splitlines())) <= 80
    assert {"neurons", "rate", "decay", "momentum", "mean", "diff", "tied"} <= set(head.split())
    assert left_out.startswith("left out at 80 columns: batch_size, num_steps, embedding_dim, block_size")
    assert not {"hidden_neurons", *names} & set(left_out.replace(",", "").split())


def test_a_race_says_when_its_chance_of_an_error_holds() -> None:
    """Kim and Nelson's procedure protects a lead of delta or more, and the plan says so before it is run."""
    plan = confirmation(LOSSES, CERTIFIED).plan
    race = dataclasses.replace(plan, settings=dataclasses.replace(plan.settings, method="race", seeds=5))
    text = " ".join(describe_plan(searched(), race, workers=2))
    assert (
        "chance of an error 0.05 if the best leads by 0.003 or more (a smaller lead is not protected" in text
    )


def test_a_notebook_shows_verdict_and_certificate_in_short() -> None:
    """The numbers of the rows and the certificate, a word for each, and one line as text."""
    confirmed = confirmation(LOSSES, CERTIFIED)
    verdict = judge(searched(), confirmed)
    certificate = certificate_of(confirmed, verdict)
    assert certificate is not None
    page = verdict._repr_html_()
    assert "Trial 1 is chosen" in page
    assert page.count("<tr>") == 6 + 1 + 3
    assert [f"<td>{mean}</td>" in page for mean in ("2.0025", "2.0115", "2.1005")] == [True] * 3
    assert "<th>certified mean</th><td>2.0040</td>" in page
    assert "<th>certified mean</th><td>2.0040</td>" in certificate._repr_html_()
    assert "3 candidates on 4 seeds each" in certificate._repr_html_()
    assert repr(verdict) == "<Verdict: trial 1 chosen among 3, certified mean 2.0040 over 3 seeds>"


def test_a_notebook_shows_an_unfinished_confirmation() -> None:
    """No trial is chosen before the last round, and nothing fails."""
    verdict = judge(searched(), confirmation({n: row[:1] for n, row in LOSSES.items()}))
    assert repr(verdict) == "<Verdict: no trial chosen yet among 3>"
    assert "Not chosen yet" in verdict._repr_html_()
