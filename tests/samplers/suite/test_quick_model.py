"""The model of the quick study: it follows the trials that it was fitted to."""

import numpy as np

from sweep.definition.study_file import load_study_file
from tests.benchmarks.tabular.quick_model import STUDY, known_trials, quick


def test_losses_and_seconds_are_those_of_the_trials() -> None:
    """Losses within 0.01 nats and seconds within a fifth, for most of the 200 trials."""
    spec = load_study_file(STUDY)
    configurations, losses, seconds = known_trials(spec.space)
    task = quick(spec)
    assert len(configurations) == 200
    wrong = np.abs([task.loss(params, 0) for params in configurations] - losses)
    assert np.quantile(wrong, 0.9) < 0.01
    ratio = np.log([task.seconds(params) for params in configurations] / seconds)
    assert np.quantile(np.abs(ratio), 0.75) < np.log(1.2)
