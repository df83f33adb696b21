"""One line for an error of the user's code."""

from pathlib import Path

import pytest

from sweep.trainers.function.faults import Fault, RefusedError, fault_of, place_of


def raised(source: str, path: Path) -> BaseException:
    """Run a source as if it was in a file, and return what it raises."""
    path.write_text(source)
    try:
        exec(compile(source, str(path), "exec"), {})  # noqa: S102
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


def test_the_place_is_the_last_line_of_the_users(tmp_path: Path) -> None:
    """Not the library's that it called; a file outside of the study's folder is named whole."""
    source = "import json\n\ndef load():\n    return json.loads('{')\n\nload()\n"
    error = raised(source, tmp_path / "a.py")
    assert fault_of(error, tmp_path).where == "a.py:4"
    assert fault_of(error, tmp_path / "other").where == f"{tmp_path}/a.py:4"
    assert fault_of(error, tmp_path).trace.startswith("Traceback (most recent call last):\n")
    assert 'a.py", line 6' in fault_of(error, tmp_path).trace


def test_a_message_is_one_bounded_line_without_controls(tmp_path: Path) -> None:
    """Whatever the user's exception says."""
    error = raised("raise ValueError('a\\n\\tb \\x1b[2J \\u202e' + 'x' * 10_000)", tmp_path / "a.py")
    line = fault_of(error, tmp_path).line
    assert line.startswith("ValueError: a b [2J xxx")
    assert line.endswith("... (a.py:1)")
    assert len(line) < 600
    assert line.isprintable()


def test_a_refusal_is_its_own_line(tmp_path: Path) -> None:
    """No type before it; the place is that of the function."""
    fault = fault_of(RefusedError("train returned nothing"), Path(__file__).parent, raised)
    assert fault == Fault("train returned nothing", "test_faults.py:10", "train returned nothing\n")
    assert fault.line == "train returned nothing (test_faults.py:10)"


def test_an_error_without_a_place_has_none(tmp_path: Path) -> None:
    """Of a builtin that was called directly."""
    fault = fault_of(ValueError("bad"), tmp_path)
    assert (fault.line, fault.where) == ("ValueError: bad", "")


@pytest.mark.parametrize("thing", [None, print, int, "text"])
def test_what_has_no_code_has_no_place(thing: object, tmp_path: Path) -> None:
    """Builtins, classes and others."""
    assert place_of(thing, tmp_path) == ""  # type: ignore[arg-type]
