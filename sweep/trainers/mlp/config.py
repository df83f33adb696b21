"""Define the hyperparameters of a training run and their allowed values.

``TrainConfig`` contains every setting that can change a result, and no other: device, engine and threads are
not part of it.
"""

import dataclasses
import hashlib
import json
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Self

from sweep.errors import ConfigError
from sweep.spelling import unknown
from sweep.task import Fact, Metric, without_defaults
from sweep.values import Params, Value

SCHEDULES = ("step", "cosine")
INITS = ("scaled", "normal")
OPTIMIZERS = ("sgd", "adamw")

LATER = {"later": True}
"""Metadata of a field that was added after the first release: ``field(default=0.0, metadata=LATER)``.

The hash and a study's identity omit such a field while it has its default, so that those of stored studies do
not change."""


METRIC = Metric(
    name="dev_loss",
    label="dev loss",
    key="dev_loss",
    unit="nats per character",
    matters=0.003,
    diverged=1e4,
    tolerance=0.02,
)
"""The metric: the mean negative log-likelihood of the dev split."""

FACTS: Mapping[str, Fact] = {
    "n_params": Fact(label="trainable parameters", unit="parameters", heading="params", is_cost=True),
    "examples_seen": Fact(label="examples seen", unit="examples", heading="seen", is_abbreviated=True),
}
"""Facts that are shown with a run's loss; ``MlpTask.facts`` computes them."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Hyperparameters of the character-level MLP of Bengio et al. (2003), with optional further layers.

    Raises:
        ConfigError: If a value breaks its rule; values are never repaired.
    """

    block_size: int = 3
    """Context length: number of characters before the predicted one, 1 to 256."""

    embedding_dim: int = 10
    """Dimensions of a character's embedding, 1 to 4,096."""

    hidden_neurons: int = 200
    """tanh units of each hidden layer, 1 to 65,536."""

    batch_size: int = 32
    """Examples in a minibatch, drawn uniformly with replacement, 1 to 65,536."""

    num_steps: int = 200_000
    """Optimiser steps, 1 to 1,000,000,000."""

    learning_rate: float = 0.1
    """Learning rate at the first step after the warm-up, above 0, at most 1e38."""

    final_learning_rate: float = 0.01
    """Learning rate after ``decay_at`` (schedule step) or at the end (cosine), at least 0."""

    decay_at: float = 0.5
    """Step at which schedule ``step`` lowers the rate: below 1 a fraction of ``num_steps``, from 1 on an
    absolute step. No effect on schedule ``cosine``."""

    schedule: str = "step"
    """``step``: one drop at ``decay_at``; ``cosine``: half a cosine over all steps."""

    init: str = "scaled"
    """``normal``: every parameter from N(0, 1); ``scaled``: W1 by (5/3)/sqrt(fan-in), b1 and
    W2 by 0.01, b2 zero. Further hidden layers start near the identity under both."""

    weight_decay: float = 0.0
    """Weight decay of W1, W2 and the matrices of further hidden layers, not of C and the biases; 0 is off.
    With optimizer ``sgd``, weight_decay p is added to the gradient (L2 penalty). With ``adamw``, decay is
    decoupled from the gradient: p is multiplied by 1 - rate weight_decay in each step."""

    momentum: float = 0.0
    """Heavy-ball momentum of ``sgd``, 0 (off) to below 1, in PyTorch's convention v = m v + g."""

    seed: int = 0
    """Seed of the streams for initial weights, minibatches and dropout, 0 to 2**53 - 1."""

    optimizer: str = dataclasses.field(default="sgd", metadata=LATER)
    """``sgd``: stochastic gradient descent; ``adamw``: Adam with decoupled weight decay."""

    beta1: float = dataclasses.field(default=0.9, metadata=LATER)
    """Decay rate of ``adamw``'s mean gradient, 0 to below 1. No effect on ``sgd``."""

    beta2: float = dataclasses.field(default=0.999, metadata=LATER)
    """Decay rate of ``adamw``'s mean squared gradient, 0 to below 1. No effect on ``sgd``."""

    epsilon: float = dataclasses.field(default=1e-8, metadata=LATER)
    """Constant that ``adamw`` adds to the root of the mean square, 1e-30 to 1. No effect on ``sgd``."""

    warmup: float = dataclasses.field(default=0.0, metadata=LATER)
    """Fraction of the steps over which the schedule's rate is scaled up from near 0, 0 (off) to 1."""

    hidden_layers: int = dataclasses.field(default=1, metadata=LATER)
    """Number of hidden layers, 1 to 4: Bengio's, then residual ones, h = h + tanh(h R + r)."""

    dropout: float = dataclasses.field(default=0.0, metadata=LATER)
    """Probability that a tanh unit is zeroed in a training example, 0 (off) to below 1; the others are
    scaled by 1 / (1 - dropout). Evaluation uses no dropout."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_type(field.name, getattr(self, field.name), field.type)
        for field in dataclasses.fields(self):
            _check_rule(field.name, getattr(self, field.name))
        if self.optimizer == "adamw" and self.momentum:
            raise ConfigError(
                f"momentum must be 0 with optimizer adamw, which has beta1 instead, got {self.momentum}"
            )

    @classmethod
    def from_dict(cls, values: Params) -> Self:
        """Build a configuration from plain values; unknown keys are refused."""
        for name in values:
            if name not in FIELD_TYPES:
                raise ConfigError(unknown(f"hyperparameter {name!r}", name, FIELD_TYPES))
        return cls(**{name: _as_field(name, value) for name, value in values.items()})

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, int | float | str]:
        """Return all fields, in declaration order."""
        return dataclasses.asdict(self)

    def parameter_shapes(self, vocabulary_size: int) -> dict[str, tuple[int, ...]]:
        """Return each parameter's shape: C (V, D), W1 (T*D, H), b1 (H,), W2 (H, V), b2 (V,).

        Each further hidden layer adds a matrix (H, H) and a bias (H,): R2 and r2, R3 and r3, R4 and r4.
        """
        H = self.hidden_neurons
        shapes: dict[str, tuple[int, ...]] = {
            "C": (vocabulary_size, self.embedding_dim),
            "W1": (self.block_size * self.embedding_dim, H),
            "b1": (H,),
            "W2": (H, vocabulary_size),
            "b2": (vocabulary_size,),
        }
        for layer in range(2, self.hidden_layers + 1):
            shapes |= {f"R{layer}": (H, H), f"r{layer}": (H,)}
        return shapes

    def n_params(self, vocabulary_size: int) -> int:
        """Return the number of trainable parameters."""
        return sum(math.prod(shape) for shape in self.parameter_shapes(vocabulary_size).values())

    @property
    def decay_step(self) -> float:
        """First step, from 0, at which the schedule ``step`` uses ``final_learning_rate``."""
        if self.decay_at >= 1:
            return self.decay_at
        return round(self.decay_at * self.num_steps, 6)  # 0.07 * 100 is a little above 7 in binary

    def sha256(self) -> str:
        """Return the hash of all fields, including the seed, as 64 hex digits; see ``LATER``."""
        values = without_defaults(self.to_dict(), later_defaults(type(self)))
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def later_defaults(kind: type[TrainConfig]) -> dict[str, Value]:
    """Return the fields marked by ``LATER``, each with its default."""
    return {field.name: field.default for field in dataclasses.fields(kind) if field.metadata.get("later")}


FIELD_TYPES: dict[str, type] = {
    field.name: field.type for field in dataclasses.fields(TrainConfig) if isinstance(field.type, type)
}
"""Each hyperparameter with its type."""

DEPENDENTS: Mapping[str, tuple[str, ...]] = {
    "optimizer": ("learning_rate", "weight_decay", "momentum", "beta1", "beta2", "epsilon"),
    "schedule": ("decay_at", "final_learning_rate"),
}
"""Hyperparameter -> those that are set for its value: a rate of ``sgd`` makes ``adamw`` diverge."""

_FLOAT32_LIMIT = 1e38  # rates are used in float32, which ends at 3.4e38

FIELD_RULES: dict[str, dict[str, Any]] = {
    "block_size": {"minimum": 1, "maximum": 256},
    "embedding_dim": {"minimum": 1, "maximum": 4_096},
    "hidden_neurons": {"minimum": 1, "maximum": 65_536},
    "batch_size": {"minimum": 1, "maximum": 65_536},
    "num_steps": {"minimum": 1, "maximum": 1_000_000_000},
    "learning_rate": {"exclusiveMinimum": 0, "maximum": _FLOAT32_LIMIT},
    "final_learning_rate": {"minimum": 0, "maximum": _FLOAT32_LIMIT},
    "decay_at": {"exclusiveMinimum": 0},
    "schedule": {"enum": list(SCHEDULES)},
    "init": {"enum": list(INITS)},
    "weight_decay": {"minimum": 0, "maximum": _FLOAT32_LIMIT},
    "momentum": {"minimum": 0, "exclusiveMaximum": 1},
    "seed": {"minimum": 0, "maximum": 2**53 - 1},
    "optimizer": {"enum": list(OPTIMIZERS)},
    "beta1": {"minimum": 0, "exclusiveMaximum": 1},
    "beta2": {"minimum": 0, "exclusiveMaximum": 1},
    "epsilon": {"minimum": 1e-30, "maximum": 1},
    "warmup": {"minimum": 0, "maximum": 1},
    "hidden_layers": {"minimum": 1, "maximum": 4},
    "dropout": {"minimum": 0, "exclusiveMaximum": 1},
}
"""Hyperparameter -> allowed values, as JSON Schema."""

_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
    "enum": lambda value, values: value in values,
}

_FLOAT_RULES = {
    "learning_rate": "above 0 and at most 1e38",
    "final_learning_rate": "from 0 to 1e38",
    "decay_at": "above 0",
    "weight_decay": "from 0 to 1e38",
    "momentum": "from 0 to below 1",
    "beta1": "from 0 to below 1",
    "beta2": "from 0 to below 1",
    "epsilon": "from 1e-30 to 1",
    "warmup": "from 0 to 1",
    "dropout": "from 0 to below 1",
}
"""Rules of fractions, for messages."""


def _check_rule(name: str, value: Value) -> None:
    rule = FIELD_RULES.get(name, {})
    is_finite = not isinstance(value, float) or math.isfinite(value)
    if is_finite and all(_HOLDS[word](value, bound) for word, bound in rule.items()):
        return
    if "enum" in rule:
        raise ConfigError(f"{name} must be {' or '.join(rule['enum'])}, got {value!r}")
    if name in _FLOAT_RULES:
        raise ConfigError(f"{name} must be {_FLOAT_RULES[name]}, got {value}")
    raise ConfigError(f"{name} must be from {rule['minimum']} to {rule['maximum']:,}, got {value:,}")


def _as_field(name: str, value: Value) -> Value:
    """Convert a whole number for a float field into a float; return other values unchanged."""
    if type(value) is not int or FIELD_TYPES[name] is not float:
        return value
    try:
        return float(value)
    except OverflowError as error:
        raise ConfigError(f"{name} must be a number below 1e308, got a whole number above it") from error


def _check_type(name: str, value: Any, expected: Any) -> None:
    if type(value) is not expected:
        kind = {int: "a whole number", float: "a number", str: "a text"}[expected]
        raise ConfigError(f"{name} must be {kind}, got {value!r}")
