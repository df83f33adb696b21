"""Check ``[resources]``: the cores and GPUs that one segment occupies on a machine of a cluster."""

import dataclasses
from collections.abc import Mapping

from sweep.errors import StudyFileError
from sweep.spelling import unknown
from sweep.values import Toml

_MOST = 1_024
"""Upper limit of cores and of GPUs; no machine has more."""


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
        return int(fits + 1e-9)  # so that 1 / 0.1 gives ten


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
