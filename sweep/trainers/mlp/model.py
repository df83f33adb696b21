"""Define the model: the MLP of Bengio et al. (2003) over a context of characters.

With B batch, T block_size, D embedding_dim, H hidden_neurons and V vocabulary:

    emb    = C[X]                              (B, T, D)
    h      = tanh(emb.view(B, T*D) @ W1 + b1)  (B, H)
    logits = h @ W2 + b2                       (B, V)
    loss   = cross_entropy(logits, Y)          nats per character

Each further hidden layer comes before the logits and is residual: h = h + tanh(h @ R + r). In training with
dropout, every tanh is multiplied by a mask (``randomness.py``).

References:
    Bengio, Ducharme, Vincent, Jauvin, "A Neural Probabilistic Language Model", 2003.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.randomness import generator

DECAYED = ("W1", "W2", "R2", "R3", "R4")
"""Parameters with weight decay: the matrices of products, not C and the biases."""

RESIDUAL_GAIN = 0.1
"""A residual layer's matrix starts with standard deviation ``RESIDUAL_GAIN`` / sqrt(H), its bias with 0: the
layer adds about a tenth of its input, so that it starts close to the identity."""

_WORDS_AT_ONCE = 1_024
"""Number of words that are sampled at a time, so that the memory does not grow with the sample."""


def init_parameters(config: TrainConfig, vocabulary_size: int) -> dict[str, np.ndarray]:
    """Draw the initial parameters from the seed's ``init`` stream.

    Returns:
        Name -> float32 array. Under ``scaled`` W1 has standard deviation (5/3)/sqrt(T*D), b1
        and W2 0.01, and b2 is zero; under ``normal`` each of them is N(0, 1). Residual layers
        begin near the identity under both; see ``RESIDUAL_GAIN``.

    References:
        The gain 5/3 of tanh: He et al., "Delving Deep into Rectifiers", 2015, as PyTorch's
        ``calculate_gain`` has it.
    """
    draw = generator(config.seed, "init")
    shapes = config.parameter_shapes(vocabulary_size)
    parameters = {name: draw.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}
    if config.init == "scaled":
        fan_in = config.block_size * config.embedding_dim
        scales = {"W1": (5 / 3) / fan_in**0.5, "b1": 0.01, "W2": 0.01, "b2": 0.0}
        for name, scale in scales.items():
            parameters[name] *= np.float32(scale)
    for layer in range(2, config.hidden_layers + 1):
        parameters[f"R{layer}"] *= np.float32(RESIDUAL_GAIN / config.hidden_neurons**0.5)
        parameters[f"r{layer}"] *= np.float32(0)
    return parameters


def forward(
    parameters: dict[str, torch.Tensor],
    contexts: torch.Tensor,
    mask: Callable[[torch.Tensor, int], torch.Tensor] = lambda units, _: units,
) -> torch.Tensor:
    """Return the logits (B, V) of contexts (B, T) of symbol indices.

    Args:
        parameters: The model's parameters; their names determine the number of layers.
        contexts: Symbols before the predicted one.
        mask: Applies dropout to the tanh units (B, H) of a layer, numbered from 1; by default none.
    """
    emb = parameters["C"][contexts]
    hidden = mask(torch.tanh(emb.flatten(start_dim=1) @ parameters["W1"] + parameters["b1"]), 1)
    layer = 2
    while f"R{layer}" in parameters:
        units = torch.tanh(hidden @ parameters[f"R{layer}"] + parameters[f"r{layer}"])
        hidden, layer = hidden + mask(units, layer), layer + 1
    return (hidden @ parameters["W2"]).add_(parameters["b2"])  # in place: B x V can be large


def to_tensors(parameters: dict[str, np.ndarray], device: str) -> dict[str, torch.Tensor]:
    """Copy parameters onto a device."""
    return {name: torch.tensor(array, device=device) for name, array in parameters.items()}


def sample_ensemble(
    models: Sequence[dict[str, np.ndarray]], vocabulary: tuple[str, ...], n: int, seed: int, max_length: int
) -> list[str]:
    """Draw words from the mean of the models' probabilities, one character at a time until the end mark.

    Args:
        models: Trained parameters of each model; their shapes determine the common block size.
        vocabulary: Symbols by index, ``.`` first.
        n: Number of words.
        seed: Seed of the sampling; equal seeds give equal words.
        max_length: Number of characters after which a word is cut off.

    Returns:
        ``n`` words, without the end mark; a word may be empty.
    """
    tensors = [to_tensors(parameters, "cpu") for parameters in models]
    block_size = models[0]["W1"].shape[0] // models[0]["C"].shape[1]
    draw = generator(seed, "sample")
    contexts = torch.zeros((n, block_size), dtype=torch.long)
    drawn = np.zeros((n, max_length), dtype=np.int64)
    symbol = torch.empty((n, 1), dtype=torch.long)
    for place in range(max_length):
        uniform = torch.from_numpy(draw.random((n, 1)))
        for first in range(0, n, _WORDS_AT_ONCE):
            some = slice(first, first + _WORDS_AT_ONCE)
            symbol[some] = _draw_symbols(tensors, contexts[some], uniform[some])
        drawn[:, place] = symbol[:, 0].numpy()
        contexts = torch.cat([contexts[:, 1:], symbol], dim=1)
    return [_until_end(row, vocabulary) for row in drawn]


def _draw_symbols(
    models: Sequence[dict[str, torch.Tensor]], contexts: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """Return the next symbols (B, 1) of contexts (B, T) for random numbers (B, 1) from [0, 1)."""
    probabilities = torch.stack([forward(each, contexts).double().softmax(dim=1) for each in models])
    cumulative = probabilities.mean(dim=0).cumsum(dim=1)
    return torch.searchsorted(cumulative, uniform).clamp(max=cumulative.shape[1] - 1)


def _until_end(symbols: np.ndarray, vocabulary: tuple[str, ...]) -> str:
    word = "".join(vocabulary[symbol] for symbol in symbols)
    return word.split(".", 1)[0]
