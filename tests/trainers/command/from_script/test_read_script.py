"""Scripts of all kinds: which library, what they print, what is refused; nothing of them runs."""

from pathlib import Path

import pytest

from sweep.errors import DataError
from sweep.trainers.command.from_script.read_script import read_script


def script(folder: Path, text: str | bytes) -> Path:
    path = folder / "train.py"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_nothing_of_a_script_runs(tmp_path: Path) -> None:
    """Its source is read only."""
    trap = tmp_path / "sprung"
    text = (
        f"open({str(trap)!r}, 'w')\nimport argparse\np = argparse.ArgumentParser()\np.add_argument('--lr')\n"
    )
    assert [option.name for option in read_script(script(tmp_path, text)).options] == ["lr"]
    assert not trap.exists()


def test_names_that_it_prints(tmp_path: Path) -> None:
    """From f-strings, % and format; once each, in order."""
    text = (
        'print(f"epoch {e} train loss: {a:.3f}, val loss: {b}")\nprint("val_acc=%.2f" % c)\n'
        'print("auc: {:.3f}".format(d))\nprint(f"val loss: {b}")\nprint(f"{e}: nothing")\n"x: y"\n'
    )
    assert read_script(script(tmp_path, text)).printed == ("train loss", "val loss", "val_acc", "auc")


@pytest.mark.parametrize("name", ["fire", "typer", "tyro"])
def test_another_library_is_named(tmp_path: Path, name: str) -> None:
    """Whoever reads the study file sees why it is empty."""
    found = read_script(script(tmp_path, f"import {name}\n"))
    assert found.unread == (f"it uses {name}, whose options are not in its source",)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("def", "is not valid Python"),
        (b"\xff\xfe", "is not valid Python"),
        ("a\0", "is not valid Python"),
        ("(" * 5000, "is not valid Python"),
        (b"#" * (1 << 22) + b"##", "is larger than 4 MiB"),
    ],
)
def test_refused(tmp_path: Path, text: str | bytes, rule: str) -> None:
    """One line with the path and the rule."""
    with pytest.raises(DataError, match=rule) as refusal:
        read_script(script(tmp_path, text))
    assert "\n" not in str(refusal.value)


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    """The path is in the line."""
    with pytest.raises(DataError, match=r"gone\.py cannot be read: No such file"):
        read_script(tmp_path / "gone.py")
