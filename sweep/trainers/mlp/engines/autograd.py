"""Train with PyTorch's autograd, plain SGD or torch.optim.AdamW: the readable reference, on any device."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.model import DECAYED, forward, to_tensors
from sweep.trainers.mlp.randomness import first_row, kept_units, minibatch_indices
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.examples import Examples

_INDICES_AT_ONCE = 1 << 20
"""Number of examples that are drawn at a time, rounded to whole minibatches."""

Tensors = dict[str, torch.Tensor]


def train(
    config: TrainConfig, examples: Examples, state: TrainState, learning_rates: np.ndarray, device: str
) -> tuple[TrainState, np.ndarray]:
    """Train one step for each learning rate; see ``sweep.trainers.mlp.engines`` for the contract."""
    contexts = torch.from_numpy(examples.contexts.astype(np.int32)).to(device)
    targets = torch.from_numpy(examples.targets.astype(np.int64)).to(device)
    parameters = to_tensors(state.parameters, device)
    for tensor in parameters.values():
        tensor.requires_grad_()
    descent = OPTIMIZERS[config.optimizer](config, parameters, state, device)

    key = stream_key(config.seed, "batch")
    losses: list[torch.Tensor] = []
    steps = max(1, _INDICES_AT_ONCE // config.batch_size)
    for first in range(0, len(learning_rates), steps):
        rates = learning_rates[first : first + steps].tolist()
        drawn = minibatch_indices(key, state.step + first, len(rates), config.batch_size, len(targets))
        for batch, rate in zip(torch.from_numpy(drawn).to(device), rates, strict=True):
            mask = _mask(config, state.step + len(losses))
            loss = cross_entropy(forward(parameters, contexts[batch], *mask), targets[batch])
            descent.take_step(torch.autograd.grad(loss, list(parameters.values())), rate)
            losses.append(loss.detach())

    new_state = TrainState(
        step=state.step + len(learning_rates),
        parameters=_to_arrays(parameters),
        velocity=_to_arrays(descent.velocity),
        moments=tuple(map(_to_arrays, descent.moments)),
    )
    return new_state, _stack(losses)


def _mask(config: TrainConfig, step: int) -> tuple[Callable[[torch.Tensor, int], torch.Tensor], ...]:
    """Return the mask argument of ``forward`` in a step; nothing without dropout."""
    if not config.dropout:
        return ()
    key, scale = stream_key(config.seed, "dropout"), 1 / (1 - config.dropout)

    def drop(units: torch.Tensor, layer: int) -> torch.Tensor:
        first = first_row(step, layer, config.batch_size, config.hidden_layers)
        kept = kept_units(key, first, (units.shape[0], units.shape[1]), config.dropout)
        return units * torch.from_numpy(kept).to(units) * scale

    return (drop,)


class _Sgd:
    """Plain SGD, with the momentum and L2 term of ``TrainConfig``."""

    def __init__(self, config: TrainConfig, parameters: Tensors, state: TrainState, device: str) -> None:
        self._config, self._parameters = config, parameters
        self.velocity = to_tensors(state.velocity, device)
        self.moments: tuple[Tensors, ...] = ()

    @torch.no_grad()
    def take_step(self, gradients: tuple[torch.Tensor, ...], rate: float) -> None:
        """Update in place: g = dloss/dp + weight_decay p (DECAYED); v = momentum v + g; p -= rate v."""
        decay, momentum = self._config.weight_decay, self._config.momentum
        for (name, parameter), gradient in zip(self._parameters.items(), gradients, strict=True):
            decayed = decay and name in DECAYED
            direction = gradient.add(parameter, alpha=decay) if decayed else gradient
            if momentum:
                direction = self.velocity[name].mul_(momentum).add_(direction)
            parameter.sub_(direction, alpha=rate)


class _AdamW:
    """``torch.optim.AdamW``, started from the moments of a state."""

    def __init__(self, config: TrainConfig, parameters: Tensors, state: TrainState, device: str) -> None:
        self._parameters = parameters
        self.velocity: Tensors = {}
        self.moments = tuple(to_tensors(moment, device) for moment in state.moments)
        groups = [
            {
                "params": [tensor for name, tensor in parameters.items() if (name in DECAYED) is decayed],
                "weight_decay": config.weight_decay if decayed else 0.0,
            }
            for decayed in (True, False)
        ]
        self._optimizer = torch.optim.AdamW(groups, betas=(config.beta1, config.beta2), eps=config.epsilon)
        first, second = self.moments
        for name, tensor in parameters.items():
            self._optimizer.state[tensor] = {
                "step": torch.tensor(
                    state.step, dtype=torch.float64
                ),  # float32 is exact only up to 2**24 steps
                "exp_avg": first[name],
                "exp_avg_sq": second[name],
            }

    def take_step(self, gradients: tuple[torch.Tensor, ...], rate: float) -> None:
        """Update parameters and moments in place."""
        for parameter, gradient in zip(self._parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()


OPTIMIZERS: dict[str, type[_Sgd | _AdamW]] = {"sgd": _Sgd, "adamw": _AdamW}


def _to_arrays(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _stack(losses: list[torch.Tensor]) -> np.ndarray:
    return torch.stack(losses).cpu().numpy() if losses else np.empty(0, np.float32)
