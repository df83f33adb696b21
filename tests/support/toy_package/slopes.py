"""Two trainers of an installed package: one minimises an error, the other maximises its score.

Every value can be computed by hand with ``error_of``. Nothing here is like the MLP: there are no data, the
facts are a tree's, and ``bend`` has no default, so that it is absent where it is not active.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.errors import ConfigError, DataError
from sweep.task import Fact, Metric, Segment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SlopeConfig:
    num_steps: int = 2_000
    rate: float = 0.5
    depth: int = 2
    kind: str = "straight"
    bend: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ConfigError(f"depth must be 1 or more, got {self.depth}")

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}

    def replace(self, **changes: Any) -> "SlopeConfig":
        return dataclasses.replace(self, **changes)

    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def error_of(values: Mapping[str, Any], done: float = 1.0) -> float:
    """Return the error of a configuration, its seed included, after a share of its steps."""
    bend = values.get("bend") or 0.0
    noise = values["seed"] % 7 / 1_000
    return (values["rate"] - 0.25) ** 2 + values["depth"] / 100 + bend + noise + (1 - done)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    sha256: str = "e" * 64

    def describe(self) -> str:
        return "a hill that needs no file"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """Walks down."""

    name: str = "slope"
    version: int = 1
    metric: Metric = dataclasses.field(
        default_factory=lambda: Metric(name="error", label="error", unit="points", matters=0.002)
    )
    shown: tuple[str, ...] = ()
    described_facts: Mapping[str, Fact] = dataclasses.field(
        default_factory=lambda: {
            "nodes": Fact(label="nodes of the tree", unit="nodes", is_cost=True),
            "calls": Fact(label="calls of the hill", is_abbreviated=True),
        }
    )

    def make_config(self, values: Mapping[str, Any]) -> SlopeConfig:
        return SlopeConfig(**values)

    def field_types(self) -> dict[str, type]:
        return {"num_steps": int, "rate": float, "depth": int, "kind": str, "bend": float}

    def check_data_section(self, section: Mapping[str, Any]) -> dict[str, Any]:
        if section:
            raise DataError(f"[data] must be empty, got {dict(section)!r}")
        return {}

    def load_data(self, section: Mapping[str, Any]) -> Nothing:
        return Nothing()

    def train_segment(
        self,
        config: SlopeConfig,
        data: Nothing,
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        start = json.loads(state) if state else 0
        error = error_of(config.to_dict(), until_step / config.num_steps)
        return Segment(
            state=json.dumps(until_step).encode(),
            dev_loss=self.value_of(error),
            losses=1 / np.arange(start + 1, until_step + 1, dtype=np.float32),
            seconds=0.25,
        )

    def value_of(self, error: float) -> float:
        """Return what is reported for an error."""
        return error

    def facts(self, config: SlopeConfig, data: Nothing) -> dict[str, int]:
        return {"nodes": 2**config.depth, "calls": config.num_steps}

    def work(self, config: SlopeConfig, data: Nothing) -> float:
        return config.num_steps

    def loss_ceiling(self, data: Nothing) -> float:
        return self.value_of(4.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Climb(Slope):
    """Walks up: its score is 1 less the error."""

    name: str = "climb"
    metric: Metric = dataclasses.field(
        default_factory=lambda: Metric(
            name="score", label="score", unit="points", direction="maximize", matters=0.002
        )
    )

    def value_of(self, error: float) -> float:
        return 1 - error


SLOPE, CLIMB = Slope(), Climb()
