"""States as bytes: exact round trips, equal bytes, and refusal of anything else."""

import numpy as np
import pytest
import safetensors.numpy

from sweep.errors import DataError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.state import TrainState, check_weights

V = 9
PLAIN = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=5, init="normal", seed=4)
HEAVY = PLAIN.replace(momentum=0.9)
ADAMW = PLAIN.replace(optimizer="adamw", hidden_layers=2)
CONFIGS = pytest.mark.parametrize("config", [PLAIN, HEAVY, ADAMW], ids=["plain", "momentum", "adamw"])


def some_state(config: TrainConfig, step: int = 17) -> TrainState:
    draw = np.random.default_rng(0)
    initial = TrainState.initial(config, V)

    def like(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: draw.standard_normal(a.shape, dtype=np.float32) for name, a in arrays.items()}

    velocity, moments = like(initial.velocity), tuple(map(like, initial.moments))
    return TrainState(step=step, parameters=initial.parameters, velocity=velocity, moments=moments)


@CONFIGS
def test_round_trip_is_bitwise(config: TrainConfig) -> None:
    """What is read is what was written: step, parameters, velocity and moments."""
    state = some_state(config, step=999_999_999)
    read = TrainState.from_bytes(state.to_bytes(), config, V)
    assert read.step == 999_999_999
    assert len(read.moments) == len(state.moments)
    pairs = [(state.parameters, read.parameters), (state.velocity, read.velocity)]
    for before, after in pairs + list(zip(state.moments, read.moments, strict=True)):
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


@CONFIGS
def test_equal_states_give_equal_bytes(config: TrainConfig) -> None:
    """The order in which parameters were put in and their layout in memory do not show."""
    state = some_state(config)
    turned = TrainState(
        step=state.step,
        parameters={name: np.asfortranarray(a) for name, a in reversed(state.parameters.items())},
        velocity=dict(reversed(state.velocity.items())),
        moments=state.moments,
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


def test_adamw_starts_from_moments_of_zero() -> None:
    """Two for each parameter; other optimizers keep none."""
    moments = TrainState.initial(ADAMW, V).moments
    assert [{name: a.shape for name, a in moment.items()} for moment in moments] == [
        ADAMW.parameter_shapes(V)
    ] * 2
    assert not any(a.any() for moment in moments for a in moment.values())
    assert TrainState.initial(HEAVY, V).moments == ()


def test_a_model_may_have_moments_that_are_not_finite() -> None:
    """Only the weights make a model."""
    state = some_state(ADAMW)
    state.moments[1]["C"][0, 0] = np.inf
    check_weights(state.to_bytes())
    state.parameters["R2"][0, 0] = np.nan
    with pytest.raises(DataError, match="not finite \\(in R2\\)"):
        check_weights(state.to_bytes())


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
    with pytest.raises(DataError, match=r"checkpoint has .* but the configuration needs"):
        TrainState.from_bytes(some_state(PLAIN).to_bytes(), config, V)


def test_state_of_another_vocabulary_or_with_unwanted_velocity_is_refused() -> None:
    """A vocabulary of another size, or a velocity without momentum, does not belong."""
    for raw, config, v in (
        (some_state(PLAIN).to_bytes(), PLAIN, V + 1),
        (some_state(HEAVY).to_bytes(), PLAIN, V),
        (some_state(ADAMW).to_bytes(), PLAIN.replace(hidden_layers=2), V),
        (some_state(PLAIN).to_bytes(), PLAIN.replace(optimizer="adamw"), V),
    ):
        with pytest.raises(DataError, match="checkpoint has"):
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
