"""Find the GPUs that programs may use on this machine, without torch."""

import os
import re
from pathlib import Path

from sweep.errors import DeviceError

_NODE = re.compile(r"nvidia\d+")
_NAME = re.compile(r"cuda:(\d+)")


def n_gpus(nodes: Path = Path("/dev")) -> int:
    """Return the number of NVIDIA GPUs of this machine that ``CUDA_VISIBLE_DEVICES`` allows.

    Args:
        nodes: Folder of the device files.
    """
    here = sum(1 for node in nodes.glob("nvidia*") if _NODE.fullmatch(node.name))
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return here
    return min(here, len([name for name in visible.split(",") if name.strip() not in ("", "-1")]))


def list_gpus(name: str, count: int) -> tuple[str, ...]:
    """Return the devices that a name selects, each of which runs one trial at a time.

    Args:
        name: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        count: Number of GPUs.

    Raises:
        DeviceError: If there is no such device.

    Examples:
        >>> list_gpus("auto", 0), list_gpus("auto", 2), list_gpus("cuda:1", 2)
        (('cpu',), ('cuda:0', 'cuda:1'), ('cuda:1',))
    """
    every = tuple(f"cuda:{k}" for k in range(count))
    if name == "cpu" or (name == "auto" and not every):
        return ("cpu",)
    if name in ("auto", "cuda") and every:
        return every
    match = _NAME.fullmatch(name)
    if match and int(match[1]) < count:
        return (name,)
    if name != "cuda" and not match:
        raise DeviceError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}")
    found = f"{count} GPUs" if count else "no GPU"
    raise DeviceError(f"device {name} is not available: this machine has {found}")


class PlacedProgram:
    """A trainer whose programs run on a chosen device."""

    name: str
    """The kind of program, which is also the engine's name."""

    def list_devices(self, name: str) -> tuple[str, ...]:
        """Return all devices that ``auto`` or a device name selects; raises ``DeviceError``."""
        return list_gpus(name, n_gpus())

    def resolve_device(self, name: str) -> str:
        """Return the first such device; raises ``DeviceError``."""
        return self.list_devices(name)[0]

    def default_engine(self, device: str) -> str:
        """Return the kind of program, which trains on every device."""
        return self.name

    def check_engine(self, engine: str, device: str) -> None:
        """Refuse an engine that is not the program; raises ``DeviceError``."""
        if engine != self.name:
            raise DeviceError(f"a {self.name} has no engines; omit --engine {engine}")
