"""Which files belong to a trial?

The folder ``STUDY/TRIAL`` among the database's files holds, while the trial runs, the state after its
last segment and each segment's losses; afterwards one loss curve and, for the best trials, the final state.
Files are written before the database speaks of them and removed after it no longer does, so a
kill at any moment leaves at most a file too many. They are not pushed to the disk one by one: should
a power cut lose a state, its hash tells, and the trial starts again with the same numbers.
"""

import hashlib
import re

import numpy as np
import safetensors
import safetensors.numpy

from sweep.storage.folders import Folder

THINNED_POINTS = 1_000
"""Points of a loss curve that is not kept in full."""

CURVE = "curve.safetensors"

PACKED = "checkpoint.zip"
"""The checkpoint that a trial's program left, where the study asks to keep it here too."""

_STATE = re.compile(r"state-(\d{10})\.safetensors")
_LOSSES = re.compile(r"losses-(\d{10})-(\d{10})\.safetensors")


class Checkpoints:
    """The files of one study's trials."""

    def __init__(self, folder: Folder) -> None:
        """Take ``folder`` as the study's; nothing is made yet."""
        self._folder = folder

    def folder(self, trial: int) -> Folder:
        """Return the folder of one trial."""
        return self._folder / f"{trial:06d}"

    def begin(self, trial: int) -> None:
        """Remove what another study of that name left where a new trial will write."""
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
        """Store a segment's state and losses; ``steps`` are those of the losses, by default all of them."""
        if steps is None:
            steps = np.arange(first_step, until_step, dtype=np.int64)
        self.folder(trial).write(
            {
                f"losses-{first_step:010d}-{until_step:010d}.safetensors": _encode_curve(steps, losses),
                _state_name(until_step): state,
            }
        )

    def read_state(self, trial: int, step: int, sha256: str) -> bytes | None:
        """Return a stored state, or None where it is missing or not what was stored."""
        state = self.folder(trial).read(_state_name(step))
        return state if state is not None and hashlib.sha256(state).hexdigest() == sha256 else None

    def read_curve(self, trial: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (steps, training losses) of a trial, as far as they are stored."""
        folder = self.folder(trial)
        return _read_curve(folder, folder.names())

    def drop_states_before(self, trial: int, step: int) -> None:
        """Remove states that a later one has replaced."""
        folder = self.folder(trial)
        folder.remove([name for name in _matching(folder.names(), _STATE) if name < _state_name(step)])

    def drop_segments_after(self, trial: int, step: int) -> None:
        """Remove segments that the database does not know of, or all for ``step`` 0."""
        folder = self.folder(trial)
        ends = {name: _end(name) for name in folder.names()}
        folder.remove([name for name, end in ends.items() if end is not None and end > step])

    def close(self, trial: int, *, keep: bool) -> None:
        """Turn a finished trial's segments into one curve; may be called again at any time.

        Args:
            trial: Its number.
            keep: Whether the final state and every point of the curve stay.
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
        """Remove the files of all trials; who runs the study stays behind, since that is being held."""
        self._folder.clear()


def _state_name(step: int) -> str:
    return f"state-{step:010d}.safetensors"


def _end(name: str) -> int | None:
    """Return the last step of a segment's file, or None for another file."""
    found = _STATE.fullmatch(name) or _LOSSES.fullmatch(name)
    return int(found.groups()[-1]) if found else None


def _matching(names: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Return such names, in the order of their steps."""
    return [name for name in names if pattern.fullmatch(name)]


def _read_curve(folder: Folder, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the curve that some files of a trial hold; one that is damaged is empty."""
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
    """Return evenly spaced places among ``n``, the first and last included."""
    return np.unique(np.linspace(0, n - 1, min(n, THINNED_POINTS)).round().astype(np.int64))


def _encode_curve(steps: np.ndarray, losses: np.ndarray) -> bytes:
    return safetensors.numpy.save({"step": np.ascontiguousarray(steps), "loss": np.ascontiguousarray(losses)})


def _decode_curve(raw: bytes) -> tuple[np.ndarray, np.ndarray]:
    tensors = safetensors.numpy.load(raw)
    return tensors["step"], tensors["loss"]
