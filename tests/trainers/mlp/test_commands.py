"""The commands that the MLP adds: sample, lr-find."""

from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.command_line import (
    Capture,
    complaint,
    exported,
)
from tests.support.program_studies import lay_out, run, sweep
from tests.support.small_study import (
    made_up_words,
    write_words,
)


def test_samples_depend_on_the_seed_only(small: Path, capsys: Capture) -> None:
    """The same seed draws the same words, from stored weights or from training again; another does not."""
    path = exported(capsys)
    drawn = []
    for arguments in (["--seed", "1"], ["--seed", "1"], ["--seed", "2"]):
        assert main(["sample", path, "-n", "12", *arguments]) == 0
        drawn.append(capsys.readouterr().out.splitlines())
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 12
    assert set("".join(drawn[0])) <= set("bcdfglmnrstaeiou")
    assert main(["sample", path, "-n", "12", "--seed", "1", "--storage", "sqlite:///elsewhere.db"]) == 0
    again = capsys.readouterr()
    assert again.out.splitlines() == drawn[0]
    assert "the weights are not stored here: training" in again.err
    assert not (small / "elsewhere.db").exists()


def test_words_of_another_list_are_not_sampled_into(small: Path, capsys: Capture) -> None:
    """`--words` must be the list of the export: an index means another letter on any other."""
    path = exported(capsys)
    write_words(Path("other.txt"), made_up_words(seed=2))
    for command in (["sample", path], ["test", path], ["lr-find", path]):
        assert main([*command, "--words", "other.txt"]) == 1
        assert "other.txt does not hold the data of the export" in complaint(capsys)


@pytest.mark.parametrize("way", ["function", "command"])
def test_commands_refuse_studies_and_exports_of_other_trainers(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refusal is one line that names the trainer."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    lay_out(tmp_path, way)
    assert run() == (0, "")
    assert sweep("export", "own", "-o", "best.toml")[0] == 0
    for verb, file in (("sample", "best.toml"), ("lr-find", "best.toml"), ("lr-find", "own.toml")):
        status, out, err = sweep(verb, file)
        assert (status, out) == (1, "")
        assert err == f"sweep: `sweep {verb}` is only for the built-in trainer mlp; {file} has {way}\n"
