"""The readable reference: PyTorch's autograd and plain SGD, on any torch device."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from sweep.definition.seeds import minibatch_indices, stream_key
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.model import DECAYED, forward, to_tensors
from sweep.tasks.mlp.state import TrainState
from sweep.tasks.mlp.words.examples import Examples

_INDICES_AT_ONCE = 1 << 20
"""Examples that are drawn at a time, rounded to whole minibatches."""


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Take one SGD step for each learning rate; see ``sweep.tasks.mlp.engines`` for the contract."""
    contexts = torch.from_numpy(examples.contexts.astype(np.int32)).to(device)
    targets = torch.from_numpy(examples.targets.astype(np.int64)).to(device)
    parameters = to_tensors(state.parameters, device)
    velocity = to_tensors(state.velocity, device)
    for tensor in parameters.values():
        tensor.requires_grad_()

    key, losses = stream_key(config.seed, "batch"), []
    steps = max(1, _INDICES_AT_ONCE // config.batch_size)
    for first in range(0, len(learning_rates), steps):
        rates = learning_rates[first : first + steps].tolist()
        drawn = minibatch_indices(key, state.step + first, len(rates), config.batch_size, len(targets))
        for batch, rate in zip(torch.from_numpy(drawn).to(device), rates, strict=True):
            loss = cross_entropy(forward(parameters, contexts[batch]), targets[batch])
            _descend(parameters, velocity, loss, rate, config)
            losses.append(loss.detach())

    new_state = TrainState(
        step=state.step + len(learning_rates),
        parameters=_to_arrays(parameters),
        velocity=_to_arrays(velocity),
    )
    return new_state, _stack(losses)


@torch.no_grad()
def _descend(
    parameters: dict[str, torch.Tensor],
    velocity: dict[str, torch.Tensor],
    loss: torch.Tensor,
    rate: float,
    config: TrainConfig,
) -> None:
    """Update in place: g = dloss/dp + weight_decay p (W1, W2); v = momentum v + g; p -= rate v."""
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    for (name, parameter), gradient in zip(parameters.items(), gradients, strict=True):
        decayed = config.weight_decay and name in DECAYED
        direction = gradient.add(parameter, alpha=config.weight_decay) if decayed else gradient
        if config.momentum:
            direction = velocity[name].mul_(config.momentum).add_(direction)
        parameter.sub_(direction, alpha=rate)


def _to_arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _stack(losses: list[torch.Tensor]) -> np.ndarray:
    return torch.stack(losses).cpu().numpy() if losses else np.empty(0, np.float32)
