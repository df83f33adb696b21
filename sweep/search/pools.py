"""Which pools are there, and which of them is meant?

``local`` is processes on this machine, ``ray`` a cluster. Each kind says which devices it trains on
and how it starts; whatever follows knows a ``Pool`` only.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sweep.errors import DeviceError, MachineError
from sweep.search.device_pool import DevicePool
from sweep.search.pool import LocalPool, Pool, usable_cores
from sweep.search.resources import Resources
from sweep.task.protocol import AnyTask


class _ListDevices(Protocol):
    def __call__(self, task: AnyTask, device: str, resources: Resources) -> tuple[str, ...]:
        """Return the devices that ``auto`` or a name stands for; raises ``DeviceError``."""


class _Start(Protocol):
    def __call__(
        self,
        task: AnyTask,
        data: Any,
        *,
        address: str | None,
        workers: int | None,
        at_most: int,
        engine: str,
        devices: Sequence[str],
        resources: Resources,
    ) -> Pool:
        """Start a pool.

        Args:
            task: The trainer.
            data: What it trains on.
            address: Of the cluster, where the kind has one; None is the kind's own default.
            workers: Jobs at a time; None is as many as there is room for.
            at_most: Jobs that there will be, so that no more workers than these are started.
            engine: What trains.
            devices: As ``list_devices`` gave them.
            resources: What a segment occupies, where the kind asks.

        Raises:
            MachineError: If it cannot be started.
        """


class PoolKind(NamedTuple):
    """One kind of pool."""

    list_devices: _ListDevices
    start: _Start


def choose_pool(name: str) -> tuple[PoolKind, str | None]:
    """Return what ``--pool`` means: a kind of ``POOLS`` and perhaps an address.

    Raises:
        DeviceError: If it means nothing.
    """
    kind, separator, _ = name.partition("://")
    if kind not in POOLS or (separator and kind != "ray") or name.endswith("://"):
        raise DeviceError(f"pool must be one of {', '.join(POOLS)} or ray://HOST:PORT; got {name!r}")
    return POOLS[kind], name if separator else None


def _list_local_devices(task: AnyTask, device: str, resources: Resources) -> tuple[str, ...]:
    return task.list_devices(device)


def _start_local(
    task: AnyTask,
    data: Any,
    *,
    address: str | None,
    workers: int | None,
    at_most: int,
    engine: str,
    devices: Sequence[str],
    resources: Resources,
) -> Pool:
    """Start many segments a process, or one, as the engine has it."""
    places = task.places(engine, devices[0])
    if places > 1:
        workers = min(workers or places * len(devices), at_most)
        return DevicePool(task, data, workers=workers, engine=engine, devices=devices)
    workers = min(workers or usable_cores(), at_most)
    return LocalPool(task, data, workers=workers, engine=engine, device=devices[0])


def _list_ray_devices(task: AnyTask, device: str, resources: Resources) -> tuple[str, ...]:
    """Ask not what is here: the driver's machine may have no GPU where the cluster has many."""
    found = "cuda" if resources.gpus else "cpu"
    if device not in ("auto", found):
        raise DeviceError(
            f"pool ray trains on {found}, since [resources] gives a segment {resources.gpus:g} GPUs; "
            f"got --device {device}"
        )
    return (found,)


def _start_ray(
    task: AnyTask,
    data: Any,
    *,
    address: str | None,
    workers: int | None,
    at_most: int,
    engine: str,
    devices: Sequence[str],
    resources: Resources,
) -> Pool:
    try:
        from sweep.search.ray_pool import RayPool  # Ray takes a second to load, and need not be installed
    except ImportError as error:
        raise MachineError("pool ray needs Ray: pip install 'mlp-sweep[ray]'") from error
    return RayPool(
        task,
        data,
        address=address,
        workers=workers,
        at_most=at_most,
        engine=engine,
        device=devices[0],
        resources=resources,
    )


POOLS: dict[str, PoolKind] = {
    "local": PoolKind(_list_local_devices, _start_local),
    "ray": PoolKind(_list_ray_devices, _start_ray),
}
"""Where segments can run. To add a kind: a ``Pool``, and a line here."""
