"""Represent an ensemble of the certified seeds: the table ``[ensemble]`` of an export."""

import dataclasses
from collections.abc import Mapping

from sweep.errors import ConfigError
from sweep.values import Toml


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """The mean of the probabilities of several models.

    The certificate is about a single model on a further seed. It does not cover the ensemble.
    """

    seeds: tuple[int, ...]
    """Seeds of the models."""
    value: float
    """Value on the dev units, in the metric's unit."""
    low: float
    high: float
    """95 % interval over dev units, with these models."""

    def sentence(self, unit: str) -> str:
        """Return it as one line; ``unit`` is the name of a unit."""
        return (
            f"ensemble of these {len(self.seeds)} models, mean of probabilities: {self.value:.4f}, "
            f"95 % over {unit}s {self.low:.4f} to {self.high:.4f}; the certificate does not cover it"
        )


def ensemble_table(ensemble: Ensemble) -> dict[str, Toml]:
    """Return the table ``[ensemble]`` of a file."""
    return {
        "seeds": list(ensemble.seeds),
        "value": ensemble.value,
        "low": ensemble.low,
        "high": ensemble.high,
        "certified": False,
    }


def read_ensemble(document: Mapping[str, Toml], certified: tuple[int, ...]) -> Ensemble | None:
    """Return the table ``[ensemble]`` of a file, or None if there is none.

    Args:
        document: The file.
        certified: Seeds of its certificate; empty if there is none.

    Raises:
        ConfigError: If it cannot be used, or its seeds are not those of the certificate.
    """
    if "ensemble" not in document:
        return None
    try:
        given = dict(document["ensemble"])
        seeds, is_certified = tuple(given.pop("seeds")), given.pop("certified")
        if not certified or seeds != certified:
            raise ValueError("its seeds must be those of [certificate]")
        if is_certified is not False or not all(type(number) is float for number in given.values()):
            raise ValueError("certified must be false, the other values must be numbers")
        return Ensemble(seeds=seeds, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"[ensemble] cannot be used ({error}); export it again with --ensemble") from error
