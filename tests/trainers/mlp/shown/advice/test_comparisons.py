"""The best beside counting, the notebook, new words, a smaller budget, and the range test."""

import dataclasses

import pytest

from sweep.definition.dimension import Choices, Range
from sweep.trainers.mlp.shown.note_kinds import Baselines, NewWords, RangeTested
from tests.support.made_advice import RATE, changed, find, say, searched, segment
from tests.support.study_evidence import made_study, made_trial

TABLES = Baselines(uniform=3.2958, count_tables=(2.4533, 2.2365, 2.1954, 2.3574, 2.5323))


def noted(study, **notes):
    plain = {key: dataclasses.asdict(note) for key, note in notes.items() if note is not None}
    return dataclasses.replace(study, notes=plain)


def three(**identity):
    """Losses 2.0, 2.1 and 2.2."""
    params = [{"hidden_neurons": n} for n in (300, 200, 100)]
    return noted(searched(params, {"hidden_neurons": Range(10, 500)}, **identity), baselines=TABLES)


def test_the_best_is_compared_with_the_best_count_table():
    study = three()
    study.identity["fixed"]["learning_rate"] = 0.3
    assert say("baselines", study) == (
        "Counting three characters reaches 2.1954 without training (uniform 3.2958); the best configuration "
        "is 0.1954 better, and 1 of 3 are no better."
    )


def test_a_search_that_counting_beats_is_told_so():
    study = noted(three(), baselines=Baselines(uniform=3.0, count_tables=(1.9, 1.95)))
    study.identity["fixed"]["learning_rate"] = 0.3
    assert say("baselines", study) == (
        "No configuration beats a count table: counting one character reaches 1.9000 without training "
        "(uniform 3.0000), the best of 3 configurations 2.0000. Train longer, or look for a learning rate "
        "with `sweep lr-find made`."
    )


def test_the_notebook_is_known_by_its_whole_configuration():
    """The trainer's defaults with any initial weights; another learning rate is another configuration."""
    assert say("baselines", three()).endswith(" The notebook's configuration, trial 1, is 0.1000 above it.")
    normal = three()
    normal.identity["fixed"]["init"] = "normal"
    assert find("baselines", normal).known.is_notebook
    other = three()
    other.identity["fixed"]["learning_rate"] = 0.2
    assert find("baselines", other).known is None


def test_else_the_first_listed_configuration_is_the_known_one():
    study = three(trial=[{"hidden_neurons": 300}, {"hidden_neurons": 100}])
    study.identity["fixed"]["learning_rate"] = 0.2
    assert say("baselines", study).endswith(" No configuration beats the known configuration, trial 0.")
    assert find("baselines", changed(study, sampler="listed")).known is None


def test_without_notes_or_losses_nothing_is_compared():
    assert find("baselines", noted(three())) is None
    assert find("baselines", noted(made_study(), baselines=TABLES)) is None


NEW = NewWords(trial=0, dev_words=3_203, new_words=2_779, new_loss=2.0616, seen_loss=1.9158)


def test_dev_words_in_train_are_told_apart():
    assert say("new_words", noted(three(), new_words=NEW)) == (
        "424 of 3,203 dev words also occur in train: trial 0 has 1.9158 on them and 2.0616 on the "
        "others, together 2.0000; dedupe = true in [data] removes repeats."
    )


def test_with_replicates_the_trial_whose_losses_are_quoted_is_named():
    """The losses are those of one seed, while the configuration ranks by the mean of its seeds."""
    losses = {0: 2.2, 1: 2.1, 2: 2.0, 3: 1.9}  # trials 1 and 3 are the better configuration
    trials = [made_trial(k, loss, params={"hidden_neurons": 100 + k % 2}) for k, loss in losses.items()]
    made = changed(made_study(*trials), replicates=2)
    study = noted(made, new_words=dataclasses.replace(NEW, trial=1))
    text = say("new_words", study)
    assert "trial 1 has 1.9158 on them" in text
    assert "together 2.1000" in text
    assert "best trial" not in text


def test_with_replicates_a_mean_is_called_one():
    """The known configuration's figure is the mean of its seeds, and its trial's number says which it is."""
    losses = {0: 2.2, 1: 2.0, 2: 2.4, 3: 2.0}
    trials = [made_trial(k, loss, params={"hidden_neurons": 200 + k % 2}) for k, loss in losses.items()]
    space = {"hidden_neurons": Range(10, 500)}
    study = noted(changed(made_study(*trials, space=space), replicates=2), baselines=TABLES)
    assert say("baselines", study).endswith(
        " The notebook's configuration, trial 0 (mean of 2 seeds), is 0.3000 above it."
    )


def test_look_alikes_are_left_out_by_another_dedupe():
    """Where the list has words that differ in spelling alone, leaving out equal ones is not enough."""
    study = noted(three(), new_words=NEW)
    facts = "…; spelling: 7 equal to an earlier word except for spelling (first in line 9)"
    alike = dataclasses.replace(study, data_facts=facts)
    assert say("new_words", alike).endswith('dedupe = "normalized" in [data] removes repeats.')


def test_a_note_on_another_trial_than_the_best_is_old():
    assert find("new_words", noted(three(), new_words=dataclasses.replace(NEW, trial=1))) is None
    assert find("new_words", three()) is None


BUDGETS = {"num_steps": Choices((1_000, 4_000)), "learning_rate": RATE["learning_rate"]}


def long_and_short(rival_loss=2.30, schedule="step"):
    """The best, of 4,000 steps of 32, and one of 1,000: both at rate 0.1 until half of their steps."""
    long = [segment(400, 2.6), segment(1_600, 2.2), segment(3_000, 2.05), segment(4_000, 2.0)]
    short = [segment(100, 2.9), segment(500, rival_loss), segment(900, 2.12), segment(1_000, 2.1)]
    params = [{"num_steps": steps, "learning_rate": 0.1} for steps in (4_000, 1_000)]
    study = made_study(
        made_trial(0, 2.0, segments=tuple(long), params=params[0]),
        made_trial(1, 2.1, segments=tuple(short), params=params[1]),
        space=BUDGETS,
    )
    study.identity["fixed"]["schedule"] = schedule
    return study


def test_a_smaller_budget_ahead_at_equal_examples_is_told():
    """Step 500 lies 0.161 of the way from 400 to 1,600 in the logarithm: 2.6 - 0.161 * 0.4 = 2.5356."""
    found = find("budgets", long_and_short())
    assert (found.trial, found.rival, found.examples) == (0, 1, 16_000)
    assert (found.loss, found.rival_loss) == (pytest.approx(2.5356, abs=1e-4), 2.30)
    assert say("budgets", long_and_short()) == (
        "After 16k examples, trial 1 had 2.3000 and the best, trial 0, had 2.5356, but their budgets are "
        "32k and 128k: try trial 1's configuration with the larger budget too."
    )


@pytest.mark.parametrize(
    "study",
    [
        long_and_short(rival_loss=2.52),
        long_and_short(schedule="cosine"),
        searched([{"learning_rate": 0.1}, {"learning_rate": 0.2}]),
        made_study(),
    ],
    ids=["not clearly ahead", "a rate that falls all the way", "equal budgets", "no trials"],
)
def test_no_word_where_budgets_explain_nothing(study):
    assert find("budgets", study) is None


TEST = RangeTested(what="the best trial, number 0", suggestions={"steepest": 0.02, "minimum": 0.2})


def test_a_searched_rate_far_from_the_recommended_one_is_told():
    study = noted(searched([{"learning_rate": 0.8}]), range_test=TEST)
    assert say("rates", study) == (
        "learning_rate 0.8 of trial 0, the best: the range test recommends 0.2, 4 times lower (the best "
        "trial, number 0): add trials with a search range around it, or list it as a [[trial]]."
    )
    for near in (0.1, 0.15, 0.4):
        assert find("rates", noted(searched([{"learning_rate": near}]), range_test=TEST)) is None


def test_a_fixed_rate_far_from_the_recommended_one_should_be_changed():
    study = noted(three(), range_test=TEST)
    study.identity["fixed"]["learning_rate"] = 0.01
    assert say("rates", study) == (
        "learning_rate 0.01 of trial 0, the best: the range test recommends 0.2, 20 times as high (the best "
        "trial, number 0): set it under [fixed], or search learning_rate up to it and beyond."
    )
    assert find("rates", three()) is None


def test_a_range_test_of_another_trial_asks_for_one_of_the_best_and_not_for_the_same_again():
    other = RangeTested(what="the best trial, number 3", suggestions={"minimum": 0.2})
    study = noted(searched([{"learning_rate": 0.8}]), range_test=other)
    assert say("rates", study).endswith("; `sweep lr-find made` tests trial 0 itself.")
    assert "lr-find" not in say("rates", noted(searched([{"learning_rate": 0.8}]), range_test=TEST))


def test_a_range_test_that_recommends_nothing_is_no_reason_for_advice():
    silent = RangeTested(what="the best trial, number 0", suggestions={"steepest": 0.02})
    assert find("rates", noted(searched([{"learning_rate": 0.8}]), range_test=silent)) is None


def test_auto_says_that_it_does_not_know_the_number_of_steps():
    study = searched([{"hidden_neurons": 100}, {"hidden_neurons": 200}])
    assert find("auto-rates", study) is None
    found = [
        dataclasses.replace(trial, found={"learning_rate": rate})
        for trial, rate in zip(study.trials, (0.1, 0.32), strict=True)
    ]
    study = dataclasses.replace(study, trials=tuple(found))
    study.identity["fixed"]["learning_rate"] = "auto"
    assert say("auto-rates", study).startswith(
        "learning_rate = auto found 0.1 to 0.32 by range tests, which do not know the number of steps"
    )
