"""The hashes of a function that is in no module: what changes them, and what does not."""

import functools
import linecache
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sweep.trainers.function.given.sources import hash_parts, name_of

CELL = """
LIMIT = 3
def inner(x):
    return x + LIMIT
class Model:
    scale = 2
    def loss(self, x):
        return inner(x) * self.scale
def train(config, *, power=2):
    return Model().loss(config["x"]) ** power
"""


def functions(text: str = CELL, cell: str = "") -> dict[str, Any]:
    """Run a cell as a notebook does: with its text at hand if the cell has a name."""
    space: dict[str, Any] = {"__name__": "__main__"}
    file = f"<cell {cell}>" if cell else "<stdin>"
    if cell:
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), space)  # noqa: S102  a cell
    return space


def parts(text: str = CELL, cell: str = "") -> dict[str, str]:
    return hash_parts(functions(text, cell)["train"])


@pytest.mark.parametrize("cell", ["", "1"])
def test_a_function_is_all_that_it_uses(cell: str) -> None:
    """Helpers, constants, methods and defaults, with their texts or without; nothing that it does not use."""
    named = {"train", "inner", "LIMIT", "Model.loss", "Model.scale", "train, keyword defaults"}
    assert parts("import os\nunused = 1\n" + CELL, cell=cell).keys() == named


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("LIMIT = 3", "LIMIT = 4", {"LIMIT"}),
        ("x + LIMIT", "x - LIMIT", {"inner"}),
        ("scale = 2", "scale = 2.5", {"Model.scale"}),
        ("* self.scale", "/ self.scale", {"Model.loss"}),
        ("power=2", "power=3", {"train, keyword defaults"}),
        ("** power", "** -power", {"train"}),
    ],
)
def test_each_change_is_named(before: str, after: str, changed: set[str]) -> None:
    """Without the text of the functions, by their compiled code."""
    old, new = parts(), parts(CELL.replace(before, after))
    assert {name for name in old | new if old.get(name) != new.get(name)} == changed


def test_a_cell_that_is_run_again_is_the_same() -> None:
    """The same text in another cell, or further below."""
    assert parts(cell="1") == parts("\n\n" + CELL, cell="2")
    assert parts() == parts("\n\n" + CELL)


def test_another_process_finds_the_same() -> None:
    """Sets, whose order differs from process to process, included."""
    code = (
        "from sweep.trainers.function.given.sources import hash_parts\n"
        "NAMES = {'alpha', 'beta', 'gamma', 'delta'}\n"
        "def train(config):\n    return config['name'] in NAMES and config['name'] in {'1', '2', '3'}\n"
        "print(hash_parts(train))\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert b"NAMES" in runs[0].stdout


def test_arrays_count_and_modules_do_not() -> None:
    """An array by its bytes; NumPy itself has files, and a version that is stored elsewhere."""
    space = functions("import numpy as np\nX = np.arange(3)\ndef train(config):\n    return np.sum(X)\n")
    first = hash_parts(space["train"])
    assert first.keys() == {"X", "train"}
    space["X"] = np.arange(3) + 1
    assert hash_parts(space["train"])["X"] != first["X"]


def test_what_refers_to_itself_ends() -> None:
    """A function that calls itself, and a list that holds itself."""
    text = "loop = []\nloop.append(loop)\ndef train(config):\n    return train, loop\n"
    assert hash_parts(functions(text)["train"]).keys() == {"train"}


def test_many_objects_and_deep_ones_are_no_burden() -> None:
    """A hundred thousand objects in a list, and a chain of ten thousand."""
    text = (
        "class Node:\n    def __init__(self, next):\n        self.next = next\n"
        "chain = None\nfor _ in range(10_000):\n    chain = Node(chain)\n"
        "many = [object() for _ in range(100_000)]\n"
        "def train(config):\n    return chain, many\n"
    )
    started = time.perf_counter()
    assert {"train", "Node.__init__"} <= hash_parts(functions(text)["train"]).keys()
    assert time.perf_counter() - started < 30


def test_a_function_of_a_module_has_no_parts() -> None:
    """Its file is hashed instead."""
    assert hash_parts(name_of) == {}


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (functools.partial(sorted, reverse=True), "sorted"),
        (lambda config: 1, "<lambda>"),
        (str.upper, "str.upper"),
    ],
)
def test_what_a_function_is_called(function: Callable[..., Any], name: str) -> None:
    """As its definition says."""
    assert name_of(function).endswith(name)
