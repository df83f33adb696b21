"""Does a stored trial come out again?"""

import dataclasses

from sweep.search.records import StudyRecord, TrialRecord
from sweep.task.protocol import AnyTask, Config, Data

TOLERANCE = 0.02
"""Largest difference, in nats per character, that another engine, thread count or machine explains."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A stored loss beside the one of training again."""

    stored: float
    again: float
    """Both in nats per character."""
    seconds: float
    state: bytes
    """The trained state, as a safetensors file."""

    @property
    def verdict(self) -> str:
        """``equal`` (bitwise), ``within tolerance`` or ``different``."""
        if self.again == self.stored:
            return "equal"
        return "within tolerance" if abs(self.again - self.stored) <= TOLERANCE else "different"


def train_again(
    task: AnyTask, config: Config, data: Data, stored: float, *, engine: str | None, device: str
) -> Comparison:
    """Train a configuration from its beginning to its end and compare its dev loss.

    Args:
        task: The trainer.
        config: The configuration, its seed included.
        data: The same data as then.
        stored: The recorded dev loss, nats per character.
        engine: The engine of then; None takes the device's default.
        device: As ``run_study`` takes it.
    """
    device = task.resolve_device(device)
    engine = engine or task.default_engine(device)
    task.prepare_worker(data, engine=engine, device=device)
    segment = task.train_segment(config, data, None, config.num_steps, engine=engine, device=device)
    return Comparison(stored=stored, again=segment.dev_loss, seconds=segment.seconds, state=segment.state)


def config_of(task: AnyTask, study: StudyRecord, trial: TrialRecord) -> Config:
    """Return a stored trial's configuration."""
    config: Config = task.make_config(study.config_values(trial))
    return config
