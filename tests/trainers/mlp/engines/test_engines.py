"""The contract of an engine, for every entry of ENGINES.

The oracle is written here in plain PyTorch from the equations of the model, and shares no code
with the engines.
"""

import dataclasses

import numpy as np
import pytest
import torch

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import DEFAULT_ENGINE, ENGINES
from sweep.trainers.mlp.randomness import minibatch_indices
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples
from tests.support.engine_states import assert_equal_states, small_examples

RATES = np.array([0.1, 0.05], np.float32)

SHAPES = {
    "typical": {"block_size": 3, "embedding_dim": 6, "hidden_neurons": 200},
    "one of everything": {"block_size": 1, "embedding_dim": 1, "hidden_neurons": 1, "batch_size": 1},
    "odd sizes": {"block_size": 2, "embedding_dim": 7, "hidden_neurons": 33, "batch_size": 5},
    "batch of one": {"block_size": 3, "embedding_dim": 4, "hidden_neurons": 17, "batch_size": 1},
    "long context": {"block_size": 8, "embedding_dim": 17, "hidden_neurons": 48, "batch_size": 40},
    "whole vectors": {"block_size": 2, "embedding_dim": 16, "hidden_neurons": 64, "batch_size": 16},
    "weight decay": {"weight_decay": 0.01, "hidden_neurons": 50},
    "momentum": {"momentum": 0.9, "hidden_neurons": 50},
    "both": {"weight_decay": 0.01, "momentum": 0.5, "hidden_neurons": 50},
    "normal init": {"init": "normal", "embedding_dim": 3, "hidden_neurons": 10},
}


def oracle(
    config: TrainConfig, examples: Examples, state: TrainState, rates: np.ndarray
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], list[float]]:
    """Take SGD steps with torch.optim.SGD in float64, from the equations."""
    p = {name: torch.tensor(a, dtype=torch.float64).requires_grad_() for name, a in state.parameters.items()}
    groups = [
        {"params": [p["W1"], p["W2"]], "weight_decay": config.weight_decay},
        {"params": [p["C"], p["b1"], p["b2"]], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.SGD(groups, lr=1.0, momentum=config.momentum)
    drawn = minibatch_indices(
        stream_key(config.seed, "batch"), state.step, len(rates), config.batch_size, len(examples.targets)
    )
    losses = []
    for rows, rate in zip(drawn, rates, strict=True):
        x = torch.from_numpy(examples.contexts[rows].astype(np.int64))
        y = torch.from_numpy(examples.targets[rows].astype(np.int64))
        hidden = torch.tanh(p["C"][x].reshape(len(rows), -1) @ p["W1"] + p["b1"])
        log_p = torch.log_softmax(hidden @ p["W2"] + p["b2"], dim=1)
        loss = -log_p[torch.arange(len(rows)), y].mean()
        optimiser.zero_grad()
        loss.backward()
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        optimiser.step()
        losses.append(loss.item())
    velocity = {name: optimiser.state[a].get("momentum_buffer") for name, a in p.items()}
    return p, velocity, losses


@pytest.fixture(params=ENGINES)
def engine(request):
    return ENGINES[request.param]


@pytest.mark.parametrize("n_symbols", [27, 300], ids=["bytes", "two bytes a symbol"])
@pytest.mark.parametrize("knobs", SHAPES.values(), ids=SHAPES)
def test_agrees_with_plain_pytorch(engine, knobs, n_symbols):
    """After one and two steps every number is within 1e-6 of the oracle's (2e-6 where it is above 1)."""
    config = TrainConfig(**knobs)
    examples = small_examples(config.block_size, n_symbols)
    assert examples.contexts.dtype == (np.uint8 if n_symbols < 256 else np.uint16)
    state = TrainState.initial(config, n_symbols)
    for steps in (1, 2):
        expected, velocity, expected_losses = oracle(config, examples, state, RATES[:steps])
        after, losses = engine(config, examples, state, RATES[:steps], "cpu")
        assert after.step == steps
        assert losses.dtype == np.float32
        np.testing.assert_allclose(losses, expected_losses, rtol=1e-6, atol=1e-6)
        for name, array in after.parameters.items():
            assert array.dtype == np.float32
            target = expected[name].detach().numpy()
            np.testing.assert_allclose(array, target, rtol=1e-6, atol=1e-6, err_msg=name)
        for name, array in after.velocity.items():
            np.testing.assert_allclose(array, velocity[name].numpy(), rtol=1e-5, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("knobs", [{}, {"weight_decay": 0.01, "momentum": 0.9}], ids=["plain", "all on"])
def test_numbers_do_not_depend_on_where_a_run_is_cut(engine, knobs):
    """One call, and many calls of uneven length, give bitwise the same state and losses."""
    config = TrainConfig(hidden_neurons=21, embedding_dim=5, batch_size=7, **knobs)
    examples = small_examples(config.block_size)
    rates = np.linspace(0.2, 0.01, 60, dtype=np.float32)
    start = TrainState.initial(config, 27)
    whole, whole_losses = engine(config, examples, start, rates, "cpu")
    state, losses = start, []
    for part in np.split(rates, [1, 2, 17, 17, 40]):
        state, of_part = engine(config, examples, state, part, "cpu")
        losses.append(of_part)
    assert_equal_states(state, whole)
    np.testing.assert_array_equal(np.concatenate(losses), whole_losses)


def test_cut_state_survives_being_stored(engine):
    """A state written and read back continues with the same numbers."""
    config = TrainConfig(hidden_neurons=21, batch_size=7, momentum=0.9)
    examples = small_examples(config.block_size)
    half, _ = engine(config, examples, TrainState.initial(config, 27), RATES, "cpu")
    stored = TrainState.from_bytes(half.to_bytes(), config, 27)
    assert_equal_states(
        engine(config, examples, stored, RATES, "cpu")[0], engine(config, examples, half, RATES, "cpu")[0]
    )


def test_leaves_its_arguments_unchanged(engine):
    """State, examples and rates are as before; the new state shares no memory with the old."""
    config = TrainConfig(hidden_neurons=16, momentum=0.9, weight_decay=0.1)
    examples, state, rates = small_examples(3), TrainState.initial(config, 27), RATES.copy()
    before, contexts, targets = state.to_bytes(), examples.contexts.copy(), examples.targets.copy()
    after, _ = engine(config, examples, state, rates, "cpu")
    assert state.to_bytes() == before
    np.testing.assert_array_equal(examples.contexts, contexts)
    np.testing.assert_array_equal(examples.targets, targets)
    np.testing.assert_array_equal(rates, RATES)
    for name, array in after.parameters.items():
        assert not np.shares_memory(array, state.parameters[name])


def test_no_steps_change_nothing(engine):
    """An empty segment returns the state as it was and no losses."""
    config = TrainConfig(hidden_neurons=16, momentum=0.9)
    state = TrainState.initial(config, 27)
    after, losses = engine(config, small_examples(3), state, RATES[:0], "cpu")
    assert_equal_states(after, state)
    assert losses.shape == (0,)


def test_learning_rate_zero_changes_no_parameter(engine):
    """Steps at rate 0 are counted and their losses reported, but nothing moves."""
    config = TrainConfig(hidden_neurons=16, weight_decay=0.1)
    state = TrainState.initial(config, 27)
    after, losses = engine(config, small_examples(3), state, np.zeros(3, np.float32), "cpu")
    assert_equal_states(after, dataclasses.replace(state, step=3))
    assert np.isfinite(losses).all()


def test_draws_the_minibatches_of_minibatch_indices(engine):
    """With zero weights only b2 moves, and shows which targets each step drew."""
    config = TrainConfig(hidden_neurons=1, embedding_dim=1, batch_size=16, seed=3)
    examples = small_examples(3)
    state = TrainState.initial(config, 27)
    state = dataclasses.replace(
        state, step=2**40, parameters={name: np.zeros_like(array) for name, array in state.parameters.items()}
    )
    after, _ = engine(config, examples, state, np.ones(1, np.float32), "cpu")
    drawn = minibatch_indices(stream_key(3, "batch"), 2**40, 1, 16, len(examples.targets))[0]
    counts = np.bincount(examples.targets[drawn], minlength=27)
    np.testing.assert_allclose(after.parameters["b2"], counts / 16 - 1 / 27, atol=1e-7)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("knobs", [{}, {"init": "normal", "momentum": 0.9}], ids=["plain", "momentum"])
def test_divergence_ends_in_a_loss_that_is_huge_or_not_finite(engine, knobs):
    """A learning rate of a million neither raises nor hangs, and cannot pass for a good result."""
    config = TrainConfig(hidden_neurons=20, learning_rate=1e6, **knobs)
    rates = np.full(200, 1e6, np.float32)
    _, losses = engine(config, small_examples(3), TrainState.initial(config, 27), rates, "cpu")
    assert not losses[-20:].mean() < 100


@pytest.mark.parametrize("name", ["C", "W1", "b1", "W2", "b2"])
def test_a_parameter_that_is_not_a_number_reaches_the_loss(engine, name):
    """NaN in any parameter that a batch uses shows in its loss."""
    config = TrainConfig(hidden_neurons=20, batch_size=64)
    state = TrainState.initial(config, 27)
    state.parameters[name].flat[0] = np.nan
    _, losses = engine(config, small_examples(3), state, RATES, "cpu")
    assert np.isnan(losses[-1])


@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_thousand_steps_stay_within_float_order_of_the_reference(engine_name):
    """Rounding differs, the training does not: losses agree to 1e-4 all the way."""
    config = TrainConfig(hidden_neurons=40, embedding_dim=6, batch_size=16)
    examples, state = small_examples(3), TrainState.initial(config, 27)
    rates = np.full(1_000, 0.1, np.float32)
    _, expected = ENGINES["autograd"](config, examples, state, rates, "cpu")
    _, losses = ENGINES[engine_name](config, examples, state, rates, "cpu")
    np.testing.assert_allclose(losses, expected, atol=1e-4)


def test_the_default_engines_exist():
    """Every device's default is an entry of ENGINES."""
    assert set(DEFAULT_ENGINE.values()) <= set(ENGINES)
