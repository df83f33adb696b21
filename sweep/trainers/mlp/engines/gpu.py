"""Run the block program on a GPU: kernels, memory, launches.

A block whose room fits into shared memory uses it; others use global memory through the caches. So a batch is
at most two launches, which run concurrently in separate streams. The registers of a multiprocessor suffice
for one block.

The code has not run on a GPU yet. The tests run it in Numba's simulator, and Numba compiles it to valid code
for compute capability 9.0 (``tests/benchmarks/check_kernel.py``).
"""

import functools
import importlib.util
from typing import Any

import numba
import numpy as np
from numba import cuda as _cuda
from numba.core import config as _config
from numba.cuda.cudadrv.driver import CudaAPIError

from sweep.errors import DeviceError
from sweep.libraries import NUMBA_CUDA, private_names
from sweep.trainers.mlp.engines.batch import Batch
from sweep.trainers.mlp.engines.block_layout import THREADS, TILE
from sweep.trainers.mlp.engines.block_program import Launch, Room, Run, bind, compile_program
from sweep.trainers.mlp.engines.block_tools import Thread

cuda: Any = _cuda  # Numba's own annotations are missing
config: Any = _config

LANES = 32
"""Threads of a warp, which run in lockstep and read neighbouring words together."""

_floats, _counts = numba.float32[::1], numba.int64[::1]

ARGUMENTS = (
    *(numba.int64, _counts, numba.int64[:, ::1]),  # lanes, chosen, runs
    *(numba.uint64[::1], _floats, _floats),  # keys, weight decay, momentum
    *(numba.uint16[::1], _floats, _floats, _floats, _floats),  # the arrays of ``Launch``
    *(_floats, numba.int32[::1], _counts),  # rooms in global memory
)
"""Types of a kernel's arguments, so that kernels are compiled before their first launch."""

DEFAULT_SHARED_BYTES = 48 * 1024
"""Shared memory per block without an explicit request, in bytes."""


def run(batch: Batch, device: str, threads: int = THREADS, shared_limit: int | None = None) -> None:
    """Train the batch's steps on a GPU, and write parameters, velocities and losses back into the batch.

    Args:
        batch: The packed jobs.
        device: ``cuda:N``.
        threads: Threads of a block; results do not depend on it.
        shared_limit: Largest shared memory of a block, in bytes; by default the device's limit.

    Raises:
        DeviceError: If numba-cuda is not installed.
        MemoryError: If the device has no room for the batch.
    """
    check_installed()
    try:
        with cuda.gpus[_number(device)]:
            _launch_all(batch, threads, shared_block_limit() if shared_limit is None else shared_limit)
    except CudaAPIError as error:
        if "OUT_OF_MEMORY" not in str(error):
            raise
        raise MemoryError(f"{device} has no room for {len(batch.runs)} runs") from error


def check_installed() -> None:
    """Require NVIDIA's package, because Numba's own CUDA target is no longer maintained."""
    if importlib.util.find_spec("numba_cuda") is None and not config.ENABLE_CUDASIM:
        raise DeviceError(
            "engine population needs the package numba-cuda on a GPU; pip install 'numba-cuda[cu13]'"
        )


def shared_block_limit() -> int:
    """Return the largest shared memory of a block on the current device, in bytes."""
    return int(cuda.get_current_device().MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)


def free_bytes(device: str) -> int:
    """Return the free memory of a device, in bytes."""
    with cuda.gpus[_number(device)]:
        return int(cuda.current_context().get_memory_info().free)


def _number(device: str) -> int:
    return int(device.partition(":")[2] or 0)


def group_by_room(words: list[int], limit: int) -> dict[int, list[int]]:
    """Group blocks into launches: bytes of shared memory per block (0: global) -> indices in ``words``.

    Examples:
        >>> group_by_room([2_000, 57_200, 2_100, 66_000], limit=227 * 1024)
        {228800: [0, 1, 2], 0: [3]}
    """
    fits = [4 * need <= limit for need in words]
    shared = [place for place, fit in enumerate(fits) if fit]
    beyond = [place for place, fit in enumerate(fits) if not fit]
    groups = {4 * max((words[place] for place in shared), default=0): shared, 0: beyond}
    return {size: places for size, places in groups.items() if places}


def _launch_all(batch: Batch, threads: int, limit: int) -> None:
    runs = cuda.to_device(np.array(batch.runs, np.int64))
    rules = [cuda.to_device(array) for array in (batch.keys, batch.weight_decay, batch.momentum)]
    arrays = Launch(*map(cuda.to_device, batch.launch))
    held = []  # keeps the memory until the launches that use it have ended
    for shared_bytes, places in group_by_room(batch.words, limit).items():
        rooms = _Rooms([batch.words[place] for place in places] if not shared_bytes else [])
        chosen, stream = cuda.to_device(np.array(places, np.int64)), cuda.stream()
        kernel = _kernel(in_shared=shared_bytes > 0)
        if shared_bytes > DEFAULT_SHARED_BYTES and not config.ENABLE_CUDASIM:
            _allow_shared_bytes(kernel, limit)
        lanes = min(LANES, threads)
        kernel[len(places), threads, stream, shared_bytes](
            lanes, chosen, runs, *rules, *arrays, rooms.floats, rooms.marks, rooms.first
        )
        held.append((rooms, chosen, stream))
    cuda.synchronize()
    for name in ("losses", "parameters", "velocity"):
        getattr(arrays, name).copy_to_host(getattr(batch.launch, name))


class _Rooms:
    """Rooms in global memory, one after another, with one array for floats and one for integers."""

    def __init__(self, words: list[int]) -> None:
        total = max(1, sum(words))
        self.floats = cuda.device_array(total, np.float32)
        self.marks = cuda.device_array(total, np.int32)
        self.first = cuda.to_device(np.cumsum([0, *words], dtype=np.int64))


def _in_shared_memory(
    lanes: Any,
    chosen: Any,
    runs: Any,
    keys: Any,
    weight_decay: Any,
    momentum: Any,
    examples: Any,
    rates: Any,
    losses: Any,
    parameters: Any,
    velocity: Any,
    room_floats: Any,
    room_marks: Any,
    first_word: Any,
) -> None:
    """Kernel: each block trains its chosen run in shared memory."""
    floats = cuda.shared.array(0, numba.float32)
    marks = cuda.shared.array(0, numba.int32)
    tile = cuda.local.array(TILE, numba.float32)
    launch = Launch(examples, rates, losses, parameters, velocity)
    start(lanes, chosen, runs, keys, weight_decay, momentum, launch, Room(floats, marks, tile))


def _in_global_memory(
    lanes: Any,
    chosen: Any,
    runs: Any,
    keys: Any,
    weight_decay: Any,
    momentum: Any,
    examples: Any,
    rates: Any,
    losses: Any,
    parameters: Any,
    velocity: Any,
    room_floats: Any,
    room_marks: Any,
    first_word: Any,
) -> None:
    """Kernel: the same in global memory, in a separate range for each block."""
    first, last = first_word[cuda.blockIdx.x], first_word[cuda.blockIdx.x + 1]
    floats, marks = room_floats[first:last], room_marks[first:last]
    tile = cuda.local.array(TILE, numba.float32)
    launch = Launch(examples, rates, losses, parameters, velocity)
    start(lanes, chosen, runs, keys, weight_decay, momentum, launch, Room(floats, marks, tile))


def start(
    lanes: Any, chosen: Any, runs: Any, keys: Any, weight_decay: Any, momentum: Any, launch: Any, room: Any
) -> None:
    """Determine this thread's share and this block's run, and train the run."""
    i, threads, k = int(cuda.threadIdx.x), int(cuda.blockDim.x), chosen[cuda.blockIdx.x]
    me = Thread(i, threads, i // lanes, threads // lanes, i % lanes, lanes)
    sizes = Run(
        runs[k, 0],
        runs[k, 1],
        runs[k, 2],
        runs[k, 3],
        runs[k, 4],
        runs[k, 5],
        runs[k, 6],
        runs[k, 7],
        runs[k, 8],
        runs[k, 9],
        runs[k, 10],
    )
    train_block(me, sizes, keys[k], weight_decay[k], momentum[k], room, launch)  # type: ignore[name-defined]  # noqa: F821


def _wait() -> None:
    cuda.syncthreads()


@functools.cache
def _kernel(*, in_shared: bool) -> Any:
    """Compile one of the two kernels for the current device."""
    return cuda.jit(ARGUMENTS)(bind_kernel(in_shared=in_shared))


def bind_kernel(*, in_shared: bool) -> Any:
    """Return a kernel as a Python function whose global names are compiled functions."""
    return bind(_in_shared_memory if in_shared else _in_global_memory, _names())


@functools.cache
def _names() -> dict[str, Any]:
    """Return the global names of kernels, compiled for the device, in one shared dictionary.

    The simulator adds its own ``cuda`` to it while a kernel runs.
    """
    names = dict(globals())
    names["train_block"] = compile_program(_for_device, _for_device(bind(_wait, names)))
    names["start"] = _for_device(bind(start, names))
    return names


def _for_device(function: Any) -> Any:
    """Compile a function that kernels call, inlined so that a tile stays in registers."""
    return cuda.jit(function, device=True, **({} if config.ENABLE_CUDASIM else {"forceinline": True}))


def _allow_shared_bytes(kernel: Any, limit: int) -> None:
    """Raise the limit of a kernel's shared memory.

    numba-cuda passes the requested size to the launch, but has no public way to raise the driver's limit of
    48 KiB (NVIDIA/numba-cuda issue 94); this is the call that it makes itself for other attributes.
    """
    with private_names(NUMBA_CUDA):
        from cuda.bindings import driver as binding  # type: ignore[import-not-found]  # noqa: PLC0415
        from numba.cuda.cudadrv.driver import driver  # noqa: PLC0415  both are there with numba-cuda only

        attribute = binding.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
        functions = [compiled._codelibrary.get_cufunc() for compiled in kernel.overloads.values()]
        set_attribute = driver.cuKernelSetAttribute
    for function in functions:
        set_attribute(attribute, limit, function.handle, function.device.id)
