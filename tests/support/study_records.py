"""Small records of studies, as plain data."""

import dataclasses
from typing import Any

from sweep.definition.dimension import Range
from sweep.definition.records import SegmentRecord, StudyRecord, TrialRecord

FIXED: dict[str, Any] = {
    "block_size": 3,
    "embedding_dim": 10,
    "num_steps": 200_000,
    "batch_size": 32,
    "learning_rate": 0.1,
    "schedule": "step",
}


def trial(number: int, dev_loss: float | None = None, **changes: Any) -> TrialRecord:
    """Return a complete trial, or with ``state`` given another one."""
    state = changes.get("state", "complete")
    seconds = changes.pop("seconds", 10.0)
    segment = SegmentRecord(
        step=200_000, percent=100, dev_loss=dev_loss or 0.0, seconds=seconds, state_sha256="0" * 64
    )
    values: dict[str, Any] = {
        "number": number,
        "state": state,
        "params": {"hidden_neurons": 200},
        "seed": 1_000 + number,
        "dev_loss": dev_loss,
        "segments": (segment,),
        "reason": None,
        "facts": {"n_params": 11_897, "examples_seen": 6_400_000},
        "engine": "autograd",
        "device": "cpu",
        "started": None,
        "ended": None,
    }
    return TrialRecord(**{**values, **changes})


def study(*trials: TrialRecord, **changes: Any) -> StudyRecord:
    """Return a study that searches ``hidden_neurons``, or what ``search`` names.

    ``inactive`` are the values of searched hyperparameters where their condition does not hold.
    """
    search = changes.pop("search", ("hidden_neurons",))
    objectives = changes.pop("objectives", ["dev_loss"])
    identity = {
        "objective": objectives if len(objectives) > 1 else "dev_loss",
        "fixed": {
            **{name: value for name, value in FIXED.items() if name not in search},
            **changes.pop("inactive", {}),
        },
        "search": {name: Range(0.0, 1.0).to_json() for name in search},
        "trial": changes.pop("listed", []),
    }
    record = StudyRecord(
        name="names",
        goal="Which MLP predicts the next letter of a name best?",
        identity=identity,
        data={"words": "data/names.txt", "dedupe": False},
        data_facts="32,033 words",
        total_trials=len(trials),
        keep=20,
        logged=(),
        environment={},
        trials=trials,
    )
    return dataclasses.replace(record, **changes)
