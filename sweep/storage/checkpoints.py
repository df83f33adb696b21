"""Write, read and remove the files of trials.

While a trial runs, the folder ``STUDY/TRIAL`` contains the state after its last segment and the losses of
each segment; afterwards it contains one loss curve and, for the best trials, the final state. Files are
written before the database refers to them and removed after it no longer does, so a kill leaves at most an
extra file. Files are not synced to the disk one by one: if a power cut loses a state, its hash shows that,
and the trial starts again with the same results.
"""

import hashlib
import re

import numpy as np
import safetensors
import safetensors.numpy

from sweep.storage.folders import Folder

THINNED_POINTS = 1_000
"""Number of points of a loss curve that is not kept in full."""

CURVE = "curve.safetensors"

PACKED = "checkpoint.zip"
"""A program's checkpoint, if the study uploads checkpoints."""

_STATE = re.compile(r"state-(\d{10})\.safetensors")
_LOSSES = re.compile(r"losses-(\d{10})-(\d{10})\.safetensors")


class Checkpoints:
    """The files of one study's trials."""

    def __init__(self, folder: Folder) -> None:
        """Set the study's folder; it is not created yet."""
        self._folder = folder

    def folder(self, trial: int) -> Folder:
        """Return the folder of one trial."""
        return self._folder / f"{trial:06d}"

    def begin(self, trial: int) -> None:
        """Remove files that an earlier study of the same name left in the trial's folder."""
        self.folder(trial).clear()

    def write_segment(
        self,
        trial: int,
        first_step: int,
        until_step: int,
        state: bytes,
        losses: np.ndarray,
        *,
        steps: np.ndarray | None = None,
    ) -> None:
        """Store a segment's state and losses; ``steps`` are the steps of the losses, by default all."""
        if steps is None:
            steps = np.arange(first_step, until_step, dtype=np.int64)
        self.folder(trial).write(
            {
                f"losses-{first_step:010d}-{until_step:010d}.safetensors": _encode_curve(steps, losses),
                _state_name(until_step): state,
            }
        )

    def read_state(self, trial: int, step: int, sha256: str) -> bytes | None:
        """Return a stored state, or None if it is missing or damaged."""
        state = self.folder(trial).read(_state_name(step))
        return state if state is not None and hashlib.sha256(state).hexdigest() == sha256 else None

    def read_curve(self, trial: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the stored (steps, training losses) of a trial."""
        folder = self.folder(trial)
        return _read_curve(folder, folder.names())

    def drop_states_before(self, trial: int, step: int) -> None:
        """Remove the states before ``step``."""
        folder = self.folder(trial)
        folder.remove([name for name in _matching(folder.names(), _STATE) if name < _state_name(step)])

    def drop_segments_after(self, trial: int, step: int) -> None:
        """Remove segments after ``step``, which the database lacks; all for ``step`` 0."""
        folder = self.folder(trial)
        ends = {name: _end(name) for name in folder.names()}
        folder.remove([name for name, end in ends.items() if end is not None and end > step])

    def close(self, trial: int, *, keep: bool) -> None:
        """Merge a finished trial's segments into one curve; may be called repeatedly.

        Args:
            trial: The trial's number.
            keep: Whether to keep the final state and every point of the curve.
        """
        folder = self.folder(trial)
        names = folder.names()
        parts, states = _matching(names, _LOSSES), _matching(names, _STATE)
        if not parts and len(states) <= keep:  # as it is left: a state is removed after its curve is written
            return
        steps, losses = _read_curve(folder, names)
        chosen = _thinned(len(steps)) if not keep else slice(None)
        if len(steps) and (parts or len(steps[chosen]) < len(steps)):
            folder.write({CURVE: _encode_curve(steps[chosen], losses[chosen])})
        folder.remove([*parts, *(states[:-1] if keep else states)])

    def remove(self) -> None:
        """Remove the files of all trials; the driver's lock stays, because it is being held."""
        self._folder.clear()


def _state_name(step: int) -> str:
    return f"state-{step:010d}.safetensors"


def _end(name: str) -> int | None:
    """Return the last step of a segment's file, or None for another file."""
    found = _STATE.fullmatch(name) or _LOSSES.fullmatch(name)
    return int(found.groups()[-1]) if found else None


def _matching(names: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Return the matching names, in the order of their steps."""
    return [name for name in names if pattern.fullmatch(name)]


def _read_curve(folder: Folder, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve in some files of a trial; empty if a file is damaged."""
    wanted = [CURVE] if CURVE in names else _matching(names, _LOSSES)
    try:
        parts = [_decode_curve(folder.read(name) or b"") for name in wanted]
    except (KeyError, safetensors.SafetensorError):
        parts = []
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    steps, losses = (np.concatenate(column) for column in zip(*parts, strict=True))
    return steps, losses


def _thinned(n: int) -> np.ndarray:
    """Return evenly spaced indices below ``n``, including the first and last."""
    return np.unique(np.linspace(0, n - 1, min(n, THINNED_POINTS)).round().astype(np.int64))


def _encode_curve(steps: np.ndarray, losses: np.ndarray) -> bytes:
    return safetensors.numpy.save({"step": np.ascontiguousarray(steps), "loss": np.ascontiguousarray(losses)})


def _decode_curve(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    tensors = safetensors.numpy.load(raw)
    return tensors["step"], tensors["loss"]
