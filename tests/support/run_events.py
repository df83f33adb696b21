"""Made-up events of a run, and a clock that the test turns."""

from typing import Any

from sweep.definition.dimension import Range
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.execution.events import Outlook, RunStarted, SegmentStored, TrialStarted
from sweep.execution.planning.time_left import Prediction
from sweep.execution.rungs import cuts
from tests.support.study_records import trial


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def started(**changes: Any) -> RunStarted:
    values = {"done": 0, "total": 10, "workers": 2, "engine": "fused", "device": "cpu", "data_facts": "words"}
    return RunStarted(**{**values, **changes})


def outlook(**settings: Any) -> Outlook:
    """The prediction of a study that searches ``hidden_neurons``, whose work is the same for all."""
    space = Space({"hidden_neurons": Range(100, 400)})
    values = {"name": "names", "objectives": ("dev_loss",), "data": {}, "fixed": {}, "space": space}
    spec = StudySpec(**{**values, "sampler": "random", "trials": 10, **settings})
    return Prediction(spec, lambda params: 1.0).seconds_left


def begin(number: int, from_step: int = 0, num_steps: int = 50_000, **changes: Any) -> TrialStarted:
    record = trial(number, state="running", segments=(), **changes)
    ends = tuple(cut.step for cut in cuts(num_steps))
    return TrialStarted(trial=record, from_step=from_step, num_steps=num_steps, ends=ends)


def stored(
    number: int, step: int, seconds: float, num_steps: int = 50_000, loss: float = 2.5
) -> SegmentStored:
    return SegmentStored(trial=number, step=step, num_steps=num_steps, dev_loss=loss, seconds=seconds)
