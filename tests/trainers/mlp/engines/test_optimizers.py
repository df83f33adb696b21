"""AdamW, residual layers and dropout in the engines of the CPU.

The oracle is written here from the equations in float64: the optimizer by hand, the mask with Python's whole
numbers, and torch for the derivatives alone.
"""

import hashlib
from typing import Any

import numpy as np
import pytest
import torch

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import ENGINES
from sweep.trainers.mlp.evaluation import split_loss
from sweep.trainers.mlp.randomness import minibatch_indices
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples, merge_examples
from tests.support.engine_states import assert_equal_states, small_examples

RATES = np.array([0.1, 0.05], np.float32)
SMALL: dict[str, Any] = {"block_size": 2, "embedding_dim": 5, "hidden_neurons": 21, "batch_size": 7}
ADAMW: dict[str, Any] = {"optimizer": "adamw", "beta2": 0.9, "weight_decay": 0.1, "epsilon": 0.01}
"""If epsilon is small, the first step depends on the sign of a gradient alone and is not continuous in it."""

KNOBS: dict[str, dict[str, Any]] = {
    "adamw": ADAMW,
    "two layers": {"hidden_layers": 2},
    "four layers, decay": {"hidden_layers": 4, "weight_decay": 0.01, "momentum": 0.5},
    "dropout": {"dropout": 0.3},
    "adamw, three layers, dropout": {**ADAMW, "hidden_layers": 3, "dropout": 0.2},
    "whole vectors": {**ADAMW, "hidden_layers": 2, "dropout": 0.5, "hidden_neurons": 32, "batch_size": 16},
    "one of everything": {**ADAMW, "hidden_layers": 2, "hidden_neurons": 1, "embedding_dim": 1},
}

M64, M32 = 2**64 - 1, 2**32 - 1


def is_kept(config: TrainConfig, step: int, layer: int, b: int, unit: int) -> bool:
    """Hash a unit's place with Python's whole numbers."""
    row = (step * config.hidden_layers + layer - 1) * config.batch_size + b
    key = int.from_bytes(hashlib.sha256(f"dropout/{config.seed}".encode()).digest()[:8], "big")
    z = (key + (row + 1) * 0x9E3779B97F4A7C15) & M64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
    z ^= z >> 31
    x = ((z >> 32) + unit * 0x9E3779B9) & M32
    x = (((x ^ (x >> 16)) * 0x7FEB352D) & M32) ^ (z & M32)
    x = ((x ^ (x >> 15)) * 0x846CA68B) & M32
    return (x ^ (x >> 16)) >= config.dropout * 2**32


def masked(units: torch.Tensor, config: TrainConfig, step: int, layer: int) -> torch.Tensor:
    B, H = units.shape
    kept = [[is_kept(config, step, layer, b, unit) for unit in range(H)] for b in range(B)]
    return units * torch.tensor(kept, dtype=torch.float64) / (1 - config.dropout)


def loss_of(p: dict[str, torch.Tensor], config: TrainConfig, examples: Examples, step: int) -> torch.Tensor:
    key, n = stream_key(config.seed, "batch"), len(examples.targets)
    rows = minibatch_indices(key, step, 1, config.batch_size, n)[0]
    x, y = (torch.from_numpy(a[rows].astype(np.int64)) for a in (examples.contexts, examples.targets))
    h = masked(torch.tanh(p["C"][x].reshape(len(rows), -1) @ p["W1"] + p["b1"]), config, step, 1)
    for layer in range(2, config.hidden_layers + 1):
        units = torch.tanh(h @ p[f"R{layer}"] + p[f"r{layer}"])
        h = h + masked(units, config, step, layer)
    log_p = torch.log_softmax(h @ p["W2"] + p["b2"], dim=1)
    return -log_p[torch.arange(len(rows)), y].mean()


def oracle(
    config: TrainConfig, examples: Examples, state: TrainState, rates: np.ndarray
) -> tuple[dict[str, np.ndarray], list[float]]:
    """Take steps from the equations in float64."""
    p = {name: torch.tensor(a, dtype=torch.float64).requires_grad_() for name, a in state.parameters.items()}
    m, v = ({name: torch.zeros_like(a, requires_grad=False) for name, a in p.items()} for _ in range(2))
    losses = []
    for n, rate in enumerate(map(float, rates), 1):
        loss = loss_of(p, config, examples, state.step + n - 1)
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for (name, a), g in zip(p.items(), gradients, strict=True):
                decay = config.weight_decay if name[0] in "WR" else 0.0
                if config.optimizer == "adamw":
                    m[name] = config.beta1 * m[name] + (1 - config.beta1) * g
                    v[name] = config.beta2 * v[name] + (1 - config.beta2) * g * g
                    mean, square = m[name] / (1 - config.beta1**n), v[name] / (1 - config.beta2**n)
                    a.copy_((1 - rate * decay) * a - rate * mean / (square.sqrt() + config.epsilon))
                else:
                    m[name] = config.momentum * m[name] + g + decay * a
                    a.sub_(rate * m[name])
    return {name: a.detach().numpy() for name, a in p.items()}, losses


@pytest.fixture(params=["autograd", "fused"])
def engine(request):
    return ENGINES[request.param]


@pytest.mark.parametrize("knobs", KNOBS.values(), ids=KNOBS)
def test_agrees_with_the_equations(engine, knobs):
    """After one and two steps every number is within 2e-6 of the oracle's."""
    config = TrainConfig(**SMALL | knobs)
    examples, state = small_examples(config.block_size), TrainState.initial(config, 27)
    for steps in (1, 2):
        expected, expected_losses = oracle(config, examples, state, RATES[:steps])
        after, losses = engine(config, examples, state, RATES[:steps], "cpu")
        np.testing.assert_allclose(losses, expected_losses, rtol=1e-6, atol=1e-6)
        assert list(after.parameters) == list(expected)
        for name, array in after.parameters.items():
            assert array.dtype == np.float32
            np.testing.assert_allclose(array, expected[name], rtol=1e-6, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("knobs", KNOBS.values(), ids=KNOBS)
def test_the_reference_is_exact_in_float64(knobs):
    """A step from a state in float64 is within 1e-9 of the oracle's, with AdamW's usual epsilon too."""
    for epsilon in (0.01, 1e-8):
        config = TrainConfig(**SMALL | knobs | {"epsilon": epsilon})
        examples, start = small_examples(config.block_size), TrainState.initial(config, 27)
        arrays = [start.parameters, start.velocity, *start.moments]
        parameters, velocity, *moments = (
            {name: array.astype(np.float64) for name, array in group.items()} for group in arrays
        )
        state = TrainState(step=0, parameters=parameters, velocity=velocity, moments=tuple(moments))
        expected, _ = oracle(config, examples, state, RATES[:1])
        after, _ = ENGINES["autograd"](config, examples, state, RATES[:1], "cpu")
        for name, array in after.parameters.items():
            np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("knobs", KNOBS.values(), ids=KNOBS)
def test_numbers_do_not_depend_on_where_a_run_is_cut(engine, knobs):
    """One call, and many of uneven length with the state stored between them, are bitwise the same."""
    config = TrainConfig(**SMALL | knobs)
    examples, start = small_examples(config.block_size), TrainState.initial(config, 27)
    rates = np.linspace(0.05, 0.001, 40, dtype=np.float32)
    whole, whole_losses = engine(config, examples, start, rates, "cpu")
    state, losses = start, []
    for part in np.split(rates, [1, 2, 13, 13, 30]):
        state, of_part = engine(config, examples, state, part, "cpu")
        state = TrainState.from_bytes(state.to_bytes(), config, 27)
        losses.append(of_part)
    assert_equal_states(state, whole)
    np.testing.assert_array_equal(np.concatenate(losses), whole_losses)


def test_the_engines_train_alike():
    """Three hundred steps of three layers with AdamW and dropout agree to 1e-3 in every loss."""
    knobs = {"optimizer": "adamw", "hidden_layers": 3, "dropout": 0.1, "weight_decay": 0.1, "epsilon": 1e-4}
    config = TrainConfig(**SMALL | knobs)
    examples, state = small_examples(config.block_size), TrainState.initial(config, 27)
    rates = np.full(300, 0.002, np.float32)
    (_, one), (_, other) = (ENGINES[e](config, examples, state, rates, "cpu") for e in ("autograd", "fused"))
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert one[-50:].mean() < one[:50].mean() - 0.1


def test_leaves_its_arguments_unchanged(engine):
    """State and moments are as before, and the new state shares no memory with the old."""
    config = TrainConfig(**SMALL | KNOBS["adamw, three layers, dropout"])
    state = TrainState.initial(config, 27)
    before = state.to_bytes()
    after, _ = engine(config, small_examples(2), state, RATES, "cpu")
    assert state.to_bytes() == before
    for old, new in zip((state.parameters, *state.moments), (after.parameters, *after.moments), strict=True):
        assert not any(np.shares_memory(old[name], new[name]) for name in old)


def test_a_symbol_that_is_absent_moves_by_its_moments(engine):
    """No lazy update: its embedding changes in a step in which no example has the symbol."""
    config = TrainConfig(**SMALL | {"optimizer": "adamw", "batch_size": 1})
    examples, state = small_examples(2), TrainState.initial(config, 27)
    first, _ = engine(config, examples, state, RATES[:1], "cpu")
    second, _ = engine(config, examples, first, RATES[:1], "cpu")
    drawn = minibatch_indices(stream_key(0, "batch"), 0, 2, 1, len(examples.targets))
    present, later = (set(examples.contexts[rows[0]].tolist()) for rows in drawn)
    absent = sorted(present - later)
    assert absent
    assert (first.parameters["C"][absent] != second.parameters["C"][absent]).any(axis=1).all()


def test_depth_starts_as_the_identity_and_little_more():
    """Three layers begin with all but the loss of one, and with its parameters."""
    one, three = (TrainConfig(init="normal", hidden_layers=n) for n in (1, 3))
    shallow, deep = (TrainState.initial(config, 27).parameters for config in (one, three))
    for name, array in shallow.items():
        np.testing.assert_array_equal(array, deep[name])
    merged = merge_examples(small_examples(3))
    losses = [split_loss(parameters, merged) for parameters in (shallow, deep)]
    assert losses[0] != losses[1]
    assert abs(losses[0] - losses[1]) < 0.1 * losses[0]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_residual_parameter_that_is_not_a_number_reaches_the_loss(engine):
    """NaN in a further layer shows."""
    config = TrainConfig(**SMALL | {"hidden_layers": 3})
    for name in ("R2", "r3"):
        state = TrainState.initial(config, 27)
        state.parameters[name].flat[0] = np.nan
        _, losses = engine(config, small_examples(2), state, RATES, "cpu")
        assert np.isnan(losses).all()
