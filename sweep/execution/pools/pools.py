"""List the kinds of pool, and choose one by name.

``local`` is processes on this machine, ``ray`` a cluster. Each kind lists its devices and starts a ``Pool``;
other modules use only ``Pool``.
"""

import importlib.util
import re
from collections.abc import Callable
from typing import NamedTuple

from sweep.definition.resources import Resources
from sweep.errors import DeviceError, MachineError
from sweep.execution.pools.local_pool import LocalPool
from sweep.execution.pools.pool import Pool, PoolRequest, usable_cores
from sweep.task import AnyTask, RunsPrograms, list_devices

_RAY_ADDRESS = re.compile(r"ray://[^\s/]+:\d{1,5}")


class PoolKind(NamedTuple):
    """One kind of pool."""

    list_devices: Callable[[AnyTask, str, Resources], tuple[str, ...]]
    """Returns the devices that ``auto`` or a name selects; raises ``SweepError``."""
    start: Callable[[PoolRequest], Pool]
    """Starts a pool; raises ``MachineError`` if it cannot start."""


def choose_pool(name: str) -> tuple[PoolKind, str | None]:
    """Return the kind of pool and perhaps the address that ``--pool`` names.

    Raises:
        DeviceError: If the name is unknown.
    """
    kind = "ray" if _RAY_ADDRESS.fullmatch(name) else name
    if kind not in POOLS:
        raise DeviceError(f"pool must be one of {', '.join(POOLS)} or ray://HOST:PORT; got {name!r}")
    return POOLS[kind], name if kind != name else None


def local_places(task: AnyTask, resources: Resources, device: str, workers: int | None) -> int:
    """Return how many trials a run on this machine trains at a time, for estimates before it.

    Args:
        task: The trainer.
        resources: What a trial of it occupies.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: What the user asks for; None for what the machine has room for.
    """
    if workers is not None or not isinstance(task, RunsPrograms):
        return workers or usable_cores()
    return max(1, len(resources.program_places(list_devices(task, device), usable_cores())))


def _list_local_devices(task: AnyTask, device: str, resources: Resources) -> tuple[str, ...]:
    """Return the devices of this machine; refuse a program whose trials need more GPUs than there are."""
    found = list_devices(task, device)
    if not isinstance(task, RunsPrograms) or not resources.gpus or device == "cpu":
        return found
    gpus = [name for name in found if name != "cpu"]
    if not resources.gpu_places(gpus):
        raise DeviceError(
            f"[resources] gives a trial {resources.gpus:g} GPUs, but there are {len(gpus)} here; "
            "--device cpu trains without"
        )
    return found


def _list_ray_devices(task: AnyTask, device: str, resources: Resources) -> tuple[str, ...]:
    """Return the devices without checking this machine, which may have no GPU when the cluster has many."""
    if importlib.util.find_spec("ray") is None:
        raise MachineError("pool ray needs Ray: pip install 'ray[client]'")
    found = "cuda" if resources.gpus else "cpu"
    if device not in ("auto", found):
        raise DeviceError(
            f"pool ray trains on {found}, since [resources] gives a segment {resources.gpus:g} GPUs; "
            f"got --device {device}"
        )
    return (found,)


def _start_ray(asked: PoolRequest) -> Pool:
    from sweep.execution.pools.ray_pool import (
        RayPool,  # Ray takes a second to load, and need not be installed
    )

    return RayPool(asked)


DEFAULT_POOL = "local"
"""The pool of this machine."""

POOLS: dict[str, PoolKind] = {
    DEFAULT_POOL: PoolKind(_list_local_devices, LocalPool),
    "ray": PoolKind(_list_ray_devices, _start_ray),
}
"""Kinds of pool by name. To add one, write a ``Pool`` and add a line here."""
