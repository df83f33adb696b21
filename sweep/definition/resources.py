"""Check ``[resources]``: the cores and GPUs that one segment occupies on a machine of a cluster."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from sweep.errors import StudyFileError
from sweep.spelling import unknown
from sweep.values import Toml

_MOST = 1_024
"""Upper limit of cores and of GPUs; no machine has more."""

_NEARLY = 1e-9
"""Added before rounding down, so that 1 / 0.1 gives ten."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The section ``[resources]`` of a study; not part of its identity, because no result depends on it."""

    cpus: float = 1.0
    """Cores. The built-in engines use one."""
    gpus: float = 0.0
    """GPUs; a fraction lets several segments share one."""

    def to_dict(self) -> dict[str, float]:
        """Return both as plain values."""
        return dataclasses.asdict(self)

    def places_on(self, cpus: float, gpus: float) -> int:
        """Return how many segments a machine can run at a time.

        Examples:
            >>> Resources(cpus=2, gpus=0.5).places_on(cpus=16, gpus=2)
            4
        """
        fits = cpus / self.cpus
        if self.gpus:
            fits = min(fits, gpus / self.gpus)
        return int(fits + _NEARLY)

    def program_places(self, devices: Sequence[str], cores: int) -> list[str]:
        """Return the device of each program that runs at a time here: on cores, or on GPUs of its own.

        Examples:
            >>> Resources(cpus=4).program_places(["cpu"], cores=10)
            ['cpu', 'cpu']
        """
        if list(devices) == ["cpu"]:
            return ["cpu"] * max(1, self.places_on(cores, math.inf))
        return self.gpu_places(devices)

    def gpu_places(self, gpus: Sequence[str]) -> list[str]:
        """Return the GPUs of each trial that these GPUs can train at a time, one each by default.

        Examples:
            >>> Resources(gpus=2).gpu_places(["cuda:0", "cuda:1", "cuda:2"])
            ['cuda:0,cuda:1']
            >>> Resources(gpus=0.5).gpu_places(["cuda:0"]), Resources().gpu_places(["cuda:0"])
            (['cuda:0', 'cuda:0'], ['cuda:0'])
        """
        each = self.gpus or 1.0
        if each < 1:
            return [*gpus] * int(1 / each + _NEARLY)
        n = int(each)
        return [",".join(gpus[k : k + n]) for k in range(0, len(gpus) - n + 1, n)]


def parse_resources(section: Mapping[str, Toml]) -> Resources:
    """Check ``[resources]``.

    Raises:
        StudyFileError: If a key is unknown, or a value is out of range.
    """
    known = [field.name for field in dataclasses.fields(Resources)]
    for key, value in section.items():
        if key not in known:
            raise StudyFileError(unknown(f"key {key!r} in [resources]", key, known))
        if type(value) not in (int, float) or not 0 <= value <= _MOST:
            raise StudyFileError(f"resources.{key} must be a number from 0 to {_MOST:,}, got {value!r}")
    resources = Resources(**{key: float(value) for key, value in section.items()})
    if not resources.cpus:
        raise StudyFileError("resources.cpus must be above 0: every segment needs a part of a core")
    if resources.gpus > 1 and resources.gpus != int(resources.gpus):
        raise StudyFileError(
            f"resources.gpus must be at most 1 or whole, as one GPU alone can be shared; got {resources.gpus}"
        )
    return resources
