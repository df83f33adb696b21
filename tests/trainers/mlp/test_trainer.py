"""The MLP as a Task: the door through which the other rooms reach the trainer."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.errors import ConfigError, DataError
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.training import train_segment
from sweep.trainers.mlp.words.corpus import Corpus

TINY = TrainConfig(block_size=2, embedding_dim=3, hidden_neurons=5, batch_size=4, num_steps=12)


def test_searchable_fields_are_all_but_the_seed() -> None:
    """The driver gives each trial its seed; a study cannot."""
    assert set(MLP.field_types()) == set(TINY.to_dict()) - {"seed"}
    assert MLP.field_types()["block_size"] is int
    assert MLP.field_types()["learning_rate"] is float
    assert MLP.field_types()["schedule"] is str


def test_config_is_made_and_checked() -> None:
    """Plain values become a configuration, bad ones a ConfigError."""
    assert MLP.make_config({"block_size": 5, "learning_rate": 1}) == TrainConfig(
        block_size=5, learning_rate=1.0
    )
    with pytest.raises(ConfigError, match="block_size must be from 1 to 256, got 0"):
        MLP.make_config({"block_size": 0})


def test_data_section_is_completed() -> None:
    """Words default to the list that ships, and repeats stay."""
    assert MLP.check_data_section({}) == {"words": "data/names.txt", "dedupe": False}
    assert MLP.check_data_section({"dedupe": True, "words": "x.txt"}) == {"words": "x.txt", "dedupe": True}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"word": "x"}, r"unknown key 'word' in \[data\]; did you mean words\? known: words, dedupe"),
        ({"words": 3}, r"data\.words must be a text, got 3"),
        ({"words": None}, r"data\.words must be a text, got None"),
        ({"dedupe": 1}, r'data\.dedupe must be true, false or "normalized", got 1'),
        ({"dedupe": "true"}, r"data\.dedupe must be true, false or .normalized., got 'true'"),
    ],
)
def test_wrong_data_section_is_refused(section: dict[str, Any], message: str) -> None:
    """An unknown key or a wrong type is told with key and value."""
    with pytest.raises(DataError, match=message):
        MLP.check_data_section(section)


def test_data_is_loaded_as_the_section_says(words_file: Path) -> None:
    """The file named in the section is read."""
    data = MLP.load_data({"words": str(words_file)})
    assert (data.facts.words, data.dedupe) == (40, False)
    assert MLP.load_data({"words": str(words_file), "dedupe": True}).dedupe
    with pytest.raises(DataError, match=r"gone\.txt does not exist"):
        MLP.load_data({"words": str(words_file.with_name("gone.txt"))})


def test_segments_go_from_bytes_to_bytes(corpus: Corpus) -> None:
    """Two segments through the door are the run behind it, bit for bit."""
    whole = train_segment(TINY, corpus, None, 12, engine="autograd")
    first = MLP.train_segment(TINY, corpus, None, 7, engine="autograd", device="cpu")
    second = MLP.train_segment(TINY, corpus, first.state, 12, engine="autograd", device="cpu")
    assert second.state == whole.state.to_bytes()
    assert second.dev_loss == whole.dev_loss
    assert np.concatenate([first.losses, second.losses]).tobytes() == whole.losses.tobytes()


@pytest.mark.parametrize("state", [b"", b"not a state"])
def test_damaged_state_is_refused(corpus: Corpus, state: bytes) -> None:
    """Bytes that are no state are an error, never a fresh start."""
    with pytest.raises(DataError, match="checkpoint cannot be read"):
        MLP.train_segment(TINY, corpus, state, 12, engine="autograd", device="cpu")


def test_facts_are_counted_as_by_hand(corpus: Corpus) -> None:
    """V 27: C 81, W1 30, b1 5, W2 135, b2 27 parameters; twelve batches of four."""
    assert corpus.vocabulary_size == 27
    assert MLP.facts(TINY, corpus) == {"n_params": 81 + 30 + 5 + 135 + 27, "examples_seen": 48}


def test_loss_ceiling_is_that_of_knowing_nothing(corpus: Corpus) -> None:
    """27 equally likely symbols cost ln 27 nats each."""
    assert MLP.loss_ceiling(corpus) == pytest.approx(math.log(27))


def test_importing_the_task_does_not_import_torch() -> None:
    """The command line answers at once because torch is loaded late."""
    code = (
        "import sys, sweep.trainers.mlp.trainer; sys.exit('torch' in sys.modules or 'numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
