"""State an error in the words of a Python call: ``name=NAME`` for the command line's ``--as NAME``."""

import functools
import inspect
import re
from collections.abc import Callable, Container
from typing import ParamSpec, TypeVar

from sweep.errors import SweepError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_OTHERWISE = {
    "--as": "name",
    "--data": "data_file",
    "--from": "begin_with",
    "--from-top": "begin_with_top",
    "--set": "settings",
    "-o": "path",
}
"""Option -> argument, if its name is another one."""

_COMMAND = re.compile("(`[^`]*`)")
_OPTION = re.compile(r"(?<![\w-])(--[a-z]+(?:-[a-z]+)*|-o)\b( (?=[A-Z]))?")


def in_python(call: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Make a function's errors name its own arguments instead of the command line's options."""

    @functools.wraps(call)
    def called(*args: _Given.args, **settings: _Given.kwargs) -> _Result:
        try:
            return call(*args, **settings)
        except SweepError as error:
            known = inspect.signature(call).parameters
            error.args = tuple(as_arguments(line, known) for line in error.lines)
            raise

    return called


def as_arguments(text: str, known: Container[str]) -> str:
    """Return a message with the arguments of a call instead of options; whole commands stay as they are.

    Args:
        text: The message.
        known: Names of the arguments; an option that is none of them stays.

    Examples:
        >>> as_arguments("set one with --delta; `sweep plan --check` tries it", {"delta"})
        'set one with delta; `sweep plan --check` tries it'
        >>> as_arguments("choose another name with --as NAME", {"name"})
        'choose another name with name=NAME'
    """

    def argument(option: re.Match[str]) -> str:
        name = _OTHERWISE.get(option[1], option[1].strip("-").replace("-", "_"))
        return name + ("=" if option[2] else "") if name in known else option[0]

    parts = _COMMAND.split(text)
    return "".join(part if part.startswith("`") else _OPTION.sub(argument, part) for part in parts)
