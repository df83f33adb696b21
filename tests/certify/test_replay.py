"""Training again: equal, within tolerance or different, on the place of then where it is here."""

import pytest
import torch

from sweep.certify.replay import Comparison, Place, choose_place, train_again
from sweep.errors import DeviceError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import Corpus

TINY = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=5, batch_size=4, num_steps=12, seed=5)
CPU = Place(engine="autograd", device="cpu")
without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("again", "verdict"),
    [
        (2.0, "equal"),
        (2.0 + 2**-50, "within tolerance"),
        (2.0199, "within tolerance"),
        (1.9801, "within tolerance"),
        (2.0201, "different"),
        (1.9799, "different"),
        (float("nan"), "different"),
        (float("inf"), "different"),
    ],
)
def test_verdict(again: float, verdict: str) -> None:
    """Equal is bitwise; the tolerance is 0.02 nats on either side; no number at all is different."""
    assert Comparison(stored=2.0, again=again, tolerance=0.02, seconds=0.0, state=b"").verdict == verdict


def test_training_again_is_the_whole_run(corpus: Corpus) -> None:
    """The loss and the state are those of the same configuration trained in one piece, bit for bit."""
    whole = MLP.train_segment(TINY, corpus, None, 12, engine="autograd", device="cpu")
    again = train_again(MLP, TINY, corpus, whole.dev_loss, CPU)
    assert again.verdict == "equal"
    assert again.state == whole.state


def test_training_again_in_pieces_is_the_same(corpus: Corpus) -> None:
    """A trial that was cut at its rungs is replayed to the same loss."""
    first = MLP.train_segment(TINY, corpus, None, 5, engine="autograd", device="cpu")
    second = MLP.train_segment(TINY, corpus, first.state, 12, engine="autograd", device="cpu")
    assert train_again(MLP, TINY, corpus, second.dev_loss, CPU).verdict == "equal"


def test_the_place_of_then_is_taken() -> None:
    """On the CPU, what was trained there runs on the engine of then, unless another is asked for."""
    assert choose_place(MLP, CPU, "auto") == CPU
    assert choose_place(MLP, CPU, "cpu") == CPU
    assert choose_place(MLP, CPU, "auto", "fused") == Place(engine="fused", device="cpu")


@without_cuda
def test_a_gpu_that_is_not_here_gives_way_to_the_cpu() -> None:
    """What was trained on a GPU runs on the CPU's default engine; a GPU that is asked for is refused."""
    then = Place(engine="autograd", device="cuda:3")
    assert choose_place(MLP, then, "auto") == Place(engine=MLP.default_engine("cpu"), device="cpu")
    with pytest.raises(DeviceError, match="device cuda is not present"):
        choose_place(MLP, CPU, "cuda")
    with pytest.raises(DeviceError, match="unknown device 'tpu'"):
        choose_place(MLP, CPU, "tpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_trial_of_the_cpu_stays_there_unless_moved(corpus: Corpus) -> None:
    """With a GPU at hand ``auto`` still means the CPU of then; moved, it takes an engine that runs there."""
    then = Place(engine="fused", device="cpu")
    assert choose_place(MLP, then, "auto") == then
    moved = choose_place(MLP, then, "cuda")
    assert moved == Place(engine="autograd", device="cuda:0")
    stored = train_again(MLP, TINY, corpus, 0.0, then).again
    assert train_again(MLP, TINY, corpus, stored, moved).verdict in ("equal", "within tolerance")
