"""The update kernels of the fused engine, fed with gradients from outside."""

import numpy as np
import pytest
import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines.fused_arrays import BLOCK_ROWS, zeros
from sweep.trainers.mlp.engines.fused_updates import descend, descend_product, rule_of, update_of_step

ADAMW = TrainConfig(optimizer="adamw", weight_decay=0.1, beta2=0.99)
RATE = 0.002


def matrix(draw: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    array = zeros(rows, columns)
    array[:] = draw.standard_normal((rows, columns))
    return array


def kept_beside(p: np.ndarray) -> np.ndarray:
    """Return parameters with two kept values of zero."""
    kept = zeros(3, *p.shape)
    kept[0] = p
    return kept


@pytest.mark.parametrize(("updates", "tolerance"), [(1, 1e-6), (1_000, 1e-5)])
@pytest.mark.parametrize("has_decay", [True, False], ids=["decay", "no decay"])
def test_agrees_with_torch(updates: int, tolerance: float, has_decay: bool) -> None:
    """Fed with the gradients that torch computes, for a least-squares loss; some columns have none."""
    draw = np.random.default_rng(1)
    p, inputs = matrix(draw, 5, 32), torch.from_numpy(draw.standard_normal((64, 5)).astype(np.float32))
    targets = torch.from_numpy(draw.standard_normal((64, 32)).astype(np.float32))
    kept, gradient = kept_beside(p), zeros(5, 32)
    weights = torch.nn.Parameter(torch.from_numpy(p.copy()))
    decay = ADAMW.weight_decay if has_decay else 0.0
    optimiser = torch.optim.AdamW([weights], lr=RATE, betas=(0.9, 0.99), eps=1e-8, weight_decay=decay)
    for step in range(1, updates + 1):
        optimiser.zero_grad()
        batch = slice(step % 8 * 8, step % 8 * 8 + 8)
        (inputs[batch] @ weights[:, 4:] - targets[batch, 4:]).square().mean().backward()
        gradient[:] = weights.grad.numpy()  # type: ignore[union-attr]
        optimiser.step()
        update = update_of_step(rule_of(ADAMW), np.float32(RATE), step, has_decay)
        descend(kept, 0, gradient, update)
    np.testing.assert_allclose(kept[0], weights.detach().numpy(), atol=tolerance, rtol=0)


def test_a_parameter_without_gradient_moves_by_its_moments() -> None:
    """After one gradient of 1 and then none the mean is 0.9 * 0.1, and the parameter goes on falling."""
    kept, gradient = zeros(3, 1, 16), zeros(1, 16)
    p, first, second = kept
    gradient[:] = 1
    rule = rule_of(TrainConfig(optimizer="adamw"))
    descend(kept, 0, gradient, update_of_step(rule, np.float32(RATE), 1, False))
    before, gradient[:] = p.copy(), 0
    descend(kept, 0, gradient, update_of_step(rule, np.float32(RATE), 2, False))
    np.testing.assert_allclose(first, 0.09, rtol=1e-6)
    np.testing.assert_allclose(second, 0.999 * 0.001, rtol=1e-5)
    expected = RATE * (0.09 / (1 - 0.9**2)) / ((0.999e-3 / (1 - 0.999**2)) ** 0.5 + 1e-8)
    np.testing.assert_allclose(before - p, expected, rtol=1e-4)


@pytest.mark.parametrize("rows", [1, BLOCK_ROWS, 2 * BLOCK_ROWS + 3])
@pytest.mark.parametrize("config", [ADAMW, TrainConfig(momentum=0.9, weight_decay=0.1)], ids=["adamw", "sgd"])
def test_a_product_is_descended_along_block_by_block(rows: int, config: TrainConfig) -> None:
    """It equals the update along the whole gradient, which NumPy computes in float64."""
    draw = np.random.default_rng(2)
    a, b, p = matrix(draw, 7, rows), matrix(draw, 7, 48), matrix(draw, rows + 2, 48)
    whole, gradient = kept_beside(p), (a.T.astype(np.float64) @ b).astype(np.float32)
    update = update_of_step(rule_of(config), np.float32(0.1), 1, True)
    blocks = kept_beside(p)
    descend_product(blocks, (1, rows), (a, b), zeros(BLOCK_ROWS, 48), update)
    descend(whole, 1, gradient, update)
    np.testing.assert_allclose(blocks, whole, atol=1e-5)
    assert (blocks[0, [0, -1]] == p[[0, -1]]).all(), "other rows"
    assert (blocks[0, 1:-1] != p[1:-1]).mean() > 0.99
