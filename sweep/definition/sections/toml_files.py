"""Read an untrusted TOML file."""

import tomllib
from pathlib import Path

from sweep.definition.plain import check_plain
from sweep.values import Toml


def read_toml(path: Path) -> dict[str, Toml]:
    """Read an untrusted TOML file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not TOML, or breaks a rule of ``check_plain``.
    """
    try:
        found = tomllib.loads(path.read_bytes().decode())
    except RecursionError as error:
        raise ValueError("not a TOML file: it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"not a TOML file: {error}") from error
    check_plain(found)
    return found
