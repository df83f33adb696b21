"""Many runs in one launch: the program that a GPU's blocks run, without a GPU.

The contract suite runs it compiled for the CPU, with one thread a block. Here Numba's simulator
runs the kernels themselves, with threads that wait for one another at barriers.
"""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from numba.core import config as numba_config

from sweep.errors import DeviceError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import autograd, gpu, population
from sweep.trainers.mlp.engines.batch import Job, pack, unpack
from sweep.trainers.mlp.engines.block_layout import Layout, arrange
from sweep.trainers.mlp.state import TrainState
from tests.support.engine_states import assert_equal_states, small_examples

RATES = np.array([0.2, 0.1, 0.05], np.float32)
H100_BYTES = 227 * 1024
LOG = Path(__file__).parents[3] / "benchmarks" / "tuning_log.csv"

TINY = (
    TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=9, batch_size=4),
    TrainConfig(block_size=1, embedding_dim=1, hidden_neurons=1, batch_size=1, seed=1),
    TrainConfig(
        block_size=2, embedding_dim=5, hidden_neurons=6, batch_size=7, momentum=0.9, weight_decay=0.1
    ),
    TrainConfig(block_size=3, embedding_dim=2, hidden_neurons=5, batch_size=3, init="normal", momentum=0.5),
)


def jobs_of(configs: tuple[TrainConfig, ...], steps: int = 3) -> list[Job]:
    return [
        Job(config, small_examples(config.block_size, 6), TrainState.initial(config, 6), RATES[:steps])
        for config in configs
    ]


def assert_close_to_reference(job: Job, state: TrainState, losses: np.ndarray) -> None:
    """Everything is within 2e-6 of PyTorch's autograd."""
    expected, expected_losses = autograd.train(*job, "cpu")
    assert state.step == expected.step
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6, atol=1e-6)
    for name, array in expected.parameters.items():
        np.testing.assert_allclose(state.parameters[name], array, rtol=1e-6, atol=2e-6, err_msg=name)
    assert state.velocity.keys() == expected.velocity.keys()
    for name, array in expected.velocity.items():
        np.testing.assert_allclose(state.velocity[name], array, rtol=1e-5, atol=2e-6, err_msg=name)


def test_a_batch_gives_each_run_the_numbers_it_has_alone() -> None:
    """Different configurations, steps and starts in one launch; bitwise the same as one by one."""
    jobs = [
        job._replace(learning_rates=RATES[:steps])
        for job, steps in zip(jobs_of(TINY), (3, 1, 0, 2), strict=True)
    ]
    further, _ = population.train(*jobs[0], "cpu")
    jobs.append(jobs[0]._replace(state=further))
    for job, (state, losses) in zip(jobs, population.train_batch(jobs, "cpu"), strict=True):
        alone, alone_losses = population.train(*job, "cpu")
        assert_equal_states(state, alone)
        np.testing.assert_array_equal(losses, alone_losses)


@pytest.mark.filterwarnings("ignore:.*overflow encountered")  # SplitMix64 wraps; NumPy's scalars warn
@pytest.mark.filterwarnings("ignore:.*invalid value encountered")  # what lies beyond a tile is read, not used
@pytest.mark.parametrize("shared_limit", [H100_BYTES, 2_000, 0], ids=["shared", "both", "global"])
def test_kernels_in_the_simulator_agree_with_the_reference(shared_limit: int) -> None:
    """Wherever their rooms are, four different runs in one batch come out right."""
    jobs = jobs_of(TINY, steps=2)
    batch = pack(jobs)
    gpu.run(batch, "cuda:0", threads=4, shared_limit=shared_limit)
    for job, run in zip(jobs, batch.runs, strict=True):
        assert_close_to_reference(job, *unpack(job, run, batch.launch))


@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_the_number_of_threads_changes_no_number_in_the_simulator() -> None:
    """Each number is computed by one thread in one order: 1, 3 and 8 threads agree to the bit."""
    results = []
    for threads in (1, 3, 8):
        batch = pack(jobs_of(TINY[2:3], steps=2))
        gpu.run(batch, "cuda:0", threads=threads, shared_limit=H100_BYTES)
        results.append((batch.launch.parameters.tobytes(), batch.launch.losses.tobytes()))
    assert results[0] == results[1] == results[2]


def test_the_rows_of_the_tuning_log_fit_into_an_h100_s_shared_memory() -> None:
    """All fifteen rooms are at most 227 KiB; that of the region where winners are found is not."""
    with LOG.open(newline="") as file:
        rows = [
            tuple(int(row[k]) for k in ("block_size", "embedding_dim", "hidden_neurons", "batch_size"))
            for row in csv.DictReader(file)
        ]
    sizes = [4 * arrange(T, D, H, 27, B).words for T, D, H, B in rows]
    assert len(sizes) == 15
    assert max(sizes) <= H100_BYTES
    assert 4 * arrange(6, 32, 300, 27, 128).words > H100_BYTES


@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 2, 1), (3, 10, 200, 27, 32), (8, 33, 16, 300, 5), (2, 4096, 3, 9, 1)]
)
def test_a_layout_s_arrays_do_not_overlap_and_tiles_stay_inside(sizes: tuple[int, ...]) -> None:
    """Each array ends before the next begins; what a tile reads beyond the last row is in the room."""
    L = arrange(*sizes)
    T, D, H, V, B, S = L[:6]
    backs = (S * L.h, B * L.h, L.logits_parts * B * L.v)
    floats = {"C": V * L.d, "W1": T * D * L.h, "b1": H, "W2": H * L.v, "b2": V, "C_gradient": V * L.d}
    floats |= {"emb": T * S * L.d, "front": max(B, S) * L.h, "back": max(backs), "logits": B * L.v}
    floats |= {"partial": max(L.emb_parts * S * D, T * V), "row_loss": B}
    marks = {"symbols": (T + 1) * B, "present": T * S, "n_present": T, "starts": T * (S + 1)}
    needs = {**floats, **marks, "order": T * B, "slots": T * B}
    others = {*"TDHVBSdhv", "logits_parts", "emb_parts", "words", "counts"}
    assert L.counts == L.partial
    assert set(needs) == set(Layout._fields) - others
    places = sorted((getattr(L, name), need) for name, need in needs.items())
    for (place, need), (following, _) in zip(places, [*places[1:], (L.words, 0)], strict=True):
        assert place + need <= following
    ends = [L.front + max(B, S) * L.h + 3 * L.h, L.logits + B * L.v + 3 * L.v, L.emb + T * S * L.d + 3 * L.d]
    assert max(ends) <= L.words
    assert min(L.d, L.h, L.v) % 2 == math.prod((L.d, L.h, L.v)) % 2 == 1


def test_rooms_beyond_shared_memory_go_to_global_memory() -> None:
    """All that fit get as much as the largest of them; a batch without such has no launch for it."""
    assert gpu.group_by_room([10, 300, 20], limit=400) == {80: [0, 2], 0: [1]}
    assert gpu.group_by_room([10], limit=400) == {40: [0]}
    assert gpu.group_by_room([101], limit=400) == {0: [0]}


def test_a_gpu_without_numba_cuda_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numba's own CUDA target is not enough."""
    monkeypatch.setattr(numba_config, "ENABLE_CUDASIM", 0)
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        DeviceError, match=r"needs the package numba-cuda on a GPU; pip install 'numba-cuda\[cu13\]'"
    ):
        gpu.check_installed()
