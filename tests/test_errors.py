"""Every foreseen error is a builtin too, has a key of its own and survives the way to another process."""

import pickle

import pytest

from sweep.errors import MachineError, NotFoundError, SweepError


def subclasses(kind: type[SweepError]) -> list[type[SweepError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in subclasses(child))]


def test_each_class_has_a_key_of_its_own() -> None:
    """No two kinds share a key, so a script can tell them apart."""
    kinds = [kind for kind in subclasses(SweepError) if kind.__module__ == "sweep.errors"]
    keys = [vars(kind)["key"] for kind in kinds]
    assert len(set(keys)) == len(keys)
    assert all(key == key.lower() and key.replace("-", "").isalpha() for key in keys)


@pytest.mark.parametrize("kind", [SweepError, NotFoundError, MachineError])
def test_a_precise_key_and_the_lines_survive_pickling(kind: type[SweepError]) -> None:
    """A worker's error arrives with what it was raised with."""
    error = pickle.loads(pickle.dumps(kind("one line", key="no-study")))  # noqa: S301  written one line above
    assert (type(error), error.lines, error.key) == (kind, ("one line",), "no-study")
    assert kind("one line").key == kind.key
