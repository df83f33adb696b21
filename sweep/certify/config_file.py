"""Write a trial's configuration to a file, and read it back.

A config file is TOML. ``[config]`` holds every hyperparameter; ``[provenance]`` names the study, the trial,
the data and the loss. After a confirmation, ``[certificate]`` holds the certifying seeds, which took no part
in any choice, with their losses.
"""

import dataclasses
import datetime
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from sweep.certify.ensemble.record import Ensemble, ensemble_table, read_ensemble
from sweep.certify.provenance import Certificate, Provenance, certificate_table, read_certificate
from sweep.definition.ranking import ranked_replicates
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.definition.sections.toml_files import read_toml
from sweep.errors import ConfigError, DataError, MachineError, NotFoundError, SweepError
from sweep.storage.files import write_atomically
from sweep.storage.study_reader import no_complete_trial, no_trainer
from sweep.task import data_name, load_copy
from sweep.values import Toml
from sweep.version import __version__

WEIGHTS = ".safetensors"
"""End of the name of a file of weights."""


def choose_trial(study: StudyRecord, number: int | None) -> TrialRecord:
    """Return a trial with a final value: the requested one, or the first of the best configuration.

    The best configuration has the best value of the metric, even with two objectives. Among its replicates,
    the lowest number is taken, not the luckiest seed.

    Raises:
        NotFoundError: If there is no such trial, or it has no final value.
    """
    if number is None:
        ranked = ranked_replicates(study)
        if not ranked:
            raise no_complete_trial(study)
        number = ranked[0].trials[0].number
    for trial in study.trials:
        if trial.number == number:
            if trial.dev_loss is None:
                raise NotFoundError(
                    f"trial {number} of {study.name!r} is {trial.state} and has no final {study.metric.noun}"
                )
            return trial
    raise NotFoundError(f"study {study.name!r} has no trial {number}; it has {len(study.trials)}")


def write_config(
    study: StudyRecord,
    trial: TrialRecord,
    path: Path,
    *,
    certificate: Certificate | None = None,
    ensemble: Ensemble | None = None,
    weights: bytes | None = None,
    force: bool = False,
) -> None:
    """Write a trial's configuration with its provenance, and its weights beside it.

    Args:
        study: The study.
        trial: A complete trial.
        path: The file of the configuration; see ``config_text``.
        certificate: Of a confirmation that chose the trial.
        ensemble: Several certified seeds as one model.
        weights: Content of ``weights_path(path)``; None writes no such file.
        force: Whether files that exist are overwritten. A link is replaced, not followed.

    Raises:
        SweepError: If a file exists and ``force`` is False; a GuestError if the study is a guest.
        MachineError: If a file cannot be written.
    """
    if study.is_guest:
        raise no_trainer(study.name)
    now = datetime.datetime.now(datetime.UTC)
    text = config_text(study, trial, exported=now, certificate=certificate, ensemble=ensemble)
    files = {path: text.encode()} if weights is None else {weights_path(path): weights, path: text.encode()}
    for file in files:
        _check_free(file, force=force)
    for file, content in files.items():  # the weights first: no configuration lacks the weights it came with
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, content)
        except OSError as error:
            raise MachineError(f"{file} cannot be written: {error.strerror}") from error


def weights_path(path: Path) -> Path:
    """Return the file of the weights beside an exported configuration.

    Raises:
        SweepError: If the configuration itself is to have that name.

    Examples:
        >>> weights_path(Path("reports/names/best.toml")).name, weights_path(Path("v1.2")).name
        ('best.safetensors', 'v1.2.safetensors')
    """
    if path.suffix == WEIGHTS:
        raise SweepError(
            f"-o names the file of the configuration; for weights in {path} give "
            f"-o {path.with_suffix('.toml')}"
        )
    return path.with_name(f"{path.name.removesuffix('.toml')}{WEIGHTS}")


def _check_free(path: Path, *, force: bool) -> None:
    """Refuse a path at which something is, a broken link too."""
    if path.is_dir():
        raise SweepError(f"{path} is a folder; name a file with -o")
    if os.path.lexists(path) and not force:
        raise SweepError(f"{path} exists and is not overwritten; name another with -o, or pass --force")


def config_text(
    study: StudyRecord,
    trial: TrialRecord,
    *,
    exported: datetime.datetime,
    certificate: Certificate | None = None,
    ensemble: Ensemble | None = None,
) -> str:
    """Return a complete trial's configuration with its provenance, as TOML.

    With a certificate, the configuration gets the first certifying seed and its loss, because the trial's
    own seed was chosen for its good result.
    """
    assert trial.dev_loss is not None, "choose_trial returns complete trials"
    config = study.config_values(trial)
    if certificate is not None:
        config["seed"] = certificate.seeds[0]
    provenance = Provenance(
        trainer=study.trainer,
        study=study.name,
        trial=trial.number,
        dev_loss=certificate.dev_losses[0] if certificate else trial.dev_loss,
        data=study.data,
        data_sha256=study.data_sha256,
        split=study.split,
        trainer_version=study.trainer_version,
        engine=(certificate or trial).engine,
        device=(certificate or trial).device,
        sweep=__version__,
        torch=study.environment.get("torch", ""),
        program=study.program,
        surroundings=study.surroundings,
        when={name: plain_condition(needed) for name, needed in study.space.conditions.items()},
        exported=exported.astimezone(datetime.UTC).isoformat(timespec="seconds"),
    )
    document = {"config": config, "provenance": provenance.to_table()}
    if certificate is not None:
        document["certificate"] = certificate_table(certificate, study.trainer)
    document |= {} if ensemble is None else {"ensemble": ensemble_table(ensemble)}
    return tomli_w.dumps(document)


def plain_condition(needed: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Return a condition with its values as lists."""
    return {other: list(values) for other, values in needed.items()}


def load_config(path: Path | str) -> tuple[Any, Provenance]:
    """Read a file from ``write_config``; return the configuration of ``Provenance.task`` and its origin.

    Raises:
        ConfigError: If it is not such a file, or a value breaks its rule.
        NotFoundError: If its trainer is not installed.
    """
    path = Path(path)
    raw = _read(path)
    if not isinstance(raw.get("config"), dict) or not isinstance(raw.get("provenance"), dict):
        is_study = raw.keys() & {"search", "trial"}
        what = "a study file, not" if is_study else "not"
        raise ConfigError(
            f"{path}: {what} an exported configuration; `sweep export STUDY -o FILE` writes one"
        )
    try:
        found = Provenance.from_table(raw["provenance"])
        certificate = read_certificate(raw)
        ensemble = read_ensemble(raw, certificate.seeds if certificate else ())
        provenance = dataclasses.replace(found, certificate=certificate, ensemble=ensemble)
        return found.task.make_config(raw["config"]), provenance
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _read(path: Path) -> dict[str, Toml]:
    try:
        return read_toml(path)
    except FileNotFoundError as error:
        raise ConfigError(f"config file {path} does not exist; `sweep export STUDY` writes one") from error
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_exported_data(section: Mapping[str, Toml], provenance: Provenance) -> Any:
    """Read the data of an exported configuration.

    Data from a copy of the exported source (``task.load_copy``) keep the hash of the export, which identifies
    them in the study and its records.

    Args:
        section: The ``[data]`` section of the export, perhaps with another source.
        provenance: Origin of the configuration.

    Raises:
        DataError: If they cannot be used, or differ from the data of the export.
    """
    data = load_copy(provenance.task, section, provenance.data_sha256)
    if data.sha256 != provenance.data_sha256:
        raise DataError(
            f"{data_name(provenance.task, section)} does not hold the data of the export (sha256 "
            f"{data.sha256[:8]}…, exported {provenance.data_sha256[:8]}…); restore it or name the right file"
        )
    return data


def is_config_file(path: Path | str) -> bool:
    """Return whether a TOML file is an exported configuration rather than a study."""
    try:
        raw = read_toml(Path(path))
    except (OSError, ValueError):
        return False
    return "provenance" in raw and "search" not in raw
