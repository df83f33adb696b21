"""Read an untrusted TOML file."""

import re
import tomllib
from pathlib import Path

from sweep.definition.plain import check_plain
from sweep.values import Toml

_LONGEST = 60
"""Characters of a wrong line in a message."""


def read_toml(path: Path) -> dict[str, Toml]:
    """Read an untrusted TOML file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not TOML, or breaks a rule of ``check_plain``.
    """
    content = path.read_bytes()
    try:
        found = tomllib.loads(content.decode())
    except RecursionError as error:
        raise ValueError("not a TOML file: it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"not a TOML file: {_told(str(error), content)}") from error
    check_plain(found)
    return found


def _told(problem: str, content: bytes) -> str:
    """Return what tomllib finds wrong, with the line that it is about."""
    problem = problem.replace("Cannot overwrite a value", "the key has a value already")
    place = re.search(r"\(at line (\d+), column \d+\)", problem)
    if place is None:
        return problem
    line = content.decode().split("\n")[int(place[1]) - 1].strip()
    return f"{problem}: {line[:_LONGEST]!r}"
