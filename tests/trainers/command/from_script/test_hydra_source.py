"""Options of Hydra scripts: YAML files and dataclasses."""

import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweep.trainers.command.arguments import CommandLine
from sweep.trainers.command.config_files import nested
from sweep.trainers.command.from_script.option import Option
from sweep.trainers.command.from_script.read_script import read_script
from sweep.trainers.command.from_script.simple_yaml import read_simple_yaml
from sweep.trainers.command.from_script.study_text import write_study
from tests.support.made_place import place_in

SCRIPT = """
import hydra

@hydra.main(version_base=None, config_path="conf", config_name="config")
def train(cfg):
    print(f"val_loss={0.5}")

train()
"""

CONFIG = """
defaults:
  - model: mlp
  - _self_
lr: 1e-3        # the rate
epochs: 10
seed: 1
use_bn: true
data: ???
sizes: [3, 4]
optimizer:
  name: adam
  betas:
    first: 0.9
note: |
  a block
hydra:
  run:
    dir: out
"""

STRUCTURED = """
from dataclasses import dataclass, field
import hydra
from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

@dataclass
class Model:
    depth: int = 2
    act: str = "relu"

@dataclass
class Config:
    lr: float = 0.1
    data: str = MISSING
    model: Model = field(default_factory=Model)
    made: list = field(default_factory=list)

cs = ConfigStore.instance()
cs.store(name="config", node=Config)

@hydra.main(version_base=None, config_name="config")
def train(cfg: Config) -> None: ...
"""


def options(path: Path) -> dict[str, Option]:
    return {option.name: option for option in read_script(path).options}


def test_a_yaml_file_beside_the_script(tmp_path: Path) -> None:
    """Dotted names, values, groups with their files, what must be given."""
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "config.yaml").write_text(CONFIG)
    (tmp_path / "conf" / "model" / "mlp.yaml").write_text("depth: 3\n")
    (tmp_path / "conf" / "model" / "cnn.yaml").write_text("filters: 3\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    found = options(path)
    assert {name: option.default for name, option in found.items()} == {
        "model_group": "mlp",
        "model.depth": 3,
        "lr": 0.001,
        "epochs": 10,
        "seed": 1,
        "use_bn": True,
        "data": None,
        "sizes": [3, 4],
        "optimizer.name": "adam",
        "optimizer.betas.first": 0.9,
    }
    assert found["model_group"].choices == ("cnn", "mlp")
    assert found["data"].is_required
    assert read_script(path).unread == ("note: |", "a block")
    text = write_study(read_script(path), "train.py")
    assert 'command = ["python", "train.py", "{args}", "seed={seed}"]\n' in text
    assert "search.lr = { low = 0.0001, high = 0.01, log = true }\n" in text
    assert '# search."optimizer.betas.first" = ' in text
    assert 'arguments.model_group = "model={value}"\n' in text
    assert text.count("arguments") == 1


@pytest.mark.parametrize("taken", ["", "model_group: 1\n"])
def test_a_group_and_its_values_in_one_study(tmp_path: Path, taken: str) -> None:
    """The group has a name of its own, and Hydra gets both."""
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "config.yaml").write_text(f"defaults:\n  - model: mlp\n  - _self_\nlr: 0.1\n{taken}")
    for name in ("mlp", "cnn"):
        (tmp_path / "conf" / "model" / f"{name}.yaml").write_text(f"kind: {name}\nhidden_dim: 8\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT.replace('f"val_loss={0.5}"', "cfg.model.kind, cfg.model.hidden_dim"))
    text = write_study(read_script(path), str(path), metric="x")
    study = tomllib.loads(text.replace("# search.", "search.").replace("# arguments.", "arguments."))
    values = {"model_group_" if taken else "model_group": "cnn", "model.hidden_dim": 16}
    assert values.keys() <= study["search"].keys()
    nested(dict.fromkeys(study["search"]))  # the trial's configuration file can hold them together
    line = CommandLine.parse(
        study["command"],
        params=list(values),
        style="hydra",
        arguments=study["arguments"],
    )
    place = place_in(tmp_path)
    done = subprocess.run(
        line.expand(values, place), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("cnn 16\n", 0), done.stderr


def test_a_dataclass(tmp_path: Path) -> None:
    """Nested ones have dotted names; what is made when the script runs is said."""
    path = tmp_path / "train.py"
    path.write_text(STRUCTURED)
    found = options(path)
    assert {name: (o.kind, o.default, o.is_required) for name, o in found.items()} == {
        "lr": ("float", 0.1, False),
        "data": ("text", None, True),
        "model.depth": ("int", 2, False),
        "model.act": ("text", "relu", False),
    }
    assert read_script(path).unread == ("line 17: made: list = field(default_factory=list)",)


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    """One line says so."""
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    assert read_script(path).unread == (f"its configuration {tmp_path}/conf/config.yaml cannot be read",)


scalar = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.from_regex(r"[a-z/_]{1,9}( [a-z]{1,5})?", fullmatch=True),
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), scalar, max_size=5))
def test_plain_yaml_is_read_as_pyyaml_reads_it(values: dict[str, object]) -> None:
    """What PyYAML writes of plain values."""
    text = yaml.safe_dump({"top": values} if values else {}, default_flow_style=False)
    found, left_out = read_simple_yaml(text)
    assert left_out == [line.strip() for line in text.splitlines() if line.strip() in ("{}", "? ''")]
    assert found == {f"top.{name}": value for name, value in values.items()}


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    """A file is never the reason for a crash."""
    values, left_out = read_simple_yaml(text)
    assert len(values) + len(left_out) <= len(text) + 1
