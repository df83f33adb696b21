"""GPUs are found by their nodes, inside what the user allows."""

from pathlib import Path

import pytest

from sweep.errors import DeviceError
from sweep.trainers.program.process.gpus import list_gpus, n_gpus


@pytest.mark.parametrize(
    ("nodes", "visible", "expected"),
    [
        ([], None, 0),
        (["nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia-caps"], None, 2),
        (["nvidia0", "nvidia1"], "1", 1),
        (["nvidia0", "nvidia1"], "", 0),
        (["nvidia0", "nvidia1"], "-1", 0),
        (["nvidia0", "nvidia1"], "GPU-8f,GPU-9a", 2),
    ],
)
def test_gpus_are_counted_inside_what_the_user_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: list[str], visible: str | None, expected: int
) -> None:
    """Control nodes are no GPUs, and CUDA_VISIBLE_DEVICES restricts."""
    for node in nodes:
        (tmp_path / node).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert n_gpus(tmp_path) == expected


@pytest.mark.parametrize(
    ("name", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2), ("gpu", 2), ("cuda:x", 1)]
)
def test_a_device_that_is_not_here_is_refused(name: str, count: int) -> None:
    """One line names the device."""
    with pytest.raises(DeviceError, match=name):
        list_gpus(name, count)
