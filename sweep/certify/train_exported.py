"""Train an exported configuration from beginning to end, and keep the resulting files in a folder."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from sweep.certify.config_file import load_exported_data
from sweep.certify.provenance import Provenance
from sweep.certify.replay import Comparison, choose_place, train_again
from sweep.errors import MachineError, SweepError
from sweep.storage.database import machine_errors
from sweep.storage.files import write_all_atomically
from sweep.task import Config, TrainsInFolder, check_engine, spoken_length
from sweep.values import Toml

STATE = "state.safetensors"
"""File of the trained state, for trainers that write no files."""

CONFIG = "config.json"


def train_exported(
    config: Config,
    provenance: Provenance,
    folder: Path,
    *,
    section: Mapping[str, Toml],
    device: str,
    say: Callable[[str], None],
) -> Comparison:
    """Train an exported configuration and compare its value with the exported one.

    For a trainer that runs a program, ``folder`` becomes its trial folder. For other trainers, it receives
    the configuration and the trained state.

    Args:
        config: The exported configuration.
        provenance: Its origin. The caller has checked that its program may run.
        folder: A new or empty folder.
        section: The ``[data]`` section of the export, perhaps with another source.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        say: Called with a line about slow steps.

    Raises:
        SweepError: If the folder is not empty.
        DataError: If the data are not those of the export.
        MachineError: If the folder cannot be written.
    """
    task = provenance.task
    data = load_exported_data(section, provenance)
    place = choose_place(task, provenance.place, device)
    check_engine(task, place.engine, place.device)
    _make_empty(folder)
    say(f"training trial {provenance.trial} of {provenance.study!r} in {folder}{spoken_length(task, config)}")
    trained = train_again(
        task, config, data, provenance.dev_loss, place, folder=folder, study=provenance.study
    )
    if not isinstance(task, TrainsInFolder):
        with machine_errors(folder):
            _keep(folder, config, trained.state)
    return trained


def _make_empty(folder: Path) -> None:
    """Create a folder; refuse one that is not empty, so that nothing is mixed or overwritten."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    except (FileExistsError, NotADirectoryError) as error:
        raise SweepError(f"{folder} is not a folder; name another with -o") from error
    except OSError as error:
        raise MachineError(f"{folder} cannot be written: {error.strerror}") from error
    if not is_empty:
        raise SweepError(f"{folder} is not empty; name another folder with -o")


def _keep(folder: Path, config: Config, state: bytes) -> None:
    text = json.dumps(config.to_dict(), indent=1, ensure_ascii=False) + "\n"
    write_all_atomically(folder, {CONFIG: text.encode(), STATE: state}, push=False)
