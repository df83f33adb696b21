"""How good is a model on a split, exactly?

A context that occurs many times gives the same logits each time, so the loss over all
examples is a weighted sum over the distinct contexts, with far fewer rows than examples.
"""

import numpy as np
import torch

from sweep.task.corpus import DistinctExamples, EncodedWords, build_examples
from sweep.task.model import forward, to_tensors

_ROWS_AT_ONCE = 4_096


@torch.inference_mode()
def split_loss(parameters: dict[str, np.ndarray], examples: DistinctExamples, device: str = "cpu") -> float:
    """Return the mean negative log-likelihood over all examples, in nats per character.

    Logits are float32; the weighted sum is float64, in a fixed order.
    """
    total = -(pair_log_likelihoods(parameters, examples, device) * examples.pair_count).sum()
    return float(total / examples.pair_count.sum())


@torch.inference_mode()
def pair_log_likelihoods(
    parameters: dict[str, np.ndarray], examples: DistinctExamples, device: str = "cpu"
) -> np.ndarray:
    """Return log p(target | context) of each distinct pair, float64, shape (P,)."""
    tensors = to_tensors(parameters, device)
    contexts = torch.from_numpy(examples.contexts.astype(np.int32)).to(device)
    log_p = torch.cat(
        [forward(tensors, rows).log_softmax(dim=1) for rows in torch.split(contexts, _ROWS_AT_ONCE)]
    )
    pairs = log_p[torch.from_numpy(examples.pair_context), torch.from_numpy(examples.pair_target)]
    return pairs.double().cpu().numpy()


def word_losses(parameters: dict[str, np.ndarray], words: EncodedWords, block_size: int) -> np.ndarray:
    """Return each word's summed negative log-likelihood, its end included, in nats, shape (W,).

    Divided by ``words.lengths + 1`` it is the word's loss per character; the sum over all words
    divided by the sum of these is ``split_loss``.
    """
    examples = build_examples(words, block_size)
    every = DistinctExamples(
        contexts=examples.contexts,
        pair_context=np.arange(len(examples.targets)),
        pair_target=examples.targets.astype(np.int64),
        pair_count=np.ones(len(examples.targets), np.int64),
    )
    first = np.cumsum(words.lengths + 1) - (words.lengths + 1)
    return -np.add.reduceat(pair_log_likelihoods(parameters, every), first)
