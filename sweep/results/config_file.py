"""What is exported, and how is it read back?

A config file is TOML: ``[config]`` holds every hyperparameter, ``[provenance]`` says which
trial of which study it was, on which data, and what loss it had.
"""

import dataclasses
import datetime
import tomllib
from pathlib import Path
from typing import Any

import tomli_w

from sweep import __version__
from sweep.errors import ConfigError, DataError, MachineError, NotFoundError, SweepError
from sweep.results.replay import Place
from sweep.results.table import rank_trials
from sweep.search.files import write_atomically
from sweep.search.records import StudyRecord, TrialRecord
from sweep.task.config import TrainConfig
from sweep.task.corpus import Corpus
from sweep.task.mlp import MLP


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
    dedupe: bool
    split: str
    trainer_version: int
    engine: str
    device: str
    sweep: str
    """Version that trained it."""
    torch: str
    exported: str
    """UTC, ISO 8601."""

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


def write_config(study: StudyRecord, trial: TrialRecord, path: Path, *, force: bool = False) -> None:
    """Write a trial's configuration with its provenance.

    Raises:
        SweepError: If the file exists and ``force`` is False.
        MachineError: If it cannot be written.
    """
    if path.is_dir():
        raise SweepError(f"{path} is a folder; name a file with -o")
    if path.exists() and not force:
        raise SweepError(f"{path} exists and is not overwritten; choose another with -o, or give --force")
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    identity = study.identity
    provenance = Provenance(
        study=study.name,
        trial=trial.number,
        dev_loss=trial.dev_loss,
        words=study.data["words"],
        data_sha256=identity["data_sha256"],
        dedupe=study.data["dedupe"],
        split=identity["split"],
        trainer_version=identity["trainer_version"],
        engine=trial.engine,
        device=trial.device,
        sweep=__version__,
        torch=study.environment["torch"],
        exported=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
    document = {"config": study.config_values(trial), "provenance": dataclasses.asdict(provenance)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, tomli_w.dumps(document).encode())
    except OSError as error:
        raise MachineError(f"{path} cannot be written: {error.strerror}") from error


def load_config(path: Path | str) -> tuple[TrainConfig, Provenance]:
    """Read a config file that ``write_config`` wrote.

    Raises:
        ConfigError: If it is no such file, or a value breaks its rule.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError as error:
        raise ConfigError(f"config file {path} does not exist; `sweep export STUDY` writes one") from error
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    if not isinstance(raw.get("config"), dict) or not isinstance(raw.get("provenance"), dict):
        raise ConfigError(f"{path}: no [config] with [provenance]; `sweep export STUDY` writes such a file")
    try:
        return TrainConfig.from_dict(raw["config"]), _provenance(raw["provenance"])
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_exported_data(words: str, provenance: Provenance) -> Corpus:
    """Read the words file of an exported configuration.

    Raises:
        DataError: If it cannot be used, or is another list than that of the export.
    """
    data = MLP.load_data({"words": words, "dedupe": provenance.dedupe})
    if data.sha256 != provenance.data_sha256:
        raise DataError(
            f"{words} is not the list of the export (sha256 {data.sha256[:8]}…, exported "
            f"{provenance.data_sha256[:8]}…); give the right one with --words FILE"
        )
    return data


def is_config_file(path: Path | str) -> bool:
    """Say whether a TOML file is an exported configuration rather than a study."""
    try:
        raw = tomllib.loads(Path(path).read_bytes().decode())
    except (OSError, ValueError):
        return False
    return "provenance" in raw and "search" not in raw


def _provenance(raw: dict[str, Any]) -> Provenance:
    for field in dataclasses.fields(Provenance):
        if field.name not in raw:
            raise ConfigError(f"provenance.{field.name} is missing")
        if type(raw[field.name]) is not field.type:
            raise ConfigError(f"provenance.{field.name} has the wrong kind: {raw[field.name]!r}")
    return Provenance(**{field.name: raw[field.name] for field in dataclasses.fields(Provenance)})
