"""Devices by their names, the engine of each, and when torch is asked."""

import ctypes
import os
import subprocess
import sys

import pytest
import torch

from sweep.errors import DeviceError
from sweep.trainers.mlp.engines import DEFAULT_ENGINE, ENGINES
from sweep.trainers.mlp.engines.devices import default_engine, list_devices, may_have_gpu, resolve_device
from tests.support.sweep_command import REPOSITORY


def test_every_kind_of_device_has_an_engine() -> None:
    """The default of a device is one of the engines; the number of a GPU plays no part."""
    assert set(DEFAULT_ENGINE.values()) <= set(ENGINES)
    assert default_engine("cpu") == DEFAULT_ENGINE["cpu"]
    assert default_engine("cuda") == default_engine("cuda:1") == DEFAULT_ENGINE["cuda"]


class TestDevices:
    def test_cpu_is_always_there(self) -> None:
        """``cpu`` is itself, and ``auto`` is something that can be used."""
        assert resolve_device("cpu") == "cpu"
        assert resolve_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")

    @pytest.mark.parametrize(
        "name", ["gpu", "", "CPU", "cpu:0", "cuda0", "cuda:", "cuda:x", "cuda:-1", "mps"]
    )
    def test_unknown_names_are_refused(self, name: str) -> None:
        """A name that is no device is told together with those that are."""
        with pytest.raises(DeviceError, match=f"unknown device '{name}'; use auto, cpu, cuda or cuda:N"):
            resolve_device(name)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
    @pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
    def test_absent_gpu_is_refused(self, name: str) -> None:
        """Asking for a GPU that is not there is one line, with the way out."""
        with pytest.raises(DeviceError, match=rf"device {name} is not present; use --device cpu or auto"):
            resolve_device(name)

    def test_gpu_beyond_the_last_is_refused(self) -> None:
        """No machine has GPU number 99,999."""
        with pytest.raises(DeviceError, match="cuda:99999 is not present"):
            resolve_device("cuda:99999")

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
    def test_gpu_is_named_with_its_number(self) -> None:
        """``cuda`` is the first GPU."""
        assert resolve_device("cuda") == "cuda:0"

    def test_all_gpus_are_listed(self) -> None:
        """``auto`` lists what torch counts, or the CPU alone."""
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        assert list_devices("auto") == (tuple(f"cuda:{k}" for k in range(gpus)) or ("cpu",))
        assert list_devices("cpu") == ("cpu",)


class TestWhetherThereMayBeOne:
    def test_where_none_can_be_torch_finds_none(self) -> None:
        """The short look never hides a GPU that torch would find."""
        assert may_have_gpu() or not torch.cuda.is_available()

    def test_where_the_driver_can_be_loaded_torch_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A library in the place of NVIDIA's is enough."""
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(ctypes, "CDLL", lambda name: {"libcuda.so.1": object()}[name])
        assert may_have_gpu()

    def test_an_environment_that_hides_all_is_believed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As torch reads it."""
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert not may_have_gpu()


def test_a_driver_of_a_machine_without_gpus_loads_no_torch() -> None:
    """Devices, engine and the compiled code are seen to without it, while the workers load it."""
    code = (
        "import sys; from sweep.trainers.mlp.trainer import MLP; (device,) = MLP.list_devices('auto'); "
        "engine = MLP.default_engine(device); MLP.check_engine(engine, device); MLP.mend(device); "
        "sys.exit('torch' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": ""}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
