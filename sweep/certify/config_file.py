"""What is exported, and how is it read back?

A config file is TOML: ``[config]`` holds every hyperparameter, ``[provenance]`` says which
trial of which study it was, on which data, and what loss it had. After a confirmation
``[certificate]`` holds the seeds that took no part in any choice, with their losses.
"""

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import tomli_w

from sweep import __version__
from sweep.certify.replay import Place
from sweep.definition.ranking import rank_trials
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.sections.toml_files import read_toml
from sweep.errors import ConfigError, DataError, MachineError, NotFoundError, SweepError
from sweep.storage.files import write_atomically
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.corpus import Corpus
from sweep.tasks.mlp.trainer import MLP
from sweep.tasks.mlp.words_file import Dedupe, is_dedupe, usual_hashes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a confirmation found for the configuration that it chose."""

    seeds: tuple[int, ...]
    """None of them took part in search or choice."""
    dev_losses: tuple[float, ...]
    """Of each seed, nats per character."""
    mean: float
    sd: float
    optimism: float
    """Mean less the loss that the search had, nats per character."""
    candidates: int
    """How many configurations were compared."""
    rounds: int
    """On how many seeds each."""
    engine: str
    device: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a configuration comes from."""

    study: str
    trial: int
    dev_loss: float
    """Nats per character, as stored."""
    words: str
    """Path of the words file, as the study names it."""
    data_sha256: str
    dedupe: Dedupe
    split: str
    trainer_version: int
    engine: str
    device: str
    sweep: str
    """Version that trained it."""
    torch: str
    exported: str
    """UTC, ISO 8601."""
    certificate: Certificate | None = None
    """None where no confirmation chose the configuration."""

    @property
    def place(self) -> Place:
        """Where it was trained."""
        return Place(engine=self.engine, device=self.device)


def choose_trial(study: StudyRecord, number: int | None) -> TrialRecord:
    """Return a trial with a final loss: the one asked for, or the best configuration's first.

    Best is the lowest dev loss, whatever else a study minimises. Among the replicates of a
    configuration the lowest number is taken, not the luckiest seed.

    Raises:
        NotFoundError: If there is no such trial, or it has no final loss.
    """
    if number is None:
        ranked = rank_trials(study)
        if ranked.empty or ranked["rank"].isna().iloc[0]:
            raise NotFoundError(f"study {study.name!r} has no complete trial yet; `sweep run` trains more")
        number = int(ranked["trial"].iloc[0])
    for trial in study.trials:
        if trial.number == number:
            if trial.dev_loss is None:
                raise NotFoundError(
                    f"trial {number} of {study.name!r} is {trial.state} and has no final loss"
                )
            return trial
    raise NotFoundError(f"study {study.name!r} has no trial {number}; it has {len(study.trials)}")


def write_config(
    study: StudyRecord,
    trial: TrialRecord,
    path: Path,
    *,
    certificate: Certificate | None = None,
    force: bool = False,
) -> None:
    """Write a trial's configuration with its provenance; see ``config_text``.

    Raises:
        SweepError: If the file exists and ``force`` is False.
        MachineError: If it cannot be written.
    """
    if path.is_dir():
        raise SweepError(f"{path} is a folder; name a file with -o")
    if path.exists() and not force:
        raise SweepError(f"{path} exists and is not overwritten; choose another with -o, or give --force")
    now = datetime.datetime.now(datetime.UTC)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, config_text(study, trial, exported=now, certificate=certificate).encode())
    except OSError as error:
        raise MachineError(f"{path} cannot be written: {error.strerror}") from error


def config_text(
    study: StudyRecord,
    trial: TrialRecord,
    *,
    exported: datetime.datetime,
    certificate: Certificate | None = None,
) -> str:
    """Return a complete trial's configuration with its provenance, as TOML.

    With a certificate the configuration gets its first seed and that seed's loss: the trial's own
    seed was lucky enough to be chosen.
    """
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    config = study.config_values(trial)
    if certificate is not None:
        config["seed"] = certificate.seeds[0]
    provenance = Provenance(
        study=study.name,
        trial=trial.number,
        dev_loss=certificate.dev_losses[0] if certificate else trial.dev_loss,
        words=study.data["words"],
        data_sha256=study.data_sha256,
        dedupe=study.data["dedupe"],
        split=study.split,
        trainer_version=study.trainer_version,
        engine=(certificate or trial).engine,
        device=(certificate or trial).device,
        sweep=__version__,
        torch=study.environment["torch"],
        exported=exported.astimezone(datetime.UTC).isoformat(timespec="seconds"),
    )
    document = {"config": config, "provenance": dataclasses.asdict(provenance)}
    del document["provenance"]["certificate"]
    if certificate is not None:
        document["certificate"] = dataclasses.asdict(certificate)
    return tomli_w.dumps(document)


def load_config(path: Path | str) -> tuple[TrainConfig, Provenance]:
    """Read a config file that ``write_config`` wrote.

    Raises:
        ConfigError: If it is no such file, or a value breaks its rule.
    """
    path = Path(path)
    try:
        raw = read_toml(path)
    except FileNotFoundError as error:
        raise ConfigError(f"config file {path} does not exist; `sweep export STUDY` writes one") from error
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    if not isinstance(raw.get("config"), dict) or not isinstance(raw.get("provenance"), dict):
        raise ConfigError(f"{path}: no [config] with [provenance]; `sweep export STUDY` writes such a file")
    try:
        provenance = dataclasses.replace(_provenance(raw["provenance"]), certificate=_certificate(raw))
        return TrainConfig.from_dict(raw["config"]), provenance
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_exported_data(words: str, provenance: Provenance) -> Corpus:
    """Read the words file of an exported configuration.

    The same words with other line ends or another byte order mark are the same list; the corpus then has
    the hash of the exported file, by which the study and its records know it.

    Raises:
        DataError: If it cannot be used, or is another list than that of the export.
    """
    data = MLP.load_data({"words": words, "dedupe": provenance.dedupe})
    if data.sha256 == provenance.data_sha256:
        return data
    if provenance.data_sha256 in usual_hashes(words):
        return dataclasses.replace(data, sha256=provenance.data_sha256)
    raise DataError(
        f"{words} is not the list of the export (sha256 {data.sha256[:8]}…, exported "
        f"{provenance.data_sha256[:8]}…); give the right one with --words FILE"
    )


def is_config_file(path: Path | str) -> bool:
    """Say whether a TOML file is an exported configuration rather than a study."""
    try:
        raw = read_toml(Path(path))
    except (OSError, ValueError):
        return False
    return "provenance" in raw and "search" not in raw


def _provenance(raw: dict[str, Any]) -> Provenance:
    names = {
        field.name: field.type for field in dataclasses.fields(Provenance) if field.name != "certificate"
    }
    for name, kind in names.items():
        if name not in raw:
            raise ConfigError(f"provenance.{name} is missing")
        if not (is_dedupe(raw[name]) if name == "dedupe" else type(raw[name]) is kind):
            raise ConfigError(f"provenance.{name} has the wrong kind: {raw[name]!r}")
    return Provenance(**{name: raw[name] for name in names})


def _certificate(raw: dict[str, Any]) -> Certificate | None:
    if "certificate" not in raw:
        return None
    try:
        given = dict(raw["certificate"])
        seeds, losses = (tuple(given.pop(name)) for name in ("seeds", "dev_losses"))
        sound = all(type(s) is int for s in seeds) and all(type(loss) is float for loss in losses)
        if not sound or len(seeds) != len(losses) or len(set(seeds)) != len(seeds) or len(seeds) < 2:
            raise ValueError("seeds and dev_losses must be equally many, at least 2")
        return Certificate(seeds=seeds, dev_losses=losses, **given)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"[certificate] cannot be used ({error}); export the study again") from error
