"""Represent the origin of an exported configuration: the tables ``[provenance]`` and ``[certificate]``."""

import dataclasses
from collections.abc import Mapping

from sweep.certify.ensemble.record import Ensemble
from sweep.certify.notebook import facts_html
from sweep.certify.replay import Place
from sweep.errors import ConfigError, DataError
from sweep.task import DEFAULT_TASK, NO_DATA, AnyTask, Config, load_task
from sweep.values import Toml


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The result of a confirmation for the configuration that it chose."""

    seeds: tuple[int, ...]
    """The certifying seeds with a value; they took no part in search or choice."""
    dev_losses: tuple[float, ...]
    """Loss on each seed, in the metric's unit."""
    mean: float
    sd: float | None = None
    """Sample standard deviation over the seeds; None if the seed makes no difference."""
    optimism: float
    """How much better the configuration was in the search than the mean, in the metric's unit."""
    candidates: int
    """Number of compared configurations."""
    rounds: int
    """Number of seeds for each candidate."""
    engine: str
    device: str
    deterministic: bool = False
    """Whether the seed makes no difference, so that there is no interval over seeds."""
    lost: int = 0
    """Number of certifying seeds on which it diverged or failed; the mean leaves them out."""
    confirmation: int = 1
    """Number of the study's confirmation that it comes from, from 1; further ones saw earlier results."""

    def _repr_html_(self) -> str:
        facts = {
            "certified mean": self.mean,
            "spread over seeds": None if self.deterministic else self.sd,
            "seeds": len(self.seeds),
            "seeds without a value": self.lost or None,
            "optimism of the search": self.optimism,
            "chosen among": f"{self.candidates} candidates on {self.rounds} seeds each",
            "trained on": f"{self.engine}, {self.device}",
            "the seed makes no difference": self.deterministic or None,
        }
        return facts_html("Certificate", facts)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The origin of a configuration."""

    trainer: str = DEFAULT_TASK
    """Name of the trainer; files of the default trainer omit it."""
    study: str
    trial: int
    dev_loss: float
    """The stored value, in the metric's unit."""
    data: Mapping[str, Toml]
    """The ``[data]`` section of the study, its source first."""
    data_sha256: str = NO_DATA
    """Hash of the data; a file without data does not have it."""
    split: str = ""
    """Description of the split; empty if the trainer has none."""
    trainer_version: int
    engine: str
    device: str
    sweep: str
    """Version of sweep that trained the configuration."""
    torch: str
    exported: str
    """Time of the export, UTC, ISO 8601."""
    program: Mapping[str, Toml] = dataclasses.field(default_factory=dict)
    """The study's definition of its program; empty for an installed trainer."""
    surroundings: Mapping[str, Toml] = dataclasses.field(default_factory=dict)
    """Settings of how that program ran."""
    when: Mapping[str, Mapping[str, Toml]] = dataclasses.field(default_factory=dict)
    """Hyperparameter -> each other one that decides whether it is active -> the values that activate it."""
    certificate: Certificate | None = None
    """Certificate; None if no confirmation chose the configuration."""
    ensemble: Ensemble | None = None
    """The ensemble of the certified seeds, if the file is of it."""

    @property
    def task(self) -> AnyTask:
        """The trainer; raises ``NotFoundError``."""
        return load_task(self.trainer, self.program, self.surroundings)

    @property
    def place(self) -> Place:
        """Engine and device of the training."""
        return Place(engine=self.engine, device=self.device)

    def seed_models(self, config: Config) -> list[tuple[Config, float]]:
        """Return each certified seed's configuration and value; those of the file without a certificate."""
        if self.certificate is None:
            return [(config, self.dev_loss)]
        pairs = zip(self.certificate.seeds, self.certificate.dev_losses, strict=True)
        return [(config.replace(seed=seed), value) for seed, value in pairs]

    def models(self, config: Config) -> list[tuple[Config, float]]:
        """Return the configuration and value of each model of the file: several for an ensemble."""
        return self.seed_models(config) if self.ensemble else [(config, self.dev_loss)]

    def to_table(self) -> dict[str, Toml]:
        """Return the table ``[provenance]`` of a file.

        It names the trainer and has the data section as its own table. For the default trainer it has
        neither: the section's keys are inlined, the source before the hash, as in the first release's files.
        Nor does it have conditions, because every configuration of that trainer has all hyperparameters.
        """
        known = {name: getattr(self, name) for name in _FIELDS}
        values = {name: value for name, value in known.items() if value not in ("", NO_DATA)}
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
    def from_table(cls, table: Mapping[str, Toml]) -> "Provenance":
        """Build it from a table of ``to_table``, without certificate, and check it.

        Raises:
            ConfigError: If a key is missing or has the wrong type.
            NotFoundError: If its trainer is not installed.
        """
        if "trainer" in table:
            table = {_FIELDS_OF_OTHERS.get(name, name): value for name, value in table.items()}
        for name, field in _FIELDS.items():
            if name not in table and field.default is dataclasses.MISSING:
                raise ConfigError(f"provenance.{name} is missing")
            if name in table and type(table[name]) is not field.type:
                raise ConfigError(f"provenance.{name} has the wrong type: {table[name]!r}")
        values = {name: table[name] for name in _FIELDS if name in table}
        program, surroundings, when = (_table(table, name) for name in _TABLES)
        task = load_task(values.get("trainer", DEFAULT_TASK), program, surroundings)
        data = _section(task, table)
        return cls(**values, program=program, surroundings=surroundings, when=when, data=data)


_TABLES = ("program", "surroundings", "when")
"""Tables of ``[provenance]`` that a file has only if there is something in them."""

_FIELDS = {
    field.name: field
    for field in dataclasses.fields(Provenance)
    if field.name not in ("data", "certificate", "ensemble", *_TABLES)
}
"""The keys of ``[provenance]`` for every trainer."""

_NAMES_OF_OTHERS = {"dev_loss": "value", "dev_losses": "values"}
"""Field -> its key in the files of trainers other than the default."""

_FIELDS_OF_OTHERS = {key: name for name, key in _NAMES_OF_OTHERS.items()}


def _table(table: Mapping[str, Toml], name: str) -> dict[str, Toml]:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise ConfigError(f"provenance.{name} must be a table, got {found!r}")
    if name == "when" and (wrong := [key for key, needed in found.items() if not isinstance(needed, dict)]):
        raise ConfigError(f"provenance.when.{wrong[0]} must be a table, got {found[wrong[0]]!r}")
    return found


def _section(task: AnyTask, table: Mapping[str, Toml]) -> dict[str, Toml]:
    """Return the ``[data]`` section of a table, checked by its trainer; see ``Provenance.to_table``."""
    section = table.get("data", {}) if "trainer" in table else _flat_section(task, table)
    try:
        return dict(task.check_data_section(section))
    except DataError as error:
        raise ConfigError(*error.lines) from error


def _flat_section(task: AnyTask, table: Mapping[str, Toml]) -> dict[str, Toml]:
    names = task.check_data_section({})
    if missing := [f"provenance.{name} is missing" for name in names if name not in table]:
        raise ConfigError(*missing)
    return {name: table[name] for name in names}


def certificate_table(certificate: Certificate, trainer: str) -> dict[str, Toml]:
    """Return the table ``[certificate]`` of a file."""
    names = {} if trainer == DEFAULT_TASK else _NAMES_OF_OTHERS
    known = dataclasses.asdict(certificate)
    if certificate.sd is None:
        del known["sd"]
    if not certificate.deterministic:
        del known["deterministic"]
    if not certificate.lost:
        del known["lost"]
    if certificate.confirmation == 1:
        del known["confirmation"]
    return {names.get(name, name): value for name, value in known.items()}


def read_certificate(document: Mapping[str, Toml]) -> Certificate | None:
    """Return the table ``[certificate]`` of a file, or None if there is none.

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
            raise ValueError("seeds and dev_losses must have equal lengths of at least 2")
        return Certificate(seeds=seeds, dev_losses=losses, **given)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"[certificate] cannot be used ({error}); export the study again") from error
