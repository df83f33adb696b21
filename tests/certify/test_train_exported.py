"""An exported configuration is trained by one command, and a program leaves its folder."""

import json
import tomllib
from pathlib import Path

import pytest
import safetensors.numpy

from sweep.certify.train_exported import CONFIG, STATE
from sweep.cli import main
from sweep.task import identifying_values
from sweep.trainers.mlp.trainer import MLP
from tests.support.command_line import Capture, exported
from tests.support.tested_programs import KINDS, confirmed, copied, entered, model_of


def exported_config(path: Path) -> dict[str, float]:
    """Return what a user's own code reads of an exported file."""
    with path.open("rb") as file:
        values: dict[str, float] = tomllib.load(file)["config"]
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_is_trained_in_a_folder_that_it_keeps(
    kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: Capture
) -> None:
    """The value is the exported one, computed by hand; configuration, output and checkpoint are kept."""
    folder = copied(confirmed(tmp_path_factory, kind), tmp_path / "own")
    with entered(folder):
        capsys.readouterr()
        assert main(["train", "best.toml", "-o", "trained"]) == 0
        written = capsys.readouterr()
        config = exported_config(Path("best.toml"))
        value = (config["x"] - 0.3) ** 2 + config["seed"] % 97 / 1000
        assert written.out.startswith(f"equal: error {value!r}, exported {value!r} (")
        kept = json.loads(Path("trained/config.json").read_text())
        assert kept == (config if kind == "function" else {"x": config["x"]})  # this one takes its seed apart
        assert float(Path("trained/checkpoint/model").read_text()) == model_of(config)
        printed = Path("trained/stdout").read_text()
        assert printed == ("" if kind == "function" else f"latency: {40 * config['x']}\nerror: {value}\n")
        assert main(["train", "best.toml", "-o", "trained"]) == 1
        assert "trained is not empty; name another folder" in capsys.readouterr().err


def test_somebody_elses_program_is_not_run_unseen(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: Capture
) -> None:
    """Another command in an exported file is another program: it is named, and runs only with --trust."""
    folder = copied(confirmed(tmp_path_factory, "command"), tmp_path / "own")
    mark = tmp_path / "mark"
    text = (folder / "best.toml").read_text()
    evil = f"import pathlib; pathlib.Path({str(mark)!r}).touch(); print('error:', 1)"
    (folder / "evil.toml").write_text(text.replace('"train.py",', f'"-c", {json.dumps(evil)},'))
    with entered(folder):
        capsys.readouterr()
        assert main(["train", "evil.toml"]) == 1
        assert "would run python -c" in capsys.readouterr().err
        assert not mark.exists()
        assert not Path("reports/own/trained").exists()
        assert main(["train", "evil.toml", "--trust"]) == 0
        assert mark.exists()
        assert "different: error 1.0, exported" in capsys.readouterr().out


def test_a_study_name_in_a_file_makes_no_path(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: Capture
) -> None:
    """The default folder is below reports, whatever the file calls the study."""
    folder = copied(confirmed(tmp_path_factory, "function"), tmp_path / "own")
    text = (folder / "best.toml").read_text().replace('study = "own"', 'study = "../../out"')
    (folder / "out.toml").write_text(text)
    with entered(folder):
        capsys.readouterr()
        assert main(["train", "out.toml"]) == 1
        assert "provenance.study must be" in capsys.readouterr().err


def test_the_mlp_leaves_its_state(small: Path, capsys: Capture) -> None:
    """Its value is equal to the last digit, and its folder holds configuration and weights."""
    path = exported(capsys)
    assert main(["train", path]) == 0
    assert capsys.readouterr().out.startswith("equal: dev loss ")
    folder = small / "reports" / "small" / "trained"
    values = json.loads((folder / CONFIG).read_text())
    assert identifying_values(MLP, values) == exported_config(Path(path))
    assert "C" in safetensors.numpy.load((folder / STATE).read_bytes())


def test_a_folder_that_cannot_be_made_is_one_line(small: Path, capsys: Capture) -> None:
    """A file in its place is refused before anything is trained."""
    path = exported(capsys)
    assert main(["train", path, "-o", path]) == 1
    assert "best.toml is not a folder; name another with -o" in capsys.readouterr().err
