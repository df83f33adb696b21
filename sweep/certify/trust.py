"""Record the programs that this user has run, and refuse to run unknown ones from a stored study.

A study file that the user names is trusted. A stored study is trusted if this user has already run its
program in the same folders. The record is stored beside the ledger of test looks.
"""

import contextlib
import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from sweep.certify.test_split.ledger import ledger_lock, ledger_path
from sweep.errors import UntrustedError
from sweep.storage.database import machine_errors
from sweep.task import GIVEN
from sweep.values import Toml

_NAME = "trusted-programs"


def remember(program: Mapping[str, Toml], surroundings: Mapping[str, Toml]) -> None:
    """Record a program that the user has named; do nothing for an installed trainer.

    Raises:
        MachineError: If the record cannot be written.
    """
    if not program or GIVEN in program or (digest := _digest(program, surroundings)) in _known():
        return
    with ledger_lock(), machine_errors(_path()), _path().open("a", encoding="ascii") as file:
        file.write(f"{digest}\n")


def check_trusted(
    study: str, program: Mapping[str, Toml], surroundings: Mapping[str, Toml], *, trust: bool = False
) -> None:
    """Refuse to run a program that this user has not run here.

    Args:
        study: The study's name.
        program: ``Defined.definition``; empty for an installed trainer, which is trusted.
        surroundings: ``Defined.surroundings``.
        trust: Whether the user trusts it now; if so, record it.

    Raises:
        UntrustedError: If the program is unknown; with the program, its folder and its hash.
    """
    if GIVEN in program:
        raise UntrustedError(
            f"study {study!r} trains the function {program[GIVEN]}, which was given from Python and is not "
            f"stored: in Python call sweep.study(name={study!r}, trainer={program[GIVEN]}, ...), and of it "
            ".run(), .confirm() or .replay()",
            key="function-not-stored",
        )
    if not program or (digest := _digest(program, surroundings)) in _known():
        return
    if trust:
        remember(program, surroundings)
        return
    what = shlex.join(program["command"]) if "command" in program else program.get("trainer", "")
    raise UntrustedError(
        f"study {study!r} would run {what} in {surroundings.get('start')}, which you have not run here "
        f"(sha256 {digest[:12]}); look at it, then pass --trust"
    )


def _digest(program: Mapping[str, Toml], surroundings: Mapping[str, Toml]) -> str:
    known = [dict(program), surroundings.get("here"), surroundings.get("start"), surroundings.get("env", {})]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _path() -> Path:
    return ledger_path().with_name(_NAME)


def _known() -> set[str]:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return set(_path().read_text(encoding="ascii").split())
    return set()
