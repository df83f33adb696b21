"""States as bytes: exact round trips, equal bytes, and refusal of anything else."""

import numpy as np
import pytest
import safetensors.numpy

from sweep.errors import DataError
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.state import TrainState

V = 9
PLAIN = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=5, init="normal", seed=4)
HEAVY = PLAIN.replace(momentum=0.9)


def some_state(config: TrainConfig, step: int = 17) -> TrainState:
    draw = np.random.default_rng(0)
    initial = TrainState.initial(config, V)
    velocity = {
        name: draw.standard_normal(array.shape, dtype=np.float32) for name, array in initial.velocity.items()
    }
    return TrainState(step=step, parameters=initial.parameters, velocity=velocity)


@pytest.mark.parametrize("config", [PLAIN, HEAVY], ids=["plain", "momentum"])
def test_round_trip_is_bitwise(config: TrainConfig) -> None:
    """What is read is what was written: step, parameters and velocity."""
    state = some_state(config, step=999_999_999)
    read = TrainState.from_bytes(state.to_bytes(), config, V)
    assert read.step == 999_999_999
    for kind in ("parameters", "velocity"):
        before, after = getattr(state, kind), getattr(read, kind)
        assert list(before) == list(after)
        for name in before:
            assert after[name].dtype == np.float32
            assert after[name].shape == before[name].shape
            assert after[name].tobytes() == before[name].tobytes()


def test_nan_and_infinity_survive() -> None:
    """A diverged state goes through like any other."""
    state = some_state(PLAIN)
    state.parameters["b1"][:2] = [np.nan, -np.inf]
    read = TrainState.from_bytes(state.to_bytes(), PLAIN, V)
    assert read.parameters["b1"].tobytes() == state.parameters["b1"].tobytes()


@pytest.mark.parametrize("config", [PLAIN, HEAVY], ids=["plain", "momentum"])
def test_equal_states_give_equal_bytes(config: TrainConfig) -> None:
    """The order in which parameters were put in and their layout in memory do not show."""
    state = some_state(config)
    turned = TrainState(
        step=state.step,
        parameters={name: np.asfortranarray(a) for name, a in reversed(state.parameters.items())},
        velocity=dict(reversed(state.velocity.items())),
    )
    assert turned.to_bytes() == state.to_bytes()
    assert TrainState.from_bytes(state.to_bytes(), config, V).to_bytes() == state.to_bytes()


def test_different_states_give_different_bytes() -> None:
    """Another step, another bit: other bytes."""
    raw = some_state(PLAIN).to_bytes()
    assert some_state(PLAIN, step=18).to_bytes() != raw
    changed = some_state(PLAIN)
    changed.parameters["b2"][0] = np.nextafter(changed.parameters["b2"][0], np.float32(2))
    assert changed.to_bytes() != raw


def test_initial_state_has_no_velocity_without_momentum() -> None:
    """Momentum starts from zeros; without it nothing is kept."""
    assert TrainState.initial(PLAIN, V).velocity == {}
    heavy = TrainState.initial(HEAVY, V)
    assert heavy.step == 0
    assert {name: a.shape for name, a in heavy.velocity.items()} == HEAVY.parameter_shapes(V)
    assert not any(a.any() for a in heavy.velocity.values())


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_cut_files_are_refused(share: float) -> None:
    """A file of which the end is missing is no state."""
    raw = some_state(PLAIN).to_bytes()
    with pytest.raises(DataError, match="checkpoint cannot be read"):
        TrainState.from_bytes(raw[: int(len(raw) * share)], PLAIN, V)


@pytest.mark.parametrize("raw", [b"\0" * 64, b"garbage" * 100, b"\xff" * 1_000, b"{}", b"SQLite format 3\0"])
def test_garbage_is_refused(raw: bytes) -> None:
    """Bytes of another kind are no state."""
    with pytest.raises(DataError, match="checkpoint cannot be read"):
        TrainState.from_bytes(raw, PLAIN, V)


@pytest.mark.parametrize(
    "config",
    [PLAIN.replace(hidden_neurons=6), PLAIN.replace(block_size=3), PLAIN.replace(embedding_dim=2), HEAVY],
)
def test_state_of_another_configuration_is_refused(config: TrainConfig) -> None:
    """Shapes and tensors must be those that the configuration needs."""
    with pytest.raises(DataError, match=r"checkpoint holds .* but the configuration needs"):
        TrainState.from_bytes(some_state(PLAIN).to_bytes(), config, V)


def test_state_of_another_vocabulary_or_with_unwanted_velocity_is_refused() -> None:
    """A vocabulary of another size, or a velocity without momentum, does not belong."""
    for raw, config, v in (
        (some_state(PLAIN).to_bytes(), PLAIN, V + 1),
        (some_state(HEAVY).to_bytes(), PLAIN, V),
    ):
        with pytest.raises(DataError, match="checkpoint holds"):
            TrainState.from_bytes(raw, config, v)


@pytest.mark.parametrize(
    "change",
    [
        {"W1": np.zeros((6, 5), np.float64)},
        {"b2": np.zeros(V, np.int32)},
        {"extra": np.zeros(1, np.float32)},
        {"step": np.array([1.5], np.float32)},
        {"step": np.array([1, 2], np.int64)},
        {"step": np.zeros(0, np.int64)},
        {"step": np.array([-1], np.int64)},
        {"step": None},
        {"C": None},
    ],
    ids=lambda change: "-".join(f"{k} {None if v is None else v.dtype}" for k, v in change.items()),
)
def test_wrong_tensors_are_refused(change: dict[str, np.ndarray | None]) -> None:
    """Another type, an extra or missing tensor, or a step that is none, is refused."""
    tensors = safetensors.numpy.load(some_state(PLAIN).to_bytes()) | change
    raw = safetensors.numpy.save({name: a for name, a in tensors.items() if a is not None})
    with pytest.raises(DataError, match="checkpoint"):
        TrainState.from_bytes(raw, PLAIN, V)
