"""Read a script's options from its source, for each supported command-line library."""

import ast
import itertools
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sweep.errors import DataError
from sweep.trainers.command.from_script.argparse_source import argparse_options
from sweep.trainers.command.from_script.click_source import click_options
from sweep.trainers.command.from_script.hydra_source import hydra_main, hydra_options
from sweep.trainers.command.from_script.option import ScriptOptions

_LARGEST = 1 << 22
"""Largest script that is read, in bytes."""

_OTHERS = ("absl", "fire", "typer", "tyro", "simple_parsing", "HfArgumentParser", "jsonargparse", "docopt")
"""Libraries that define options in ways that cannot be read here."""

_NAME = r"([^\W\d][\w./@-]*(?: (?:loss|acc|accuracy|error))?)\s*[:=]\s*"
_NAMED = re.compile(rf"{_NAME}$")
_FORMATTED = re.compile(rf"{_NAME}(?:%[-+ 0-9.]*[defgs]|\{{)")


def read_script(path: Path) -> ScriptOptions:
    """Return the options in the source of a script, without running it.

    Raises:
        DataError: If the script is unreadable, or not Python.
    """
    tree = _parsed(path)
    main = hydra_main(tree) if "hydra" in _imported(tree) else None
    if main is not None:
        found = hydra_options(tree, main, path.parent)
    else:
        found = argparse_options(tree)
        if not found.options and "click" in _imported(tree):
            found = click_options(tree)
    others = [
        f"it uses {name}, whose options are not in its source" for name in _OTHERS if name in _imported(tree)
    ]
    return replace(found, unread=(*found.unread, *others), printed=tuple(dict.fromkeys(_printed(tree))))


def _parsed(path: Path) -> ast.Module:
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError as error:
        raise DataError(f"script {path} cannot be read: {error.strerror}") from error
    if content is None:
        raise DataError(f"script {path} is larger than {_LARGEST >> 20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the script's own text
            return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(f"script {path} is not valid Python: {error}") from error


def _imported(tree: ast.Module) -> set[str]:
    """Return the top-level names of the modules that a script imports, and the names imported from them."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module.partition(".")[0], *(alias.name for alias in node.names)}
    return names


def _printed(tree: ast.Module) -> Iterator[str]:
    """Yield names printed before figures: ``val_acc`` of ``f"val_acc: {acc:.3f}"``, ``"val_acc=%.3f"``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            for text, figure in itertools.pairwise(node.values):
                if isinstance(text, ast.Constant) and isinstance(figure, ast.FormattedValue):
                    yield from _NAMED.findall(str(text.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _FORMATTED.findall(node.value)
