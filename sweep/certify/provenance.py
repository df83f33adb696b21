"""Records where an exported configuration comes from: the tables ``[provenance]`` and ``[certificate]``."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from sweep.certify.replay import Place
from sweep.errors import ConfigError, DataError
from sweep.task import DEFAULT_TASK, AnyTask, load_task


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a confirmation found for the configuration that it chose."""

    seeds: tuple[int, ...]
    """None of them took part in search or choice."""
    dev_losses: tuple[float, ...]
    """Of each seed, in the metric's unit."""
    mean: float
    sd: float | None = None
    """Sample standard deviation between the seeds; None if no seed makes a difference."""
    optimism: float
    """By how much the search had it better than the mean, in the metric's unit."""
    candidates: int
    """How many configurations were compared."""
    rounds: int
    """On how many seeds each."""
    engine: str
    device: str
    deterministic: bool = False
    """Whether no seed makes a difference: one value, no interval over seeds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a configuration comes from."""

    trainer: str = DEFAULT_TASK
    """Name of the trainer; files of the default one do not hold it."""
    study: str
    trial: int
    dev_loss: float
    """As stored, in the metric's unit."""
    data: Mapping[str, Any]
    """The ``[data]`` section of the study, its source first."""
    data_sha256: str
    split: str = ""
    """How train, dev and test are cut; empty if the trainer cuts nothing."""
    trainer_version: int
    engine: str
    device: str
    sweep: str
    """Version that trained it."""
    torch: str
    exported: str
    """UTC, ISO 8601."""
    program: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """What the study says of a program of its own; empty for an installed trainer."""
    surroundings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Where and how that program ran."""
    certificate: Certificate | None = None
    """None where no confirmation chose the configuration."""

    @property
    def task(self) -> AnyTask:
        """The trainer; raises ``NotFoundError``."""
        return load_task(self.trainer, self.program, self.surroundings)

    @property
    def place(self) -> Place:
        """Where it was trained."""
        return Place(engine=self.engine, device=self.device)

    def to_table(self) -> dict[str, Any]:
        """Return the table ``[provenance]`` of a file.

        It names its trainer and has the section as a table of its own. The default trainer's has neither:
        its section lies flat, the source before the hash, as in the files of the first release.
        """
        values = {name: getattr(self, name) for name in _FIELDS if getattr(self, name) != ""}
        trainer = values.pop("trainer")
        if trainer != DEFAULT_TASK:
            named = {_NAMES_OF_OTHERS.get(name, name): value for name, value in values.items()}
            tables = {name: dict(getattr(self, name)) for name in _TABLES if getattr(self, name)}
            return {"trainer": trainer, **named, "data": dict(self.data), **tables}
        source, *options = self.data.items()
        first = {name: values.pop(name) for name in ("study", "trial", "dev_loss")}
        sha256 = {"data_sha256": values.pop("data_sha256")}
        return {**first, **dict([source]), **sha256, **dict(options), **values}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "Provenance":
        """Check a table that ``to_table`` made; the certificate is left out.

        Raises:
            ConfigError: If a key is missing or has the wrong kind.
            NotFoundError: If its trainer is not installed.
        """
        if "trainer" in table:
            table = {_FIELDS_OF_OTHERS.get(name, name): value for name, value in table.items()}
        for name, field in _FIELDS.items():
            if name not in table and field.default is dataclasses.MISSING:
                raise ConfigError(f"provenance.{name} is missing")
            if name in table and type(table[name]) is not field.type:
                raise ConfigError(f"provenance.{name} has the wrong kind: {table[name]!r}")
        values = {name: table[name] for name in _FIELDS if name in table}
        program, surroundings = (_table(table, name) for name in _TABLES)
        task = load_task(values.get("trainer", DEFAULT_TASK), program, surroundings)
        data = _section(task, table)
        return cls(**values, program=program, surroundings=surroundings, data=data)


_TABLES = ("program", "surroundings")
"""Tables of ``[provenance]`` that define a program of the user's own."""

_FIELDS = {
    field.name: field
    for field in dataclasses.fields(Provenance)
    if field.name not in ("data", "certificate", *_TABLES)
}
"""The keys of ``[provenance]`` that every trainer has."""

_NAMES_OF_OTHERS = {"dev_loss": "value", "dev_losses": "values"}
"""Field -> its key in the files of all trainers but the default one."""

_FIELDS_OF_OTHERS = {key: name for name, key in _NAMES_OF_OTHERS.items()}


def _table(table: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"provenance.{name} must be a table, got {found!r}")
    return found


def _section(task: AnyTask, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``[data]`` section in a table, checked by its trainer; see ``Provenance.to_table``."""
    section = table.get("data", {}) if "trainer" in table else _flat_section(task, table)
    try:
        return dict(task.check_data_section(section))
    except DataError as error:
        raise ConfigError(*error.lines) from error


def _flat_section(task: AnyTask, table: Mapping[str, Any]) -> dict[str, Any]:
    names = task.check_data_section({})
    if missing := [f"provenance.{name} is missing" for name in names if name not in table]:
        raise ConfigError(*missing)
    return {name: table[name] for name in names}


def certificate_table(certificate: Certificate, trainer: str) -> dict[str, Any]:
    """Return the table ``[certificate]`` of a file."""
    names = {} if trainer == DEFAULT_TASK else _NAMES_OF_OTHERS
    known = dataclasses.asdict(certificate)
    if certificate.sd is None:
        del known["sd"]
    if not certificate.deterministic:
        del known["deterministic"]
    return {names.get(name, name): value for name, value in known.items()}


def read_certificate(document: Mapping[str, Any]) -> Certificate | None:
    """Return the table ``[certificate]`` of a file, None if there is none.

    Raises:
        ConfigError: If it cannot be used.
    """
    if "certificate" not in document:
        return None
    try:
        given = {_FIELDS_OF_OTHERS.get(name, name): value for name, value in document["certificate"].items()}
        seeds, losses = (tuple(given.pop(name)) for name in ("seeds", "dev_losses"))
        sound = all(type(s) is int for s in seeds) and all(type(loss) is float for loss in losses)
        if not sound or len(seeds) != len(losses) or len(set(seeds)) != len(seeds) or len(seeds) < 2:
            raise ValueError("seeds and dev_losses must be equally many, at least 2")
        return Certificate(seeds=seeds, dev_losses=losses, **given)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"[certificate] cannot be used ({error}); export the study again") from error
