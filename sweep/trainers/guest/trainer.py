"""Represent the unknown trainer of a guest: it knows the objectives and cannot train."""

from collections.abc import Mapping
from typing import Any, NoReturn

from sweep.errors import GuestError
from sweep.metric import Fact, Metric
from sweep.task import Config, Data
from sweep.trainers.program.config import ProgramConfig
from sweep.values import Params, Toml


class GuestTask:
    """What a study that Optuna made says of its trainer."""

    name = "optuna"
    version = 0
    shown: tuple[str, ...] = ()
    contributions = "sweep.trainers.guest.shown.contributions:CONTRIBUTIONS"

    def __init__(self, objectives: Mapping[str, str]) -> None:
        """Take the name and the direction of each objective; the first is the metric."""
        (metric, direction), *others = objectives.items()
        self.metric = Metric(name=metric, label=metric, direction=direction)
        self.described_facts: Mapping[str, Fact] = {
            name: Fact(label=name, is_cost=True, direction=way, is_linear=True) for name, way in others
        }

    def make_config(self, values: Params) -> ProgramConfig:
        """Return any values: nobody knows which ones the trainer refuses."""
        return ProgramConfig(dict(values))

    def field_types(self) -> dict[str, type]:
        """Return nothing: the study's own space names its hyperparameters."""
        return {}

    def check_data_section(self, section: Mapping[str, Toml]) -> NoReturn:
        """Refuse, as everything that trains."""
        _refuse()

    def load_data(self, section: Mapping[str, Toml]) -> NoReturn:
        """Refuse, as everything that trains."""
        _refuse()

    def train_segment(
        self, config: Config, data: Data, state: bytes | None, until_step: int, **how: Any
    ) -> NoReturn:
        """Refuse, as everything that trains."""
        _refuse()

    def facts(self, config: Config, data: Data) -> NoReturn:
        """Refuse, as everything that trains."""
        _refuse()

    def work(self, config: Config, data: Data) -> NoReturn:
        """Refuse, as everything that trains."""
        _refuse()


def _refuse() -> NoReturn:
    raise GuestError("Optuna made this study without sweep, which knows no trainer for it")
