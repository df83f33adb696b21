"""The mapping that a function gets: the parameters of its trial, and facts of the trial as attributes."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from sweep.spelling import nearest


class Config(Mapping[str, Any]):
    """The parameters that are active in a trial, and its seed, by name; nothing can be changed.

    ``config["lr"]`` and ``config.lr`` are the same. A name that an attribute below has too is a parameter in
    brackets and the trial's fact after a dot: ``config["dir"]``, ``config.dir``.

    Attributes:
        searched: The parameters of ``[search]`` alone, by name.
        seed: Of this trial, for every generator that the training uses.
        dir: The trial's folder.
        checkpoint: The folder for what a trial that was cut can go on from.
        device: Where to train, such as ``"cpu"`` or ``"cuda:0"``.
        cpus: How many cores the trial may use.
        resumed: Whether ``checkpoint`` holds what an earlier attempt at this trial left.

    Examples:
        >>> config = Config({"lr": 0.1, "layers": 2}, searched=["lr"], seed=7)
        >>> config.lr, config["layers"], config.seed, dict(config.searched)
        (0.1, 2, 7, {'lr': 0.1})
    """

    searched: Mapping[str, Any]
    seed: int
    dir: Path
    checkpoint: Path
    device: str
    cpus: int
    resumed: bool

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        searched: Collection[str],
        seed: int,
        dir: str | Path = ".",  # noqa: A002  it is called so in a function's configuration
        checkpoint: str | Path = "checkpoint",
        device: str = "cpu",
        cpus: int = 1,
        resumed: bool = False,
    ) -> None:
        facts = {
            "searched": {name: value for name, value in parameters.items() if name in searched},
            "seed": seed,
            "dir": Path(dir),
            "checkpoint": Path(checkpoint),
            "device": device,
            "cpus": cpus,
            "resumed": resumed,
        }
        self.__dict__.update(facts, _values={**parameters, "seed": seed})

    def __getitem__(self, name: str) -> Any:
        """Return the value of an active parameter, or the seed."""
        if name not in self._values:
            raise KeyError(self._missing(name))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        """Return the value of an active parameter whose name is no attribute."""
        values = self.__dict__.get("_values", {})  # a copy that is being made has none yet
        if name not in values:
            raise AttributeError(self._missing(name) if values else name)
        return values[name]

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"config.{name} cannot be set: a trial's configuration does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"config.{name} cannot be deleted: a trial's configuration does not change")

    def __repr__(self) -> str:
        return f"Config({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def _missing(self, name: str) -> str:
        if name in self.__dict__:
            return f"{name!r} is no parameter of this trial; its {name} is config.{name}"
        near = nearest(name, list(self._values))
        hint = f"did you mean {near}? " if near else ""
        return f"no active parameter {name!r} in this trial; {hint}active: {', '.join(self._values)}"
