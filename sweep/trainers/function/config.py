"""Define the configuration that is passed to a function: the parameters of a trial, and its properties."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from sweep.spelling import did_you_mean
from sweep.values import Params, Value


class Config(Mapping[str, Value]):
    """The active parameters of a trial and its seed, as a read-only mapping.

    ``config["lr"]`` and ``config.lr`` are the same. If a parameter has the name of an attribute below,
    ``config["dir"]`` is the parameter and ``config.dir`` is the attribute.

    Attributes:
        searched: Only the parameters of ``[search]``, by name.
        seed: The trial's seed, for every random generator of the training.
        dir: The trial's folder.
        checkpoint: The folder for files from which an interrupted trial can resume.
        device: Where to train, such as ``"cpu"`` or ``"cuda:0"``.
        cpus: Number of cores that the trial may use.
        resumed: Whether ``checkpoint`` contains files of an earlier attempt at this trial.

    Examples:
        >>> config = Config({"lr": 0.1, "layers": 2}, searched=["lr"], seed=7)
        >>> config.lr, config["layers"], config.seed, dict(config.searched)
        (0.1, 2, 7, {'lr': 0.1})
    """

    searched: Params
    seed: int
    dir: Path
    checkpoint: Path
    device: str
    cpus: int
    resumed: bool

    def __init__(
        self,
        parameters: Params,
        *,
        searched: Collection[str],
        seed: int,
        dir: str | Path = ".",  # noqa: A002  the public name of the attribute
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

    def __getitem__(self, name: str) -> Value:
        """Return the value of an active parameter, or the seed."""
        if name not in self._values:
            raise KeyError(self._missing(name))
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Value:
        """Return the value of an active parameter whose name is not an attribute."""
        values = self.__dict__.get("_values", {})  # copy.copy asks before it sets attributes
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
            return f"{name!r} is not a parameter of this trial; use config.{name}"
        hint = did_you_mean(name, self._values, "{} ")
        return f"no active parameter {name!r} in this trial; {hint}active: {', '.join(self._values)}"
