"""The mapping that a function gets."""

import copy
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from sweep.trainers.function.config import Config

CONFIG = Config(
    {"lr": 0.1, "layers": 2, "model.width": 64, "dir": "left", "items": "all", "sizes": [1, 2]},
    searched=["lr", "dir"],
    seed=7,
    dir="/trials/3",
    checkpoint="/trials/3/checkpoint",
    device="cuda:1",
    cpus=4,
    resumed=True,
)


def test_parameters_are_items_and_attributes() -> None:
    """Also names with dots, as items."""
    assert CONFIG["lr"] == CONFIG.lr == 0.1
    assert CONFIG["model.width"] == 64
    assert CONFIG["seed"] == CONFIG.seed == 7
    assert dict(CONFIG.searched) == {"lr": 0.1, "dir": "left"}
    assert {**CONFIG}.keys() == {"lr", "layers", "model.width", "dir", "items", "sizes", "seed"}
    assert len(CONFIG) == 7
    assert CONFIG.get("gamma") is None


def test_facts_are_attributes_and_a_parameter_of_that_name_is_an_item() -> None:
    """Mapping methods too."""
    assert (CONFIG.dir, CONFIG["dir"]) == (Path("/trials/3"), "left")
    assert CONFIG.checkpoint == Path("/trials/3/checkpoint")
    assert (CONFIG.device, CONFIG.cpus, CONFIG.resumed) == ("cuda:1", 4, True)
    assert CONFIG["items"] == "all"
    assert ("lr", 0.1) in CONFIG.items()


def test_nothing_can_be_changed() -> None:
    """No attribute, no item."""
    with pytest.raises(AttributeError, match="does not change"):
        CONFIG.lr = 0.2
    with pytest.raises(AttributeError, match="does not change"):
        del CONFIG.lr
    with pytest.raises(TypeError):
        CONFIG["lr"] = 0.2  # type: ignore[index]
    assert CONFIG.lr == 0.1


def test_a_missing_name_says_what_there_is() -> None:
    """With the nearest name, and as the error that Python expects."""
    with pytest.raises(
        AttributeError, match=r"no active parameter 'layer' in this trial; did you mean layers\?"
    ):
        _ = CONFIG.layer
    with pytest.raises(KeyError, match="no active parameter 'gamma' in this trial; active: lr, layers"):
        _ = CONFIG["gamma"]
    with pytest.raises(KeyError, match=r"'device' is not a parameter of this trial; use config.device"):
        _ = CONFIG["device"]
    assert not hasattr(CONFIG, "gamma")


def _pickled(config: Config) -> Config:
    return pickle.loads(pickle.dumps(config))  # noqa: S301  its own


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, _pickled])
def test_a_copy_is_equal(again) -> None:
    """Children of a data loader get one."""
    copied = again(CONFIG)
    assert isinstance(copied, Mapping)
    assert dict(copied) == dict(CONFIG)
    assert (copied.dir, copied.searched, copied.lr) == (CONFIG.dir, CONFIG.searched, 0.1)
    assert repr(copied).startswith("Config(lr=0.1, layers=2, ")
