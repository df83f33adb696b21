"""Hash the parts of a function that are in no module: itself, and the objects of its script that it uses.

Parts are functions, classes, plain values and arrays of ``__main__``. Modules are hashed by their files, like
those of every program. Other objects, such as data frames, are not hashed.
"""

import dis
import functools
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType
from typing import Any

_PLAIN = (int, float, complex, str, bytes, bool, type(None))

_USES = ("LOAD_GLOBAL", "LOAD_NAME")
"""Instructions that read a global variable."""


def name_of(function: Callable[..., Any]) -> str:
    """Return the name of a function for messages and for the stored study.

    Examples:
        >>> name_of(functools.partial(sorted, reverse=True))
        'sorted'
    """
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def hash_parts(function: Callable[..., Any]) -> dict[str, str]:
    """Return name -> SHA-256 of each part of a function that is in no module.

    Examples:
        >>> hash_parts(functools.partial(sorted, reverse=True)).keys()
        dict_keys(['reverse'])
    """
    parts = _Parts()
    parts.visit(name_of(function), function)
    return parts.hashes


class _Parts:
    """The parts found so far."""

    def __init__(self) -> None:
        self.hashes: dict[str, str] = {}
        self._seen: dict[int, Any] = {}
        """Visited objects by id; kept alive so that ids stay unique."""

    def visit(self, name: str, value: object) -> None:
        """Hash a value and all that it uses, directly or indirectly."""
        todo = [(name, value)]
        while todo:
            name, value = todo.pop()
            if id(value) in self._seen:
                continue
            if (content := _content(value)) is not None:
                self._add(name, content)
                continue
            self._seen[id(value)] = value
            todo += _used_by(value)
            if isinstance(value, FunctionType) and _is_loose(value):
                self._add(value.__qualname__, _source(value))

    def _add(self, name: str, content: bytes) -> None:
        before = self.hashes.get(name, "").encode()
        self.hashes[name] = hashlib.sha256(before + content).hexdigest()


def _is_loose(value: object) -> bool:
    """Return whether a function or class is in no module that a child could import."""
    module = getattr(value, "__module__", None)
    return module in (None, "__main__") or module not in sys.modules


def _content(value: Any) -> bytes | None:
    """Return a plain value or an array as bytes; None for other objects."""
    if isinstance(value, _PLAIN):
        return repr(value).encode()
    if type(value) in (list, tuple, set, frozenset, dict):
        return _content_of_all(value)
    try:
        view = memoryview(value)
        return f"{view.format}{view.shape}".encode() + view.tobytes()
    except (TypeError, ValueError, BufferError):
        return None


def _content_of_all(values: Any) -> bytes | None:
    """Return a container of such values as bytes; None if it contains other objects."""
    entries = values.items() if isinstance(values, Mapping) else values
    try:
        contents = [_content(entry) for entry in entries]
    except RecursionError:  # it contains itself
        return None
    known = [content for content in contents if content is not None]
    if len(known) < len(contents):
        return None
    if isinstance(values, set | frozenset):
        known.sort()
    return type(values).__name__.encode() + b"\0".join(known)


def _used_by(value: object) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each object that an object uses."""
    if isinstance(value, functools.partial):
        yield name_of(value.func), value.func
        yield from ((f"argument {number}", each) for number, each in enumerate(value.args, 1))
        yield from value.keywords.items()
    elif isinstance(value, MethodType):
        yield from ((value.__qualname__, value.__func__), ("self", value.__self__))
    elif isinstance(value, FunctionType):
        yield from _used_by_function(value) if _is_loose(value) else ()
    elif isinstance(value, type):
        yield from _used_by_class(value) if _is_loose(value) else ()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((type(each).__name__, each) for each in value)
    elif isinstance(value, dict):
        yield from ((str(key), each) for key, each in value.items())
    elif _is_loose(type(value)):
        yield type(value).__qualname__, type(value)
        yield from getattr(value, "__dict__", {}).items()


def _used_by_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    names = dict.fromkeys(_globals_read(function.__code__))
    yield from ((name, function.__globals__[name]) for name in names if name in function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # the variable is not assigned yet
            continue
    for what, value in (("", function.__defaults__), ("keyword ", function.__kwdefaults__)):
        if value:
            yield f"{function.__qualname__}, {what}defaults", value


def _used_by_class(kind: type) -> Iterator[tuple[str, Any]]:
    yield from ((base.__qualname__, base) for base in kind.__bases__)
    for name, member in vars(kind).items():
        if isinstance(member, property):
            yield from ((f"{name}, {part}", getattr(member, part)) for part in ("fget", "fset", "fdel"))
        elif isinstance(member, staticmethod | classmethod):
            yield name, member.__func__
        elif not name.startswith("__") or isinstance(member, FunctionType):
            yield f"{kind.__qualname__}.{name}", member


def _globals_read(code: CodeType) -> Iterator[str]:
    yield from (str(step.argval) for step in dis.get_instructions(code) if step.opname in _USES)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals_read(inner)


def _source(function: FunctionType) -> bytes:
    """Return the source of a function, or its compiled code if it has none, as in a script from stdin."""
    try:
        return textwrap.dedent(inspect.getsource(function)).encode()
    except (OSError, TypeError, SyntaxError, IndentationError):
        return _compiled(function.__code__)


def _compiled(code: CodeType) -> bytes:
    """Return a function's instructions, constants and names, without line numbers."""
    constants = [
        _compiled(each) if isinstance(each, CodeType) else _content(each) or repr(each).encode()
        for each in code.co_consts
    ]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_kwonlyargcount)
    return b"\0".join([code.co_code, *constants, repr(names).encode()])
