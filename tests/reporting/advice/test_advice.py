"""The block below a table: order, number, width, and what is untrusted."""

import re

import pytest

from sweep.reporting.advice.checks import advise, format_advice
from sweep.reporting.advice.wording import block
from tests.support.made_advice import RATE
from tests.support.study_evidence import made_study, made_trial

SENTENCES = [
    f"Sentence {k} is long enough to be broken at some place, since it has many words." for k in range(8)
]


def test_six_are_shown_and_the_others_counted():
    text = block(SENTENCES, limit=6, more="sweep table x --advice")
    assert re.findall(r"^\* Sentence (\d)", text, re.MULTILINE) == list("012345")
    assert text.splitlines()[0] == "Advice"
    assert text.endswith("\n  and 2 more: sweep table x --advice")
    everything = block(SENTENCES, limit=None, more="")
    assert everything.count("* Sentence") == 8
    assert "more:" not in everything


@pytest.mark.parametrize("width", [40, 80])
def test_lines_are_no_wider_than_asked(width):
    assert max(map(len, block(SENTENCES, limit=6, more="x", width=width).splitlines())) <= width


def test_a_command_is_not_broken():
    """It can be copied from one line, also where the line before stays short."""
    text = block(
        ["Now and then, here as well as there, `sweep confirm made` decides."], limit=6, more="", width=40
    )
    assert text.splitlines()[1:] == [
        "* Now and then, here as well as there,",
        "  `sweep confirm made` decides.",
    ]
    assert "`sweep confirm made`" in block(["x" * 20 + " `sweep confirm made`."], limit=6, more="", width=40)


def test_nothing_to_say_is_nothing():
    assert format_advice(made_study()) == ""
    assert advise(made_study()) == []


def test_one_trial_alone_raises_no_alarm():
    assert advise(made_study(made_trial(0, 2.5))) == []


def test_text_of_a_study_cannot_steer_a_terminal():
    study = made_study(made_trial(0, 2.5), made_trial(1, state="failed", reason="failed: \x1b[2J\u202e"))
    assert "\x1b" not in format_advice(study)
    assert "\u202e" not in format_advice(study)
    assert r"\x1b[2J" in format_advice(study)


@pytest.mark.parametrize(
    "trials",
    [
        [made_trial(0, state="running"), made_trial(1, state="waiting", segments=())],
        [made_trial(k, state="diverged", reason=None, started=None, ended=None) for k in range(30)],
        [made_trial(k, 2.5, params={"learning_rate": 0.1} if k % 2 else {}) for k in range(30)],
        [made_trial(k, float("nan"), params={"learning_rate": 0.1}) for k in range(30)],
        [made_trial(k, 2.5, segments=()) for k in range(30)],
    ],
    ids=["nothing ended", "all diverged", "a parameter that half lack", "stored NaN", "no segments"],
)
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_every_check_stands_any_study(trials, sampler):
    """A finding or nothing; a sentence ends with a full stop and holds no NaN."""
    study = made_study(*trials, space=RATE)
    study.identity["sampler"] = sampler
    for sentence in advise(study):
        assert sentence.endswith(".")
        assert "nan" not in sentence.lower()
