"""Which files belong to a trial?

``<database>.d/<study>/<trial>/`` holds, while the trial runs, the state after its last segment
and each segment's losses; afterwards one loss curve and, for the best trials, the final state.
Files are written before the database speaks of them and removed after it no longer does, so a
kill at any moment leaves at most a file too many. They are not pushed to the disk one by one: should
a power cut lose a state, its hash tells, and the trial starts again with the same numbers.
"""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from sweep.search.files import TEMPORARY, write_all_atomically

THINNED_POINTS = 1_000
"""Points of a loss curve that is not kept in full."""

CURVE = "curve.safetensors"

_STATE = re.compile(r"state-(\d{10})\.safetensors")
_LOSSES = re.compile(r"losses-(\d{10})-(\d{10})\.safetensors")


class Checkpoints:
    """The files of one study's trials."""

    def __init__(self, folder: Path) -> None:
        """Take ``folder`` as the study's; nothing is made yet."""
        self._folder = folder

    def folder(self, trial: int) -> Path:
        """Return the folder of one trial."""
        return self._folder / f"{trial:06d}"

    def begin(self, trial: int) -> None:
        """Remove what another study of that name left where a new trial will write."""
        if self.folder(trial).is_dir():
            shutil.rmtree(self.folder(trial))

    def write_segment(
        self, trial: int, first_step: int, until_step: int, state: bytes, losses: np.ndarray
    ) -> None:
        """Store a segment's state and losses."""
        folder = self.folder(trial)
        folder.mkdir(parents=True, exist_ok=True)
        steps = np.arange(first_step, until_step, dtype=np.int64)
        write_all_atomically(
            folder,
            {
                f"losses-{first_step:010d}-{until_step:010d}.safetensors": _encode_curve(steps, losses),
                f"state-{until_step:010d}.safetensors": state,
            },
            push=False,
        )

    def read_state(self, trial: int, step: int, sha256: str) -> bytes | None:
        """Return a stored state, or None where it is missing or not what was stored."""
        try:
            state = (self.folder(trial) / f"state-{step:010d}.safetensors").read_bytes()
        except FileNotFoundError:
            return None
        return state if hashlib.sha256(state).hexdigest() == sha256 else None

    def read_curve(self, trial: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (steps, training losses) of a trial, as far as they are stored."""
        folder = self.folder(trial)
        try:
            if (folder / CURVE).exists():
                return _decode_curve((folder / CURVE).read_bytes())
            parts = [_decode_curve(path.read_bytes()) for path in _matching(folder, _LOSSES)]
        except (OSError, KeyError, safetensors.SafetensorError):
            parts = []
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        steps, losses = (np.concatenate(column) for column in zip(*parts, strict=True))
        return steps, losses

    def drop_states_before(self, trial: int, step: int) -> None:
        """Remove states that a later one has replaced."""
        for path in _matching(self.folder(trial), _STATE):
            if int(_STATE.fullmatch(path.name)[1]) < step:  # type: ignore[index]
                path.unlink(missing_ok=True)

    def drop_segments_after(self, trial: int, step: int) -> None:
        """Remove segments that the database does not know of, or all for ``step`` 0."""
        for pattern in (_STATE, _LOSSES):
            for path in _matching(self.folder(trial), pattern):
                if int(pattern.fullmatch(path.name).groups()[-1]) > step:  # type: ignore[union-attr]
                    path.unlink(missing_ok=True)
        self._sweep_up(self.folder(trial))

    def close(self, trial: int, *, keep: bool) -> None:
        """Turn a finished trial's segments into one curve; may be called again at any time.

        Args:
            trial: Its number.
            keep: Whether the final state and every point of the curve stay.
        """
        folder = self.folder(trial)
        if not folder.is_dir():
            return
        self._sweep_up(folder)
        parts = _matching(folder, _LOSSES)
        steps, losses = self.read_curve(trial)
        chosen = _thinned(len(steps)) if not keep else slice(None)
        if len(steps) and (parts or len(steps[chosen]) < len(steps)):
            curve = {CURVE: _encode_curve(steps[chosen], losses[chosen])}
            write_all_atomically(folder, curve, push=False)
        for path in parts:
            path.unlink(missing_ok=True)
        states = _matching(folder, _STATE)
        for path in states[:-1] if keep else states:
            path.unlink(missing_ok=True)

    def _sweep_up(self, folder: Path) -> None:
        """Remove what a kill in mid-write left."""
        for path in folder.glob(f"{TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the files of all trials; the study's lock stays behind, since it is being held."""
        for folder in [path for path in self._folder.iterdir() if path.is_dir() and not path.is_symlink()]:
            shutil.rmtree(folder)

    def rename(self, name: str) -> None:
        """Follow the study to its new name; its lock stays behind, since it is being held."""
        target = self._folder.with_name(name)
        target.mkdir(exist_ok=True)
        for folder in [path for path in self._folder.iterdir() if path.is_dir()]:
            if (target / folder.name).exists():  # left over from a study that is no longer stored
                shutil.rmtree(target / folder.name)
            folder.rename(target / folder.name)


def _matching(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    """Return the files with such names, in the order of their steps."""
    return sorted(path for path in folder.glob("*.safetensors") if pattern.fullmatch(path.name))


def _thinned(n: int) -> np.ndarray:
    """Return evenly spaced places among ``n``, the first and last included."""
    return np.unique(np.linspace(0, n - 1, min(n, THINNED_POINTS)).round().astype(np.int64))


def _encode_curve(steps: np.ndarray, losses: np.ndarray) -> bytes:
    return safetensors.numpy.save({"step": np.ascontiguousarray(steps), "loss": np.ascontiguousarray(losses)})


def _decode_curve(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    tensors = safetensors.numpy.load(raw)
    return tensors["step"], tensors["loss"]
