"""train_segment: cuts, purity, divergence and devices; two steps against torch's autograd."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp import training
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.model import init_parameters
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import (
    SegmentResult,
    dev_examples,
    train_examples,
    train_segment,
)
from sweep.trainers.mlp.words.corpus import Corpus, load_corpus
from sweep.trainers.mlp.words.examples import build_examples

TINY = TrainConfig(
    block_size=2, embedding_dim=3, hidden_neurons=5, batch_size=4, num_steps=24, decay_at=0.4, seed=11
)
CONFIGS = {
    "plain": TINY,
    "momentum": TINY.replace(momentum=0.9, weight_decay=0.01, schedule="cosine"),
    "normal": TINY.replace(init="normal", block_size=4, batch_size=7),
}


def run_in_pieces(config: TrainConfig, corpus: Corpus, ends: list[int]) -> tuple[SegmentResult, np.ndarray]:
    """Train from one end to the next, the state going through bytes each time."""
    state, losses = None, []
    for end in ends:
        result = train_segment(config, corpus, state, end, engine="autograd")
        losses.append(result.losses)
        state = TrainState.from_bytes(result.state.to_bytes(), config, corpus.vocabulary_size)
    return result, np.concatenate(losses)


@pytest.fixture(scope="module")
def uncut(corpus: Corpus) -> dict[str, SegmentResult]:
    return {
        name: train_segment(config, corpus, None, config.num_steps, engine="autograd")
        for name, config in CONFIGS.items()
    }


@pytest.mark.parametrize("name", CONFIGS)
@given(cuts=st.sets(st.integers(0, TINY.num_steps - 1), max_size=6))
@settings(max_examples=12, deadline=None)
def test_cutting_a_run_anywhere_changes_no_bit(
    corpus: Corpus, uncut: dict[str, SegmentResult], name: str, cuts: set[int]
) -> None:
    """State, dev loss and step losses are those of the uncut run, wherever it was cut."""
    config, whole = CONFIGS[name], uncut[name]
    result, losses = run_in_pieces(config, corpus, [*sorted(cuts), config.num_steps])
    assert result.state.to_bytes() == whole.state.to_bytes()
    assert result.dev_loss == whole.dev_loss
    assert losses.tobytes() == whole.losses.tobytes()


def test_cutting_after_every_step_changes_no_bit(corpus: Corpus, uncut: dict[str, SegmentResult]) -> None:
    """Twenty-four segments of one step are the run."""
    result, losses = run_in_pieces(TINY, corpus, list(range(1, 25)))
    assert result.state.to_bytes() == uncut["plain"].state.to_bytes()
    assert losses.tobytes() == uncut["plain"].losses.tobytes()


def test_segment_of_no_steps_returns_the_state_as_it_is(
    corpus: Corpus, uncut: dict[str, SegmentResult]
) -> None:
    """Going on from the end trains nothing and evaluates to the same loss."""
    whole = uncut["plain"]
    again = train_segment(TINY, corpus, whole.state, TINY.num_steps, engine="autograd")
    assert again.state.to_bytes() == whole.state.to_bytes()
    assert again.losses.shape == (0,)
    assert again.dev_loss == whole.dev_loss


def test_segment_leaves_its_arguments_alone(corpus: Corpus) -> None:
    """The state that went in is the same afterwards, so that it can go in again."""
    config = CONFIGS["momentum"]
    start = train_segment(config, corpus, None, 5, engine="autograd").state
    before = start.to_bytes()
    first = train_segment(config, corpus, start, 15, engine="autograd")
    assert start.to_bytes() == before
    second = train_segment(config, corpus, start, 15, engine="autograd")
    assert first.state.to_bytes() == second.state.to_bytes()
    assert first.state.step == 15


def plain_batch(key: int, step: int, batch_size: int, n: int) -> list[int]:
    """Minibatch of a step by the definition of the generator, in Python's integers."""
    rows = []
    for k in range(step * batch_size, (step + 1) * batch_size):
        z = (key + (k + 1) * 0x9E3779B97F4A7C15) % 2**64
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        rows.append((((z ^ (z >> 31)) >> 32) * n) >> 32)
    return rows


@pytest.mark.parametrize("name", CONFIGS)
def test_steps_are_those_of_torch_optim_sgd(corpus: Corpus, name: str) -> None:
    """Three steps agree with torch's own SGD, momentum and weight decay in float64 to 1e-6."""
    config = CONFIGS[name].replace(num_steps=3, decay_at=2.0, schedule="step")
    examples = build_examples(corpus.train, config.block_size)
    x = torch.tensor(examples.contexts.astype(np.int64))
    y = torch.tensor(examples.targets.astype(np.int64))
    p = {
        k: torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for k, v in init_parameters(config, corpus.vocabulary_size).items()
    }
    optimizer = torch.optim.SGD(
        [
            {"params": [p["C"], p["b1"], p["b2"]]},
            {"params": [p["W1"], p["W2"]], "weight_decay": config.weight_decay},
        ],
        lr=0.1,
        momentum=config.momentum,
    )
    losses = []
    for step, rate in enumerate((0.1, 0.1, 0.01)):
        rows = plain_batch(stream_key(config.seed, "batch"), step, config.batch_size, len(y))
        hidden = torch.tanh(p["C"][x[rows]].flatten(1) @ p["W1"] + p["b1"])
        loss = cross_entropy(hidden @ p["W2"] + p["b2"], y[rows])
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        losses.append(loss.item())
    result = train_segment(config, corpus, None, 3, engine="autograd")
    np.testing.assert_allclose(result.losses, losses, rtol=1e-6)
    for parameter, array in result.state.parameters.items():
        np.testing.assert_allclose(array, p[parameter].detach().numpy(), atol=1e-6)


def test_training_lowers_the_loss(names_file: Path) -> None:
    """Six hundred steps on the names fall below the uniform loss by a clear margin."""
    names = load_corpus(names_file)
    config = TrainConfig(hidden_neurons=50, num_steps=600, learning_rate=0.2)
    result = train_segment(config, names, None, 600, engine="autograd")
    assert result.dev_loss < math.log(27) - 0.6
    assert result.losses[-100:].mean() < result.losses[:100].mean()
    assert result.seconds > 0


def test_diverged_run_ends_with_a_loss_that_is_not_finite(corpus: Corpus) -> None:
    """The largest rates that may be asked for end in NaN, without an exception or a warning."""
    for config in (
        TINY.replace(learning_rate=1e38, init="normal", batch_size=1),
        TINY.replace(learning_rate=1e38, weight_decay=1e38, momentum=0.9),
    ):
        result = train_segment(config, corpus, None, 24, engine="autograd")
        assert not math.isfinite(result.dev_loss)
        assert result.losses.shape == (24,)
        assert result.state.step == 24


def test_equal_files_share_examples_and_others_do_not(
    words: list[str], write_words: Callable[..., Path]
) -> None:
    """Examples are cached by file hash, dedupe, split and block size, never by place."""
    one = load_corpus(write_words(words, "one.txt"))
    same = load_corpus(write_words(words, "two.txt"))
    other = load_corpus(write_words(words[::-1], "three.txt"))
    assert train_examples(one, 2) is train_examples(same, 2)
    assert dev_examples(one, 2) is dev_examples(same, 2)
    assert train_examples(one, 3).contexts.shape[1] == 3
    assert train_examples(other, 2) is not train_examples(one, 2)
    deduped = dataclasses.replace(one, dedupe=True)
    assert train_examples(deduped, 2) is not train_examples(one, 2)


def test_examples_of_many_block_sizes_are_kept_within_a_limit(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that meets every block size keeps the last ones only; the present one always."""
    first, last = train_examples(corpus, 1), train_examples(corpus, 40)
    monkeypatch.setattr(training, "KEPT_BYTES", last.nbytes + 1)
    assert train_examples(corpus, 40) is last
    assert train_examples(corpus, 1) is not first
    monkeypatch.setattr(training, "KEPT_BYTES", 0)
    for find in (train_examples, dev_examples):
        assert find(corpus, 5) is find(corpus, 5)
        assert find(corpus, 5) is not find(corpus, 6)
