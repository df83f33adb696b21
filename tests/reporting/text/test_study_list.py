"""One line for each stored study: states, counts and the best value."""

import dataclasses

from sweep.reporting.text.study_list import FINISHED, OPEN, format_list, summarise
from tests.support.study_records import study, trial


def test_a_study_of_more_trials_than_were_asked_for_later_counts_them_all() -> None:
    """24 trials are done; a later run asked for 12, which cannot undo the others."""
    done = study(*(trial(number, 2.0 + number / 100) for number in range(24)))
    found = summarise(dataclasses.replace(done, total_trials=12))
    assert (found.finished, found.total, found.state) == (24, 24, FINISHED)
    assert "24 of   24 trials" in format_list([found])


def test_a_study_with_an_open_trial_beyond_those_asked_for_is_not_finished() -> None:
    """The open one is trained by the next run, so it counts."""
    begun = study(trial(0, 2.0), trial(1, 2.1), trial(2, state="waiting"), total_trials=2)
    found = summarise(begun)
    assert (found.finished, found.total, found.state) == (2, 3, OPEN)
