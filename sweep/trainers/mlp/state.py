"""Store the state from which a run resumes: parameters, optimiser state and step."""

import dataclasses
from collections.abc import Mapping
from typing import Self

import numpy as np
import safetensors
import safetensors.numpy

from sweep.errors import DataError
from sweep.trainers.mlp.config import TrainConfig

_VELOCITY = "velocity."
_MOMENTS = ("first_moment.", "second_moment.")
_AVERAGE = "average."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainState:
    """A run after ``step`` optimiser steps. Engines return a new state and do not change the old one."""

    step: int
    parameters: dict[str, np.ndarray]
    """C, W1, b1, W2, b2 and those of further layers, float32."""
    velocity: dict[str, np.ndarray]
    """Momentum buffer of each parameter, float32; empty if momentum is off."""
    moments: tuple[dict[str, np.ndarray], ...] = ()
    """With ``adamw``, running means of each parameter's gradients and squares, float32; else empty."""
    average: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Average of the snapshots so far (``averaging.py``), float32; empty if none is kept."""

    @classmethod
    def initial(cls, config: TrainConfig, vocabulary_size: int) -> Self:
        """Return the state before the first step."""
        from sweep.trainers.mlp.model import init_parameters

        parameters = init_parameters(config, vocabulary_size)
        velocity = _zeros_like(parameters) if config.momentum else {}
        moments = tuple(_zeros_like(parameters) for _ in _moment_names(config))
        return cls(step=0, parameters=parameters, velocity=velocity, moments=moments)

    def to_bytes(self) -> bytes:
        """Return the state as a safetensors file; equal states give equal bytes."""
        tensors = dict(self.parameters)
        tensors |= {_VELOCITY + name: array for name, array in self.velocity.items()}
        for kind, moment in zip(_MOMENTS, self.moments, strict=False):
            tensors |= {kind + name: array for name, array in moment.items()}
        tensors |= {_AVERAGE + name: array for name, array in self.average.items()}
        tensors["step"] = np.array([self.step], dtype=np.int64)
        # safetensors writes raw memory, so an array in another layout would be read back in the wrong order.
        return safetensors.numpy.save({name: np.ascontiguousarray(array) for name, array in tensors.items()})

    @classmethod
    def from_bytes(cls, raw: bytes, config: TrainConfig, vocabulary_size: int) -> Self:
        """Read a state that belongs to ``config``.

        Raises:
            DataError: If the bytes are not a safetensors file or contain other tensors.
        """
        shapes = config.parameter_shapes(vocabulary_size)
        expected = dict(shapes)
        if config.momentum:
            expected |= {_VELOCITY + name: shape for name, shape in shapes.items()}
        for kind in _moment_names(config):
            expected |= {kind + name: shape for name, shape in shapes.items()}
        try:
            tensors = safetensors.numpy.load(raw)
            step = tensors.pop("step")
        except (safetensors.SafetensorError, KeyError) as error:
            raise DataError(f"checkpoint cannot be read: {error}") from error
        if step.dtype != np.int64 or step.shape != (1,) or step[0] < 0:
            raise DataError(f"checkpoint has step {step}, but a whole number from 0 is needed")
        found = {name: array.shape for name, array in tensors.items()}
        if any(name.startswith(_AVERAGE) for name in found):
            expected |= {_AVERAGE + name: shape for name, shape in shapes.items()}
        if found != expected:
            raise DataError(f"checkpoint has {found}, but the configuration needs {expected}")
        for name, array in tensors.items():
            if array.dtype != np.float32:
                raise DataError(f"checkpoint has {name} as {array.dtype}, but float32 is needed")
        return cls(
            step=int(step[0]),
            parameters={name: tensors[name] for name in shapes},
            velocity={name: tensors[_VELOCITY + name] for name in shapes if config.momentum},
            moments=tuple({name: tensors[kind + name] for name in shapes} for kind in _moment_names(config)),
            average={name: tensors[_AVERAGE + name] for name in shapes if _AVERAGE + name in tensors},
        )


def read_weights(raw: bytes, config: TrainConfig, vocabulary_size: int) -> dict[str, np.ndarray]:
    """Return the parameters of a state for use as a model.

    Raises:
        DataError: As ``TrainState.from_bytes``, or if a parameter has a value that is not finite.
    """
    parameters = TrainState.from_bytes(raw, config, vocabulary_size).parameters
    _check_finite(parameters)
    return parameters


def check_weights(raw: bytes) -> None:
    """Refuse a state that is not a model of any configuration.

    Raises:
        DataError: If the bytes are not a safetensors file, or a parameter has a value that is not finite.
    """
    try:
        tensors = safetensors.numpy.load(raw)
    except safetensors.SafetensorError as error:
        raise DataError(f"checkpoint cannot be read: {error}") from error
    beside = (_VELOCITY, *_MOMENTS, _AVERAGE)
    _check_finite({name: array for name, array in tensors.items() if not name.startswith(beside)})


def _moment_names(config: TrainConfig) -> tuple[str, ...]:
    return _MOMENTS if config.optimizer == "adamw" else ()


def _zeros_like(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.zeros_like(array) for name, array in arrays.items()}


def _check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise DataError(f"the weights have values that are not finite (in {', '.join(sorted(bad))})")
