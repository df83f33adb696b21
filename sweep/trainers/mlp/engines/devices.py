"""Find the devices of this machine and their default engines; load torch only if there may be a GPU."""

import ctypes
import os
import sys

from sweep.errors import DeviceError
from sweep.trainers.mlp.engines import DEFAULT_ENGINE


def default_engine(device: str) -> str:
    """Return the default engine of a device."""
    return DEFAULT_ENGINE[device.partition(":")[0]]


def resolve_device(name: str) -> str:
    """Return the device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` selects.

    Raises:
        DeviceError: If the device is unknown or not present.
    """
    if name == "auto":
        return "cuda:0" if _count_gpus() else "cpu"
    kind, colon, index = name.partition(":")
    if name == "cpu":
        return name
    if kind != "cuda" or (colon and not index.isdecimal()):
        raise DeviceError(f"unknown device {name!r}; use auto, cpu, cuda or cuda:N")
    if int(index or 0) >= _count_gpus():
        raise DeviceError(f"device {name} is not present; use --device cpu or auto")
    return f"cuda:{int(index or 0)}"


def list_devices(name: str) -> tuple[str, ...]:
    """Return all devices that a run may use: ``auto`` and ``cuda`` select every GPU.

    Raises:
        DeviceError: If the device is unknown or not present.
    """
    one = resolve_device(name)
    gpus = _count_gpus() if name in {"auto", "cuda"} and one != "cpu" else 0
    return tuple(f"cuda:{k}" for k in range(gpus)) or (one,)


def may_have_gpu() -> bool:
    """Return whether torch could find a GPU, without loading torch, which takes a second.

    On Linux, it finds none without NVIDIA's driver library or AMD's device file, or if the environment hides
    all GPUs.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    if not sys.platform.startswith("linux") or os.path.exists("/dev/kfd"):
        return True
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    return True


def _count_gpus() -> int:
    """Return the number of GPUs that torch can use."""
    if not may_have_gpu():
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0
