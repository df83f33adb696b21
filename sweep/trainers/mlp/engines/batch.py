"""Pack many runs into one batch of flat arrays for the blocks of a launch, and unpack them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.block_layout import arrange
from sweep.trainers.mlp.engines.block_program import Launch, Run
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples

ORDER = ("C", "W1", "b1", "W2", "b2")
"""Parameters in the order in which they are stored."""


class Job(NamedTuple):
    """The steps of one run in a launch."""

    config: TrainConfig
    examples: Examples
    state: TrainState
    learning_rates: np.ndarray
    """One per step, float32."""


class Batch(NamedTuple):
    """The jobs of a launch as flat arrays."""

    runs: list[Run]
    keys: np.ndarray
    """Keys of the minibatch streams, uint64."""
    weight_decay: np.ndarray
    momentum: np.ndarray
    launch: Launch

    @property
    def words(self) -> list[int]:
        """Size of each block's room, in words of 4 bytes."""
        return [arrange(run.T, run.D, run.H, run.V, run.B).words for run in self.runs]


def pack(jobs: Sequence[Job]) -> Batch:
    """Concatenate the jobs' arrays; equal training examples are stored once."""
    lists = {id(job.examples): job.examples for job in jobs}
    rows = {key: _interleave(examples) for key, examples in lists.items()}
    first_row = dict(zip(rows, _starts([array.size for array in rows.values()]), strict=True))
    parameters = [_concatenate(job.state.parameters) for job in jobs]
    velocities = [
        _concatenate(job.state.velocity) if job.state.velocity else np.zeros_like(flat)
        for job, flat in zip(jobs, parameters, strict=True)
    ]
    rates = [np.asarray(job.learning_rates, np.float32) for job in jobs]
    first_rate, first_parameter = _starts(map(len, rates)), _starts(map(len, parameters))
    runs = [
        _describe(job, first_row[id(job.examples)], rate, parameter)
        for job, rate, parameter in zip(jobs, first_rate, first_parameter, strict=True)
    ]
    return Batch(
        runs=runs,
        keys=np.array([stream_key(job.config.seed, "batch") for job in jobs], np.uint64),
        weight_decay=np.array([job.config.weight_decay for job in jobs], np.float32),
        momentum=np.array([job.config.momentum for job in jobs], np.float32),
        launch=Launch(
            examples=np.concatenate(list(rows.values())),
            rates=np.concatenate(rates),
            losses=np.zeros(sum(map(len, rates)), np.float32),
            parameters=np.concatenate(parameters),
            velocity=np.concatenate(velocities),
        ),
    )


def _describe(job: Job, first_row: int, first_rate: int, first_parameter: int) -> Run:
    V, D = job.state.parameters["C"].shape
    return Run(
        T=job.config.block_size,
        D=D,
        H=job.config.hidden_neurons,
        V=V,
        B=job.config.batch_size,
        first_step=job.state.step,
        steps=len(job.learning_rates),
        n_examples=len(job.examples.targets),
        examples=first_row,
        rates=first_rate,
        parameters=first_parameter,
    )


def unpack(job: Job, run: Run, launch: Launch) -> tuple[TrainState, np.ndarray]:
    """Return the new state and losses of one of the jobs of a launch."""
    state = TrainState(
        step=run.first_step + run.steps,
        parameters=_split(launch.parameters, run.parameters, job.state.parameters),
        velocity=_split(launch.velocity, run.parameters, job.state.velocity),
    )
    return state, launch.losses[run.rates : run.rates + run.steps].copy()


def _split(flat: np.ndarray, first: int, like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Copy arrays of the model's shapes out of a flat one; nothing if ``like`` is empty."""
    arrays = {}
    for name in ORDER if like else ():
        arrays[name] = flat[first : first + like[name].size].reshape(like[name].shape).copy()
        first += like[name].size
    return arrays


def _interleave(examples: Examples) -> np.ndarray:
    """Return each example's context followed by its target, uint16."""
    return np.column_stack((examples.contexts, examples.targets)).astype(np.uint16).ravel()


def _concatenate(arrays: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([arrays[name].ravel() for name in ORDER])


def _starts(sizes: Any) -> list[int]:
    """Return the start of each array in a concatenation of arrays of these sizes."""
    ends = np.cumsum(list(sizes)).tolist()
    return [0, *ends[:-1]]
