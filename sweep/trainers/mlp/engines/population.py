"""Train many runs at a time, one block of threads each, on a GPU.

One launch trains the steps of a batch of runs with different configurations. A single run is a batch of one;
CUDA graphs would not help, because all steps are in one kernel. ``block_program.py`` has the computation of a
block, ``gpu.py`` runs it on a GPU. On ``cpu``, the same program runs with one thread per block, for tests
without a GPU.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.batch import Batch, Job, pack, unpack
from sweep.trainers.mlp.engines.block_layout import TILE, arrange
from sweep.trainers.mlp.engines.block_program import Room, barrier, compile_program
from sweep.trainers.mlp.engines.block_tools import Thread
from sweep.trainers.mlp.engines.vectors import compiled, compiled_entry
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Train one SGD step for each learning rate; see ``sweep.trainers.mlp.engines`` for the contract."""
    return train_batch([Job(config, examples, state, learning_rates)], device)[0]


def train_batch(jobs: Sequence[Job], device: str) -> list[tuple[TrainState, np.ndarray]]:
    """Train many runs at once; the results of a run do not depend on the others.

    Raises:
        DeviceError: If numba-cuda is not installed.
        MemoryError: If the device has no room for the batch.
    """
    batch = pack(jobs)
    if device == "cpu":
        _run_on_cpu(batch)
    else:
        from sweep.trainers.mlp.engines import gpu  # noqa: PLC0415  loads numba-cuda, only with a GPU

        gpu.run(batch, device)
    return [unpack(job, run, batch.launch) for job, run in zip(jobs, batch.runs, strict=True)]


def batch_bytes(jobs: Sequence[Job]) -> int:
    """Return the most device memory that a batch needs, in bytes, with every room in global memory."""
    lists = {id(job.examples): job.examples for job in jobs}
    shared = sum(2 * (examples.contexts.size + examples.targets.size) for examples in lists.values())
    return shared + sum(map(_own_bytes, jobs))


def free_bytes(device: str) -> float:
    """Return the free memory of a device, in bytes; the host's memory does not limit a batch."""
    if device == "cpu":
        return math.inf
    from sweep.trainers.mlp.engines import gpu  # noqa: PLC0415

    return gpu.free_bytes(device)


def _own_bytes(job: Job) -> int:
    """Return a job's own bytes: parameters and velocities, rates and losses, a room."""
    V, D = job.state.parameters["C"].shape
    config, n = job.config, sum(array.size for array in job.state.parameters.values())
    words = arrange(config.block_size, D, config.hidden_neurons, V, config.batch_size).words
    return 4 * (2 * n + 2 * len(job.learning_rates) + 2 * words)


def _run_on_cpu(batch: Batch) -> None:
    program, alone = _program_for_cpu(), Thread(number=0, threads=1, row=0, rows=1, lane=0, lanes=1)
    for run, words, key, decay, momentum in zip(
        batch.runs, batch.words, batch.keys, batch.weight_decay, batch.momentum, strict=True
    ):
        floats = np.zeros(words, np.float32)
        room = Room(floats=floats, marks=floats.view(np.int32), tile=np.empty(TILE, np.float32))
        program(alone, run, key, decay, momentum, room, batch.launch)


@functools.cache
def _program_for_cpu() -> Any:
    return compile_program(compiled, compiled(barrier), compiled_entry)
