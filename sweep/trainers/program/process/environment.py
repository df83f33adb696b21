"""Build the environment of a training program, and keep secrets out of stored text."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import AnyStr
from urllib.parse import unquote, urlsplit

from sweep.errors import DeviceError, StudyFileError
from sweep.storage.default_address import STORAGE_VARIABLE
from sweep.values import Toml

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables for the number of threads; set to the trial's cores unless the user has set them."""

MASKED = "***"
SHORTEST_SECRET = 4
"""Shortest secret that is masked, in characters; masking shorter ones would damage ordinary text."""

_OURS = "SWEEP_"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOKS_SECRET = re.compile(
    r"(^|_)(API|ACCESS|SECRET|PRIVATE)?KEY$|TOKEN$|PASS(WORD|WD|PHRASE)|SECRET|CREDENTIAL"
)
_DEVICE = re.compile(r"cuda(?::(\d+))?")


def child_environment(
    parent: Mapping[str, str],
    *,
    study: str,
    trial: int,
    seed: int,
    dir: Path,  # noqa: A002  the name in study files
    checkpoint: Path,
    report: Path,
    config: Path,
    resumed: bool,
    deadline: float | None,
    device: str,
    cpus: float,
    env: Mapping[str, str],
    secrets: Sequence[str],
) -> dict[str, str]:
    """Return the environment of a trial's program.

    ``parent`` is the environment of sweep itself; PGPASSWORD, and variables that begin with ``SWEEP_`` or
    contain the password of the storage's URL, are omitted. ``deadline`` is in seconds since 1970, None for
    never. ``device`` is ``cpu``, ``cuda``, ``cuda:N``, or several ``cuda:N`` separated by commas. ``env`` is
    the study's [env] and overrides all but sweep's own variables. ``secrets`` are names of variables.

    Raises:
        StudyFileError: If a secret is not set.
        DeviceError: If the device is not among those that the user's CUDA_VISIBLE_DEVICES allows.
    """
    ours = {"STUDY": study, "TRIAL": trial, "SEED": seed, "DIR": dir, "CHECKPOINT": checkpoint}
    ours |= {"REPORT": report, "CONFIG": config, "RESUMED": int(resumed)}
    ours |= {} if deadline is None else {"DEADLINE": deadline}
    child = _with_defaults(_inherited(parent, secrets), seed, cpus)
    child |= _visible(device, parent.get("CUDA_VISIBLE_DEVICES"))
    return child | {**env} | {f"{_OURS}{name}": str(value) for name, value in ours.items()}


def _with_defaults(child: dict[str, str], seed: int, cpus: float) -> dict[str, str]:
    """Add variables for unbuffered output, repeatable hashes, and one thread per core."""
    folder = str(Path(sys.executable).parent)  # to find this environment's torchrun and accelerate
    path = f"{folder}:{child['PATH']}" if child.get("PATH") else folder
    threads = {name: str(max(1, int(cpus))) for name in THREADS}
    python = {"PYTHONUNBUFFERED": "1", "PYTHONHASHSEED": str(seed % 2**32)}
    return threads | child | python | {"PATH": path}


def _inherited(parent: Mapping[str, str], secrets: Sequence[str]) -> dict[str, str]:
    """Return the parent's variables without sweep's own and the storage's password."""
    check_secrets(secrets, parent)
    password = _password(parent.get(STORAGE_VARIABLE, ""))
    return {
        name: value
        for name, value in parent.items()
        if name in secrets
        or not (name.startswith(_OURS) or name == "PGPASSWORD" or (password and password in unquote(value)))
    }


def check_secrets(secrets: Sequence[str], parent: Mapping[str, str]) -> None:
    """Refuse secrets that are not set in an environment; raises ``StudyFileError``."""
    if missing := [name for name in secrets if name not in parent]:
        raise StudyFileError(
            f"secrets names {', '.join(missing)}, which is not set in this environment; set it first"
        )


def _password(url: str) -> str | None:
    """Return a URL's password if it is long enough to mask, else None."""
    try:
        password = unquote(urlsplit(url).password or "")
    except ValueError:
        return None
    return password if len(password) >= SHORTEST_SECRET else None


def _visible(device: str, allowed: str | None) -> dict[str, str]:
    """Return CUDA_VISIBLE_DEVICES for a device, chosen among those that the user allows.

    Examples:
        >>> _visible("cuda:1", "4,GPU-8f"), _visible("cuda:0,cuda:1", None), _visible("cpu", None)
        ({'CUDA_VISIBLE_DEVICES': 'GPU-8f'}, {'CUDA_VISIBLE_DEVICES': '0,1'}, {'CUDA_VISIBLE_DEVICES': ''})
        >>> _visible("cuda", "4,5")  # a cluster has chosen
        {'CUDA_VISIBLE_DEVICES': '4,5'}
    """
    if device == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    if device == "cuda" and allowed:
        return {"CUDA_VISIBLE_DEVICES": allowed}
    parts = [_DEVICE.fullmatch(part) for part in device.split(",")]
    wanted = [int(part[1] or 0) for part in parts if part]
    if len(wanted) < len(parts):
        raise DeviceError(f"device must be cpu, cuda or cuda:N, got {device!r}")
    names = None if allowed is None else [name.strip() for name in allowed.split(",") if name.strip()]
    if names is not None and max(wanted) >= len(names):
        raise DeviceError(f"{device} is not available: CUDA_VISIBLE_DEVICES={allowed} allows {len(names)}")
    return {"CUDA_VISIBLE_DEVICES": ",".join(str(n) if names is None else names[n] for n in wanted)}


def check_env(section: Toml) -> dict[str, str]:
    """Check the section [env] of a study file; numbers become text.

    Raises:
        StudyFileError: With a line for each mistake; names that look like secrets are mistakes.
    """
    if not isinstance(section, Mapping):
        raise StudyFileError(f"env must be a section of names and texts, got {section!r}")
    mistakes = [mistake for name, value in section.items() if (mistake := _mistake(name, value))]
    if mistakes:
        raise StudyFileError(*mistakes)
    return {name: str(value) for name, value in section.items()}


def _mistake(name: str, value: Toml) -> str | None:
    """Return the error of one variable or None, without the value if it may be a secret."""
    if not _NAME.fullmatch(name):
        return f"env.{name!r}: a variable's name may contain only letters, digits and _"
    if name.startswith(_OURS):
        return f"env.{name}: variables that begin with {_OURS} are set by sweep; choose another name"
    if _LOOKS_SECRET.search(name.upper()):
        advice = f'set it in your shell and write secrets = ["{name}"]'
        return f"env.{name} looks like a secret, and studies are stored; {advice}"
    if type(value) not in (str, int, float) or "\0" in str(value):
        return f"env.{name} must be a text or a number, got {value!r}"
    return None


class Mask:
    """Replaces secrets in a stream of bytes, even across chunks."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Set the values to mask; those below ``SHORTEST_SECRET`` characters are ignored."""
        long = {value for value in secrets if len(value) >= SHORTEST_SECRET}
        self._secrets = sorted(
            (value.encode(errors="surrogateescape") for value in long), key=len, reverse=True
        )
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return the masked output; the beginning of a possible secret is held back."""
        if not self._secrets:
            return chunk
        chunk = self._replace(self._held + chunk)
        n = max(_overlap(chunk, secret) for secret in self._secrets)
        self._held = chunk[len(chunk) - n :]
        return chunk[: len(chunk) - n]

    def close(self) -> bytes:
        """Return the bytes held back, at the end of the stream."""
        held, self._held = self._held, b""
        return held

    def _replace(self, chunk: bytes) -> bytes:
        for secret in self._secrets:
            chunk = chunk.replace(secret, MASKED.encode())
        return chunk


def _overlap(text: AnyStr, secret: AnyStr) -> int:
    """Return the length of a text's end that is the beginning of a secret."""
    longest = min(len(text), len(secret) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(secret[:n])), 0)


def mask(text: str, secrets: Sequence[str]) -> str:
    """Replace secrets in a text, and the beginning of one at which the text was cut.

    Examples:
        >>> mask("login with abcdef: ok", ["abcdef"])
        'login with ***: ok'
        >>> mask("got 'login with abcd'", ["abcdef"])
        "got 'login with ***'"
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASKED)
            whole = text.rstrip("'\"")
            if (n := _overlap(whole, secret)) >= SHORTEST_SECRET:
                text = whole[:-n] + MASKED + text[len(whole) :]
    return text
